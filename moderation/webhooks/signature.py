"""How a webhook is signed, and how its receiver checks it. Standard library only.

The scheme of standardwebhooks.com: HMAC-SHA-256 over `ID.TIMESTAMP.BODY`, so that neither the
body nor the time nor the id can be exchanged.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from moderation.errors import PermanentError

ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER = (
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
)
SECRET_PREFIX = "whsec_"  # noqa: S105


class SignatureRefused(PermanentError):
    """A webhook that was not sent by who holds the secret, or not now, or before."""

    code = "signature_refused"


def sign(secret: str, *, event_id: str, timestamp: int, body: bytes) -> str:
    """`v1,SIGNATURE` in base64. timestamp: seconds since 1970."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    content = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


def signed_headers(secret: str, *, event_id: str, sent_at: datetime, body: bytes) -> dict[str, str]:
    """The headers of one delivery."""
    timestamp = int(sent_at.timestamp())
    return {
        "Content-Type": "application/json",
        ID_HEADER: event_id,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: sign(secret, event_id=event_id, timestamp=timestamp, body=body),
    }


class WebhookVerifier:
    """Checks what comes in; one a receiver.

    secret: as the registration gave it. tolerance: how far the clocks may differ; an id seen
    within it is refused, so that nobody can send a delivery again. Several processes need a
    common memory of ids: check `webhook-id` there.
    """

    def __init__(self, secret: str, *, tolerance: timedelta = timedelta(minutes=5)) -> None:
        self._secret = secret
        self._tolerance = tolerance
        self._seen: dict[str, datetime] = {}

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> str:
        """The id of a delivery that is genuine, recent and new.

        headers: by name, in any case.

        Raises:
            SignatureRefused: it is not.
        """
        given = {name.lower(): value for name, value in headers.items()}
        event_id, stamp = given.get(ID_HEADER, ""), given.get(TIMESTAMP_HEADER, "")
        if not event_id or not (stamp.isascii() and stamp.isdigit()):
            raise _refused("no id or no timestamp")
        wanted = sign(self._secret, event_id=event_id, timestamp=int(stamp), body=body)
        signatures = given.get(SIGNATURE_HEADER, "").split(" ")
        if not any(hmac.compare_digest(wanted.encode(), one.encode()) for one in signatures):
            raise _refused("a signature that does not fit")
        if abs(now.timestamp() - int(stamp)) > self._tolerance.total_seconds():
            raise _refused("a timestamp too far from now")
        oldest = now - 2 * self._tolerance
        self._seen = {known: at for known, at in self._seen.items() if at >= oldest}
        if event_id in self._seen:
            raise _refused("an id that came before")
        self._seen[event_id] = now
        return event_id


def _refused(found: str) -> SignatureRefused:
    return SignatureRefused(
        found,
        expected="a delivery of this server, signed with the secret of the registration",
        remedy="Answer 400, and look at the secret and the clock.",
    )
