"""Media in stretches, and what was made of them, as a browser would ask for both."""

import resource
from hashlib import sha256
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from encoders.media_types import UNKNOWN, media_type
from moderation.access.keys import AccessRole
from moderation.api.byte_ranges import ByteRange, RangeRefused, byte_range
from moderation.casework.running import explain_next, work_off
from moderation.casework.showing import materials_of, setup_of
from moderation.database import writing
from moderation.intake.blobs import BlobStore
from moderation.intake.submission import submit
from moderation.intake.types import NewItem
from tests.api_application import NOW, application, client_of, make_keys
from tests.contract.casework.scripted import make_desk, send

SAMPLES = Path(__file__).parents[3] / "docs" / "samples"
PAGE = b"<html><script>alert(1)</script></html>"


@pytest.fixture
def reviewer(engine: Engine, tmp_path: Path) -> TestClient:
    key = make_keys(engine)[AccessRole.REVIEWER]
    return client_of(application(engine, tmp_path), key)


def keep(engine: Engine, blobs: BlobStore, content: bytes) -> str:
    with blobs.upload() as upload:
        upload.write(content)
        blob = upload.finish()
    return item_of(engine, blob.sha256, blob.size_bytes)


def item_of(engine: Engine, digest: str, size_bytes: int) -> str:
    new = NewItem(sha256=digest, size_bytes=size_bytes, surface="feed", declared_name="x.html")
    with writing(engine) as connection:
        return submit(connection, new, now=NOW).id


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes=0-", ByteRange(0, 9)),
        ("bytes=2-4", ByteRange(2, 4)),
        ("bytes=9-99", ByteRange(9, 9)),
        ("bytes=-3", ByteRange(7, 9)),
        ("bytes=-99", ByteRange(0, 9)),
        ("BYTES = 1 - 1", ByteRange(1, 1)),
        ("bytes=4-2", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("items=0-1", None),
        ("bytes=٣-", None),
        ("bytes=" + "9" * 40 + "-", None),
    ],
)
def test_what_a_range_header_asks_for(header: str, found: ByteRange | None) -> None:
    assert byte_range(header, 10) == found


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0)])
def test_what_lies_behind_the_end_is_refused(header: str, size: int) -> None:
    with pytest.raises(RangeRefused):
        byte_range(header, size)


def test_media_come_whole_or_in_stretches(
    engine: Engine, tmp_path: Path, reviewer: TestClient
) -> None:
    content = (SAMPLES / "video-genuine.mp4").read_bytes()
    place = f"/v1/items/{keep(engine, BlobStore(tmp_path, bytes_max=10**6), content)}/media"
    whole = reviewer.get(place)
    etag = f'"{sha256(content).hexdigest()}"'
    assert (whole.status_code, whole.content) == (200, content)
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["etag"] == etag
    for condition in ({}, {"If-Range": etag}):
        part = reviewer.get(place, headers={"Range": "bytes=100-299", **condition})
        assert (part.status_code, part.content) == (206, content[100:300])
        assert part.headers["content-range"] == f"bytes 100-299/{len(content)}"
    for stale in ('"other"', "W/" + etag, "Mon, 01 Jan 2024 00:00:00 GMT"):
        again = reviewer.get(place, headers={"Range": "bytes=100-299", "If-Range": stale})
        assert (again.status_code, len(again.content)) == (200, len(content))
    behind = reviewer.get(place, headers={"Range": f"bytes={len(content)}-"})
    assert (behind.status_code, behind.json()["code"]) == (416, "range_not_satisfiable")
    assert behind.headers["content-range"] == f"bytes */{len(content)}"


def test_a_page_that_was_uploaded_is_inert(
    engine: Engine, tmp_path: Path, reviewer: TestClient
) -> None:
    item_id = keep(engine, BlobStore(tmp_path, bytes_max=10**6), PAGE)
    answer = reviewer.get(f"/v1/items/{item_id}/media")
    assert answer.headers["content-type"] == UNKNOWN
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"].startswith("private")
    assert "x.html" not in str(answer.headers)


def test_a_vast_film_is_never_in_memory(
    engine: Engine, tmp_path: Path, reviewer: TestClient
) -> None:
    blobs, digest, size_bytes = BlobStore(tmp_path, bytes_max=1), "c" * 64, 6 * 2**30
    path = blobs.path(digest)
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(size_bytes)
        file.seek(size_bytes - 4)
        file.write(b"last")
    place = f"/v1/items/{item_of(engine, digest, size_bytes)}/media"
    reviewer.get(place, headers={"Range": "bytes=0-9"})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    middle = reviewer.get(
        place, headers={"Range": f"bytes={size_bytes // 2}-{size_bytes // 2 + 999}"}
    )
    last = reviewer.get(place, headers={"Range": "bytes=-4"})
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert (middle.status_code, middle.content) == (206, bytes(1000))
    assert (last.content, last.headers["content-range"]) == (
        b"last",
        f"bytes {size_bytes - 4}-{size_bytes - 1}/{size_bytes}",
    )
    assert grown_kib < 32 * 1024


def test_materials_are_shown_and_made_again_when_they_are_damaged(
    engine: Engine, tmp_path: Path, reviewer: TestClient
) -> None:
    desk = make_desk(engine, tmp_path)
    item = send(desk, "5")
    work_off(desk)
    place = f"/v1/items/{item.id}/materials"
    assert reviewer.get(place).json()["state"] == "waiting"
    explain_next(desk)
    shown = reviewer.get(place).json()
    assert shown["state"] == "ready"
    name = shown["materials"]["frames"][0]["picture"]
    answer = reviewer.get(shown["links"][name])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert "immutable" in answer.headers["cache-control"]
    known = {"If-None-Match": answer.headers["etag"]}
    assert reviewer.get(shown["links"][name], headers=known).status_code == 304
    for absent in ("frame-999.jpg", "index.json"):
        assert reviewer.get(f"{place}/{absent}").status_code == 404
    assert reviewer.get(f"{place}/..%2Findex.json").status_code in (404, 422)
    store, setup = materials_of(desk.blobs), setup_of(desk.deployment)
    file = desk.blobs.materials / item.sha256[:2] / item.sha256 / setup / name
    file.write_bytes(b"<script>")
    damaged = reviewer.get(shown["links"][name])
    assert (damaged.status_code, damaged.json()["code"]) == (503, "materials_damaged")
    assert not store.has(item.sha256, setup)
    assert explain_next(desk)
    assert reviewer.get(shown["links"][name]).content == answer.content


def test_what_was_never_settled_has_none(
    engine: Engine, tmp_path: Path, reviewer: TestClient
) -> None:
    item_id = keep(engine, BlobStore(tmp_path, bytes_max=10**6), b"5")
    shown = reviewer.get(f"/v1/items/{item_id}/materials").json()
    assert (shown["state"], shown["materials"], shown["links"]) == ("none", None, {})


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("photo-genuine.jpg", "image/jpeg"),
        ("video-genuine.mp4", "video/mp4"),
        ("voice-genuine.wav", "audio/wav"),
        ("manifest.csv", UNKNOWN),
    ],
)
def test_types_come_from_the_bytes(name: str, kind: str, tmp_path: Path) -> None:
    lying = tmp_path / "page.html"
    lying.write_bytes((SAMPLES / name).read_bytes())
    assert media_type(lying) == kind
