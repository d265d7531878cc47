"""Signatures of webhooks, and what a receiver refuses."""

from datetime import UTC, datetime, timedelta

import pytest

from moderation.webhooks.signature import (
    SignatureRefused,
    WebhookVerifier,
    sign,
    signed_headers,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BODY = b'{"event": "case.ruled"}'


def headers(**changes: str) -> dict[str, str]:
    made = signed_headers(SECRET, event_id="abc", sent_at=NOW, body=BODY)
    return made | {name.replace("_", "-"): value for name, value in changes.items()}


def test_the_example_of_the_standard() -> None:
    # From the test vectors of the libraries of standardwebhooks.com.
    assert (
        sign(
            SECRET,
            event_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp=1614265330,
            body=b'{"test": 2432232314}',
        )
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_a_genuine_delivery_is_taken_once() -> None:
    verifier = WebhookVerifier(SECRET)
    assert verifier.verify(headers(), BODY, now=NOW + timedelta(minutes=1)) == "abc"
    with pytest.raises(SignatureRefused, match="before"):
        verifier.verify(headers(), BODY, now=NOW + timedelta(minutes=2))


def test_names_of_headers_have_no_case() -> None:
    shouted = {name.upper(): value for name, value in headers().items()}
    assert WebhookVerifier(SECRET).verify(shouted, BODY, now=NOW) == "abc"


@pytest.mark.parametrize(
    ("changed", "body"),
    [
        (headers(webhook_id="other"), BODY),
        (headers(webhook_timestamp=str(int(NOW.timestamp()) + 1)), BODY),
        (headers(webhook_timestamp="yesterday"), BODY),
        (headers(webhook_signature="v1,"), BODY),
        (headers(webhook_signature="v1,ä"), BODY),
        ({}, BODY),
        (headers(), BODY + b" "),
    ],
)
def test_anything_altered_is_refused(changed: dict[str, str], body: bytes) -> None:
    with pytest.raises(SignatureRefused):
        WebhookVerifier(SECRET).verify(changed, body, now=NOW)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_delivery_of_another_time_is_refused(minutes: int) -> None:
    with pytest.raises(SignatureRefused, match="timestamp"):
        WebhookVerifier(SECRET).verify(headers(), BODY, now=NOW + timedelta(minutes=minutes))


def test_another_secret_is_refused() -> None:
    other = WebhookVerifier("whsec_" + "A" * 44)
    with pytest.raises(SignatureRefused, match="signature"):
        other.verify(headers(), BODY, now=NOW)
