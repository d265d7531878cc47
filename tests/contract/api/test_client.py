"""The typed client against the real application, also over a line that breaks."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, func, select

from moderation.access.keys import AccessRole
from moderation.client import ApiError, ModerationClient, ServerUnreachable
from moderation.database import open_engine, reading
from moderation.errors import ManifestError
from moderation.intake.blobs import BlobStore
from moderation.intake.tables import items
from moderation.intake.types import ItemState
from tests.api_application import application, client_of, make_keys

CONTENT = bytes(range(256)) * 12_000


@pytest.fixture
def file_engine(migrated: Path, tmp_path: Path) -> Iterator[Engine]:
    """A database of the test's own."""
    file = tmp_path / "moderation.sqlite"
    file.write_bytes(migrated.read_bytes())
    engine = open_engine(f"sqlite:///{file}")
    yield engine
    engine.dispose()


class BreakingLine(httpx.BaseTransport):
    """Passes requests on, and loses some answers; of bodies it may pass only the beginning."""

    def __init__(self, inner: TestClient, lost: set[int], cut_at: int | None) -> None:
        self._inner = inner
        self._lost = lost
        self._cut_at = cut_at
        self.keys: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        number = len(self.keys)
        self.keys.append(request.headers.get("idempotency-key", ""))
        is_lost = number in self._lost
        content = request.read()
        if is_lost and self._cut_at is not None:
            content = content[: self._cut_at]
        headers = {
            name: value
            for name, value in request.headers.items()
            if name not in ("transfer-encoding", "content-length", "accept-encoding")
        }
        answer = self._inner.request(
            request.method, str(request.url), headers=headers, content=content
        )
        if is_lost:
            raise httpx.ReadError("the line broke", request=request)
        return httpx.Response(
            answer.status_code, headers=dict(answer.headers), content=answer.content
        )


def connected(
    engine: Engine,
    folder: Path,
    role: AccessRole,
    *,
    lost: set[int] | None = None,
    cut_at: int | None = None,
) -> tuple[ModerationClient, BreakingLine]:
    app = application(engine, folder, bytes_max=10_000_000)
    line = BreakingLine(client_of(app), lost or set(), cut_at)
    key = make_keys(engine)[role]
    client = ModerationClient("http://testserver", key, transport=line, sleep=lambda seconds: None)
    return client, line


def made(folder: Path, content: bytes = CONTENT) -> Path:
    path = folder / "clip.bin"
    path.write_bytes(content)
    return path


def count(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.scalar(select(func.count()).select_from(items)) or 0)


def test_a_file_goes_in_and_is_found(file_engine: Engine, tmp_path: Path) -> None:
    client, _ = connected(file_engine, tmp_path, AccessRole.UPLOADER)
    told: list[int] = []
    item = client.upload(made(tmp_path), facts={"surface": "feed"}, progress=told.append)
    assert (item.name, item.size_bytes) == ("clip.bin", len(CONTENT))
    assert told[0] == 0
    assert told == sorted(told)
    assert told[-1] == len(CONTENT)
    assert client.status(item.id).route is None
    assert [one.id for one in client.items(state=ItemState.WAITING)] == [item.id]


def test_a_broken_upload_goes_on_and_makes_one_item(file_engine: Engine, tmp_path: Path) -> None:
    client, line = connected(file_engine, tmp_path, AccessRole.UPLOADER, lost={1}, cut_at=1_000_000)
    told: list[int] = []
    client.upload(made(tmp_path), progress=told.append)
    assert 1_000_000 in told
    assert count(file_engine) == 1
    assert len(line.keys) == 4


def test_an_upload_of_which_all_came_before_the_server_was_killed_goes_on(
    file_engine: Engine, tmp_path: Path
) -> None:
    client, _ = connected(file_engine, tmp_path, AccessRole.UPLOADER)
    blobs = BlobStore(tmp_path, bytes_max=len(CONTENT))
    digest = hashlib.sha256(CONTENT).hexdigest()
    with blobs.resume(AccessRole.UPLOADER, digest, offset=0) as upload:
        upload.write(CONTENT)
    item = client.upload(made(tmp_path))
    assert (item.sha256, item.size_bytes) == (digest, len(CONTENT))
    assert blobs.there(AccessRole.UPLOADER, digest) == 0
    assert count(file_engine) == 1


def test_an_upload_whose_answer_is_lost_makes_one_item(file_engine: Engine, tmp_path: Path) -> None:
    client, line = connected(file_engine, tmp_path, AccessRole.UPLOADER, lost={1})
    client.upload(made(tmp_path))
    assert count(file_engine) == 1
    assert line.keys[1] == line.keys[3] != ""


def test_a_lost_answer_is_asked_for_with_the_same_key(file_engine: Engine, tmp_path: Path) -> None:
    client, line = connected(file_engine, tmp_path, AccessRole.LEAD, lost={0, 1})
    assert client.claim() is None
    assert len(set(line.keys)) == 1
    assert len(line.keys) == 3


def test_a_line_that_stays_broken_is_told(file_engine: Engine, tmp_path: Path) -> None:
    client, line = connected(file_engine, tmp_path, AccessRole.LEAD, lost=set(range(100)))
    with pytest.raises(ServerUnreachable):
        client.claim()
    assert len(line.keys) == 4


def test_what_the_server_refuses_is_not_tried_again(file_engine: Engine, tmp_path: Path) -> None:
    client, line = connected(file_engine, tmp_path, AccessRole.UPLOADER)
    with pytest.raises(ApiError) as refused:
        client.claim()
    assert (refused.value.api_code, refused.value.status) == ("role_refused", 403)
    assert len(line.keys) == 1
    with pytest.raises(ManifestError, match="empty"):
        client.upload(made(tmp_path, b""))
    with pytest.raises(ManifestError):
        client.upload(tmp_path / "none")
