"""Uploads on the disk: whole, declared, resumable, bounded."""

import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest

from moderation.intake import blobs
from moderation.intake.blobs import BlobStore, media_name
from moderation.intake.errors import UploadBusy, UploadError, UploadTooLarge

BYTES = bytes(range(256)) * 40
DIGEST = hashlib.sha256(BYTES).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "data", bytes_max=20_000)


def files_in(folder: Path) -> list[str]:
    return sorted(
        str(one.relative_to(folder))
        for one in folder.rglob("*")
        if one.is_file() and one.stat().st_size
    )


def test_bytes_are_kept_under_their_hash(store: BlobStore, tmp_path: Path) -> None:
    for is_new in (True, False):
        with store.upload() as upload:
            for start in range(0, len(BYTES), 999):
                upload.write(BYTES[start : start + 999])
            blob = upload.finish()
        assert (blob.sha256, blob.size_bytes, blob.is_new) == (DIGEST, len(BYTES), is_new)
    assert store.path(DIGEST).read_bytes() == BYTES
    assert files_in(tmp_path / "data") == [f"blobs/{media_name(DIGEST)}"]


def test_what_is_not_finished_leaves_nothing(store: BlobStore, tmp_path: Path) -> None:
    with store.upload() as upload:
        upload.write(BYTES)
    assert not store.has(DIGEST)
    assert files_in(tmp_path / "data") == []


@pytest.mark.parametrize("cuts", [(0,), (1, 5000), (10_239,), (3, 3, 9000)])
def test_an_upload_goes_on_where_it_stopped(store: BlobStore, cuts: tuple[int, ...]) -> None:
    for end in (*cuts, len(BYTES)):
        offset = store.there("ann", DIGEST)
        with store.resume("ann", DIGEST, offset=offset) as upload:
            upload.write(BYTES[offset:end])
            if end == len(BYTES):
                upload.finish()
    assert store.path(DIGEST).read_bytes() == BYTES
    assert store.there("ann", DIGEST) == 0


def test_nobody_adds_to_the_part_of_another(store: BlobStore) -> None:
    with store.resume("mallory", DIGEST, offset=0) as upload:
        upload.write(b"poison")
    assert store.there("ann", DIGEST) == 0


def test_other_bytes_than_declared_are_refused_and_dropped(store: BlobStore) -> None:
    with store.resume("ann", DIGEST, offset=0) as upload:
        upload.write(BYTES[:-1])
        with pytest.raises(UploadError, match=DIGEST):
            upload.finish()
    assert store.there("ann", DIGEST) == 0
    assert not store.has(DIGEST)


def test_a_gap_is_refused(store: BlobStore) -> None:
    with pytest.raises(UploadError, match="from 0 on"):
        store.resume("ann", DIGEST, offset=7)


def test_the_cap_holds_while_bytes_come(store: BlobStore, tmp_path: Path) -> None:
    with store.resume("ann", DIGEST, offset=0) as upload:
        upload.write(b"x" * 20_000)
        with pytest.raises(UploadTooLarge):
            upload.write(b"x")
    assert files_in(tmp_path / "data") == []


def test_one_sender_at_a_time(store: BlobStore) -> None:
    with store.resume("ann", DIGEST, offset=0), pytest.raises(UploadBusy):
        store.resume("ann", DIGEST, offset=0)


def test_a_blob_that_was_finished_while_another_sender_opened_it_never_changes(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = store.resume("ann", DIGEST, offset=0)
    first.write(BYTES)
    lock = blobs._lock

    def locks_after_the_first_sender_has_finished(file: BinaryIO) -> None:
        first.finish()
        first.__exit__(None, None, None)
        lock(file)

    monkeypatch.setattr(blobs, "_lock", locks_after_the_first_sender_has_finished)
    with pytest.raises(UploadBusy):
        store.resume("ann", DIGEST, offset=len(BYTES)).write(b"more")
    assert store.path(DIGEST).read_bytes() == BYTES


@pytest.mark.parametrize("name", ["../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "", "\0" * 64])
def test_only_hashes_name_files(store: BlobStore, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        store.path(name)
    with pytest.raises(UploadError, match="SHA-256"):
        store.resume("ann", name, offset=0)


def test_half_uploads_expire(store: BlobStore) -> None:
    now = datetime(2026, 5, 4, tzinfo=UTC)
    for owner, age in (("old", 3), ("young", 1)):
        with store.resume(owner, DIGEST, offset=0) as upload:
            upload.write(b"half")
        then = (now - timedelta(days=age)).timestamp()
        os.utime(store._part(owner, DIGEST), (then, then))
    assert store.sweep(before=now - timedelta(days=2)) == 1
    assert (store.there("old", DIGEST), store.there("young", DIGEST)) == (0, 4)
