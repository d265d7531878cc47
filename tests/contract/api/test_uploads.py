"""Uploads: streamed, capped while they stream, cut off and gone on with."""

import asyncio
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from moderation.access.keys import AccessRole
from moderation.database import open_engine
from tests.api_application import application, client_of, make_keys

CAP = 3_000_000
CONTENT = bytes(range(256)) * 8_000


@pytest.fixture
def served(migrated: Path, tmp_path: Path) -> Iterator[tuple[FastAPI, str, str]]:
    """The application, and the keys of an uploader and a lead."""
    file = tmp_path / "moderation.sqlite"
    file.write_bytes(migrated.read_bytes())
    engine = open_engine(f"sqlite:///{file}")
    keys = make_keys(engine)
    app = application(engine, tmp_path, bytes_max=CAP)
    yield app, keys[AccessRole.UPLOADER], keys[AccessRole.LEAD]
    engine.dispose()


def exchange(
    app: FastAPI, path: str, headers: dict[str, str], messages: list[dict[str, Any]]
) -> tuple[int, int]:
    """Speak ASGI directly: status, and how many of `messages` were taken; status 0: no answer."""
    taken, status = 0, 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        if taken == len(messages):
            raise AssertionError("more was read than was sent")
        taken += 1
        return messages[taken - 1]

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "PUT" if "uploads" in path else "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "server": ("testserver", 80),
        "client": ("127.0.0.1", 1),
    }
    asyncio.run(app(scope, receive, send))
    return status, taken


def piece(content: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": content, "more_body": more}


def test_a_file_too_large_is_refused_before_its_end(
    served: tuple[FastAPI, str, str], tmp_path: Path
) -> None:
    app, key, _ = served
    sent = [piece(bytes(1_000_000)) for _ in range(50)]
    status, taken = exchange(app, "/v1/items", {"Authorization": f"Bearer {key}"}, sent)
    assert (status, taken) == (413, 4)
    assert not any(path.is_file() for path in (tmp_path / "blobs").rglob("*"))
    assert not any(path.is_file() for path in (tmp_path / "parts").rglob("*"))


def test_a_length_too_large_is_refused_before_its_beginning(
    served: tuple[FastAPI, str, str],
) -> None:
    app, key, _ = served
    headers = {"Authorization": f"Bearer {key}", "Content-Length": str(CAP + 1)}
    assert exchange(app, "/v1/items", headers, [piece(b"x")]) == (413, 0)


def test_a_stranger_sends_nothing(served: tuple[FastAPI, str, str]) -> None:
    app, _, _ = served
    assert exchange(app, "/v1/items", {}, [piece(b"x")]) == (401, 0)


def test_an_upload_that_breaks_off_goes_on_where_it_stopped(
    served: tuple[FastAPI, str, str], tmp_path: Path
) -> None:
    app, key, other_key = served
    digest = sha256(CONTENT).hexdigest()
    path = f"/v1/uploads/{digest}"
    headers = {"Authorization": f"Bearer {key}", "Upload-Length": str(len(CONTENT))}
    cut = [piece(CONTENT[:1_500_000]), {"type": "http.disconnect"}]
    assert exchange(app, path, headers, cut) == (0, 2)

    sender = client_of(app, key)
    there = sender.get(path).json()
    assert 0 < there["offset"] <= 1_500_000
    # Nobody else can see it, or go on with it.
    assert client_of(app, other_key).get(path).json()["offset"] == 0
    wrong = sender.put(path, content=b"x", headers={"Upload-Length": "2048000"})
    assert wrong.status_code == 409

    half = there["offset"] + 100_000
    length = {"Upload-Length": str(len(CONTENT))}
    part = sender.put(
        path,
        content=CONTENT[there["offset"] : half],
        headers=length | {"Upload-Offset": str(there["offset"])},
    )
    assert (part.status_code, part.json()["offset"]) == (202, half)
    whole = sender.put(path, content=CONTENT[half:], headers=length | {"Upload-Offset": str(half)})
    assert whole.status_code == 201
    assert whole.json()["item"]["sha256"] == digest
    assert (tmp_path / "blobs" / digest[:2] / digest).read_bytes() == CONTENT
    assert sender.get(path).json()["item"]["id"] == whole.json()["item"]["id"]


def test_bytes_that_are_not_those_declared_are_refused(
    served: tuple[FastAPI, str, str], tmp_path: Path
) -> None:
    app, key, _ = served
    sender = client_of(app, key)
    answer = sender.post("/v1/items", content=b"x", headers={"Content-SHA256": "0" * 64})
    assert answer.status_code == 409
    answer = sender.put(f"/v1/uploads/{'0' * 64}", content=b"x", headers={"Upload-Length": "1"})
    assert answer.status_code == 409
    assert sender.get(f"/v1/uploads/{'0' * 64}").json()["offset"] == 0
    longer = sender.put(f"/v1/uploads/{'0' * 64}", content=b"xyz", headers={"Upload-Length": "1"})
    assert longer.status_code == 422


def test_an_empty_file_is_refused(served: tuple[FastAPI, str, str]) -> None:
    app, key, _ = served
    assert client_of(app, key).post("/v1/items", content=b"").status_code == 422


def test_names_and_views_are_kept_and_uploaders_see_their_own(
    served: tuple[FastAPI, str, str],
) -> None:
    app, key, lead_key = served
    sender, lead = client_of(app, key), client_of(app, lead_key)
    mine = sender.post(
        "/v1/items",
        content=b"mine",
        params={"name": "../\x1b[31mname", "reach": 5, "surface": "adverts"},
    ).json()
    theirs = lead.post("/v1/items", content=b"theirs").json()
    assert mine["name"] == "../\N{REPLACEMENT CHARACTER}[31mname"
    assert (mine["views"]["reach"], mine["surface"]) == (5.0, "adverts")
    assert [one["id"] for one in sender.get("/v1/items").json()["items"]] == [mine["id"]]
    assert len(lead.get("/v1/items").json()["items"]) == 2
    assert sender.get(f"/v1/items/{theirs['id']}").status_code == 404
    assert lead.get(f"/v1/items/{mine['id']}").json()["jobs"] == {"waiting": 1}
    assert sender.get(f"/v1/items/{mine['id']}/result").status_code == 404


def test_pages_neither_skip_nor_repeat_while_items_come_in(
    served: tuple[FastAPI, str, str],
) -> None:
    app, key, _ = served
    sender = client_of(app, key)
    before = {_send(sender, k) for k in range(7)}
    seen: list[str] = []
    cursor = None
    for k in range(20):
        params = {"limit": 3} if cursor is None else {"limit": 3, "cursor": cursor}
        page = sender.get("/v1/items", params=params).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        _send(sender, 100 + k)
    assert len(seen) == len(set(seen))
    assert before <= set(seen)
    wrong = sender.get("/v1/items", params={"cursor": "bm9uc2Vuc2U="})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_request")


def _send(sender: TestClient, number: int) -> str:
    return str(sender.post("/v1/items", content=f"file {number}".encode()).json()["id"])
