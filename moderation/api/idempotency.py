"""A request that comes again is answered again, not done again.

The answer is committed with what it tells of: after a crash both are there, or neither.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from moderation.api.problems import Conflict
from moderation.api.services import Caller, Services
from moderation.api.tables import answers
from moderation.database import reading, writing
from moderation.route_services import RouteServices


class IdempotencyConflict(Conflict):
    """An idempotency key that was used for another request."""

    code = "idempotency_conflict"


@dataclass(frozen=True, slots=True)
class Once:
    """Does something once for each idempotency key of an API key; without one, every time.

    fingerprint: hash of the request. Only answers to what was done are kept: after an error the
    request may be tried again.
    """

    services: RouteServices
    key_id: str
    idempotency_key: str | None
    fingerprint: str

    def answer(self, status: int, perform: Callable[[Connection], BaseModel]) -> Response:
        """`perform` in a transaction, or the answer that it gave before.

        Raises:
            IdempotencyConflict: the key was used for another request.
        """
        with writing(self.services.engine) as connection:
            known = self._begin(connection)
            if known is not None:
                return known
            body = perform(connection).model_dump_json()
            if self.idempotency_key is not None:
                connection.execute(
                    update(answers)
                    .where(
                        answers.c.key_id == self.key_id,
                        answers.c.idempotency_key == self.idempotency_key,
                    )
                    .values(status=status, body=body)
                )
        return _json(status, body, is_replay=False)

    def with_content(self, digest: str) -> "Once":
        """The same, of a request with a body of this digest."""
        text = f"{self.fingerprint}\n{digest}".encode()
        return replace(self, fingerprint=hashlib.sha256(text).hexdigest())

    def known(self) -> Response | None:
        """The answer that was given before, if any, without doing anything.

        Raises:
            IdempotencyConflict: the key was used for another request.
        """
        if self.idempotency_key is None:
            return None
        with reading(self.services.engine) as connection:
            return self._answered(connection)

    def _begin(self, connection: Connection) -> Response | None:
        """Take the key for this transaction, or give the answer that it stands for."""
        if self.idempotency_key is None:
            return None
        now = self.services.clock()
        connection.execute(delete(answers).where(answers.c.expires_at <= now))
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        taken = connection.execute(
            dialect.insert(answers)
            .values(
                key_id=self.key_id,
                idempotency_key=self.idempotency_key,
                fingerprint=self.fingerprint,
                status=0,
                body="",
                expires_at=now + timedelta(hours=self.services.limits.answer_hours),
            )
            # Waits for a transaction that has taken the same key.
            .on_conflict_do_nothing()
            .returning(answers.c.key_id)
        ).one_or_none()
        if taken is not None:
            return None
        return self._answered(connection)

    def _answered(self, connection: Connection) -> Response | None:
        row = connection.execute(
            select(answers).where(
                answers.c.key_id == self.key_id,
                answers.c.idempotency_key == self.idempotency_key,
                answers.c.expires_at > self.services.clock(),
            )
        ).one_or_none()
        if row is None:
            return None
        if row.fingerprint != self.fingerprint:
            raise IdempotencyConflict(
                "an idempotency key that was used for another request",
                expected="a new key for every new request",
                remedy="Choose another key, or send the first request unchanged.",
            )
        return _json(row.status, row.body, is_replay=True)


def _json(status: int, body: str, *, is_replay: bool) -> Response:
    headers = {"Idempotent-Replayed": "true"} if is_replay else {}
    return Response(body, status, headers, media_type="application/json")


def digest_of(content: bytes) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9._:-]{1,128}$",
        description="Any new text, such as a UUID: a repeated request gets the same answer, and "
        "is not done twice.",
    ),
]


def fingerprint(request: Request, content: bytes) -> str:
    """Of method, path, query, and the hash of the body or the body itself."""
    parts = [request.method, request.url.path, request.url.query]
    head = json.dumps(parts).encode()
    return hashlib.sha256(head + b"\n" + content).hexdigest()


async def _unread_once(
    request: Request, services: Services, caller: Caller, idempotency_key: IdempotencyKey = None
) -> Once:
    return Once(services, caller.id, idempotency_key, fingerprint(request, b""))


RepeatableStream = Annotated[Once, Depends(_unread_once)]
"""For routes that read their body themselves; `with_content` adds what it was."""


async def _once(
    request: Request, services: Services, caller: Caller, idempotency_key: IdempotencyKey = None
) -> Once:
    return Once(services, caller.id, idempotency_key, fingerprint(request, await request.body()))


Repeatable = Annotated[Once, Depends(_once)]
"""For routes with a JSON body, or none."""
