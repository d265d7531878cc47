"""A request that comes again is answered again, not done again; on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, func, select

from moderation.access.keys import AccessRole
from moderation.database import reading
from moderation.intake.tables import items
from moderation.webhooks.tables import webhooks
from tests.api_application import Clock, application, client_of, make_keys

HOOK = {"url": "https://hooks.example.org/a", "events": ["case.ruled"]}


def count(engine: Engine, table: object) -> int:
    with reading(engine) as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)  # type: ignore[arg-type]


def test_the_same_request_is_done_once_and_another_refused(engine: Engine, tmp_path: Path) -> None:
    clock = Clock()
    app = application(engine, tmp_path, clock=clock)
    keys = make_keys(engine)
    lead = client_of(app, keys[AccessRole.LEAD])
    named = {"Idempotency-Key": "one"}
    first = lead.post("/v1/webhooks", json=HOOK, headers=named)
    again = lead.post("/v1/webhooks", json=HOOK, headers=named)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    other = lead.post("/v1/webhooks", json=HOOK | {"events": ["task.decided"]}, headers=named)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert count(engine, webhooks) == 1
    # Another caller's key of the same name is another key.
    admin = client_of(app, keys[AccessRole.ADMIN])
    assert admin.post("/v1/webhooks", json=HOOK, headers=named).status_code == 201
    clock.now += timedelta(hours=25)
    assert "idempotent-replayed" not in lead.post("/v1/webhooks", json=HOOK, headers=named).headers
    assert count(engine, webhooks) == 3


def test_an_error_is_not_kept(engine: Engine, tmp_path: Path) -> None:
    lead = client_of(application(engine, tmp_path), make_keys(engine)[AccessRole.LEAD])
    named = {"Idempotency-Key": "one"}
    body = {"item_id": "none", "grounds": "why"}
    assert lead.post("/v1/appeals", json=body, headers=named).status_code == 404
    assert lead.post("/v1/webhooks", json=HOOK, headers=named).status_code == 201


def test_an_upload_of_other_bytes_is_another_request(engine: Engine, tmp_path: Path) -> None:
    sender = client_of(application(engine, tmp_path), make_keys(engine)[AccessRole.UPLOADER])
    named = {"Idempotency-Key": "file"}
    first = sender.post("/v1/items", content=b"some bytes", headers=named)
    assert sender.post("/v1/items", content=b"some bytes", headers=named).json() == first.json()
    other = sender.post("/v1/items", content=b"other bytes", headers=named)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert count(engine, items) == 1


def test_requests_at_the_same_time_are_done_once(engine: Engine, tmp_path: Path) -> None:
    app = application(engine, tmp_path)
    key = make_keys(engine)[AccessRole.LEAD]

    def post(_: int) -> bytes:
        named = {"Idempotency-Key": "same"}
        answer = client_of(app, key).post("/v1/webhooks", json=HOOK, headers=named)
        assert answer.status_code == 201
        return answer.content

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(post, range(8)))
    assert len(answers) == 1
    assert count(engine, webhooks) == 1
