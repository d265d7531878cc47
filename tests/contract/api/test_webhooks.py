"""Webhooks: kept with what they tell of, sent, tried again, logged; on both databases."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from moderation.access.keys import AccessRole
from moderation.casework.announcing import announce_routes
from moderation.casework.running import work_off
from moderation.database import writing
from moderation.outbound.addresses import AddressRefused
from moderation.outbound.client import Answer, OutboundClient, RemoteError
from moderation.webhooks.registry import DeliveryState, WebhookEvent, announce, register
from moderation.webhooks.sending import BACKOFF, HOLD, send_next
from moderation.webhooks.signature import WebhookVerifier
from tests.api_application import NOW, application, client_of, make_keys
from tests.contract.casework.scripted import make_desk, send


@dataclass
class Receiver:
    """Answers what it is told to; None: it breaks off."""

    answers: list[int | None]
    got: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)

    def post(self, url: str, headers: Mapping[str, str], body: bytes, *, bytes_max: int) -> Answer:
        self.got.append((url, headers, body))
        status = self.answers.pop(0)
        if status is None:
            raise RemoteError("a broken connection", expected="an answer", remedy="Wait.")
        return Answer(status, {}, b"")


def told(engine: Engine) -> str:
    """One event, for one webhook; its secret."""
    with writing(engine) as connection:
        hook = register(
            connection, url="https://h.example/x", events=[WebhookEvent.CASE_RULED], now=NOW
        )
        assert announce(connection, WebhookEvent.CASE_RULED, {"case_id": "c"}, NOW) == 1
        assert announce(connection, WebhookEvent.TASK_UNDONE, {}, NOW) == 0
    return hook.secret


def test_a_delivery_is_signed_and_sent_once(engine: Engine) -> None:
    secret = told(engine)
    receiver = Receiver([204])
    sent = send_next(engine, receiver, NOW)
    assert sent is not None
    assert (sent.state, sent.last_status, sent.attempts) == (DeliveryState.DELIVERED, 204, 1)
    assert send_next(engine, receiver, NOW + timedelta(days=9)) is None
    [(url, headers, body)] = receiver.got
    assert url == "https://h.example/x"
    assert WebhookVerifier(secret).verify(headers, body, now=NOW) == json.loads(body)["id"]
    assert json.loads(body)["facts"] == {"case_id": "c"}


def test_failures_are_tried_again_until_it_is_taken(engine: Engine) -> None:
    told(engine)
    receiver = Receiver([500, None, 200])
    now = NOW
    for pause, error in zip(BACKOFF, ("answer 500", "remote: a broken connection"), strict=False):
        tried = send_next(engine, receiver, now)
        assert tried is not None
        assert (tried.state, tried.last_error) == (DeliveryState.PENDING, error)
        assert tried.next_attempt_at == now + pause
        assert send_next(engine, receiver, now + pause - timedelta(seconds=1)) is None
        now += pause
    last = send_next(engine, receiver, now)
    assert last is not None
    assert (last.state, last.attempts, last.last_error) == (DeliveryState.DELIVERED, 3, None)
    assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1


def test_after_a_day_it_is_given_up(engine: Engine) -> None:
    told(engine)
    receiver = Receiver([500] * (len(BACKOFF) + 1))
    now = NOW
    for pause in (*BACKOFF, timedelta(0)):
        tried = send_next(engine, receiver, now)
        now += pause
    assert tried is not None
    assert tried.state is DeliveryState.FAILED
    assert send_next(engine, receiver, now + timedelta(days=9)) is None


def test_a_process_that_dies_while_sending_loses_nothing(engine: Engine) -> None:
    class Killed(BaseException):
        pass

    class Dying(Receiver):
        def post(self, *args: object, **options: object) -> Answer:
            raise Killed

    told(engine)
    with pytest.raises(Killed):
        send_next(engine, Dying([]), NOW)
    receiver = Receiver([200])
    assert send_next(engine, receiver, NOW) is None
    again = send_next(engine, receiver, NOW + HOLD)
    assert again is not None
    assert (again.state, again.attempts) == (DeliveryState.DELIVERED, 2)


def test_every_route_is_told_once(engine: Engine, tmp_path: Path) -> None:
    with writing(engine) as connection:
        register(connection, url="https://h.example/x", events=[WebhookEvent.ITEM_ROUTED], now=NOW)
    desk = make_desk(engine, tmp_path)
    items = [send(desk, f"{digit} x").id for digit in (0, 5, 9)]
    assert announce_routes(engine, NOW) == 0
    work_off(desk)
    assert announce_routes(engine, NOW) == 3
    assert announce_routes(engine, NOW) == 0
    receiver = Receiver([200] * 3)
    while send_next(engine, receiver, NOW) is not None:
        pass
    facts = [json.loads(body)["facts"] for _, _, body in receiver.got]
    assert {one["item_id"] for one in facts} == set(items)
    assert {one["disposition"] for one in facts} <= {"allow", "review", "enforce"}


def test_what_is_rolled_back_is_not_told(engine: Engine) -> None:
    told(engine)
    send_next(engine, Receiver([200]), NOW)
    with writing(engine) as connection:
        announce(connection, WebhookEvent.CASE_RULED, {}, NOW)
        connection.rollback()
    assert send_next(engine, Receiver([200]), NOW) is None


def test_private_addresses_are_refused_at_registration_and_delivery(
    engine: Engine, tmp_path: Path
) -> None:
    key = make_keys(engine)[AccessRole.ADMIN]
    private = OutboundClient(resolver=lambda host, port: ["169.254.169.254"])
    admin = client_of(application(engine, tmp_path, outbound=private), key)
    body = {"url": "http://metadata.test/latest", "events": ["case.ruled"]}
    refused = admin.post("/v1/webhooks", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, AddressRefused.code)
    # The name was a public one when it was registered, and is not any more.
    told(engine)
    tried = send_next(engine, private, NOW)
    assert tried is not None
    assert (tried.state, tried.attempts) == (DeliveryState.PENDING, 1)
    assert (tried.last_error or "").startswith(AddressRefused.code)


def test_changes_say_what_they_were_made_from(engine: Engine, tmp_path: Path) -> None:
    admin = client_of(application(engine, tmp_path), make_keys(engine)[AccessRole.ADMIN])
    body = {"url": "https://hooks.example.org/x", "events": ["case.ruled"]}
    made = admin.post("/v1/webhooks", json=body).json()
    assert made["secret"].startswith("whsec_")
    path = f"/v1/webhooks/{made['id']}"
    read = admin.get(path)
    assert "secret" not in read.json()
    tag = {"If-Match": read.headers["etag"]}
    assert admin.put(path, json=body).status_code == 428
    changed = admin.put(path, json=body | {"is_active": False}, headers=tag)
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    late = admin.put(path, json=body, headers=tag)
    assert (late.status_code, late.json()["code"]) == (412, "version_conflict")
    with writing(engine) as connection:
        assert announce(connection, WebhookEvent.CASE_RULED, {}, NOW) == 0
    assert admin.get(f"{path}/deliveries").json()["items"] == []
    assert admin.delete(path).status_code == 204
    assert admin.get(path).status_code == 404
