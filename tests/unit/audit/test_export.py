"""An export is verified with nothing else, and every changed byte in it shows."""

import gzip
import random
from pathlib import Path

import pytest

from moderation.audit.chain import EMPTY, Head
from moderation.audit.export import export_entries, verify_file
from moderation.audit.verification import FaultKind
from moderation.errors import OutputError, RecordError
from tests.unit.audit.chains import chain

LENGTH = 12
WHOLE = chain(LENGTH)
HEAD = Head(LENGTH, WHOLE[-1].hash)
SUFFIXES = ["jsonl", "jsonl.gz", "jsonl.zst"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_export_is_whole_and_always_the_same(tmp_path: Path, suffix: str) -> None:
    first, second = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    for path in (first, second):
        assert export_entries(WHOLE, HEAD, path) == LENGTH
    found = verify_file(first, anchors=[Head(3, WHOLE[2].hash)])
    assert found.is_whole
    assert (found.records, found.head) == (LENGTH, HEAD)
    assert first.read_bytes() == second.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {first.name, second.name}


def test_an_empty_chain_is_an_export_too(tmp_path: Path) -> None:
    export_entries([], EMPTY, tmp_path / "a.jsonl")
    assert verify_file(tmp_path / "a.jsonl").is_whole


def test_compression_is_real(tmp_path: Path) -> None:
    sizes = []
    for suffix in SUFFIXES:
        path = tmp_path / f"a.{suffix}"
        export_entries(chain(300), Head(300, chain(300)[-1].hash), path)
        sizes.append(path.stat().st_size)
    assert max(sizes[1:]) < sizes[0] / 3


def test_every_changed_byte_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    export_entries(WHOLE, HEAD, path)
    content = path.read_bytes()
    source = random.Random(3)
    for at in range(0, len(content), 7):
        other = source.choice([b for b in b'a0"{} \n\xff' if b != content[at]])
        path.write_bytes(content[:at] + bytes([other]) + content[at + 1 :])
        try:
            assert not verify_file(path).is_whole, at
        except RecordError:
            assert at < content.index(b"\n") + 1


def test_every_lost_line_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    export_entries(WHOLE, HEAD, path)
    lines = path.read_bytes().splitlines(keepends=True)
    for number in range(1, len(lines)):
        path.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
        faults = verify_file(path).faults
        expected = FaultKind.MISSING if number < LENGTH else FaultKind.TRUNCATED
        assert faults[0].kind is expected
        assert faults[0].sequence == min(number, LENGTH + 1)
        path.write_bytes(b"".join(lines[:number]))
        assert FaultKind.TRUNCATED in {fault.kind for fault in verify_file(path).faults}
    path.write_bytes(b"".join([*lines, lines[3]]))
    assert FaultKind.INSERTED in {fault.kind for fault in verify_file(path).faults}


@pytest.mark.parametrize("suffix", ["jsonl.gz", "jsonl.zst"])
def test_a_compressed_file_cut_short_is_truncated(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    entries = chain(2000)
    export_entries(entries, Head(2000, entries[-1].hash), path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])
    assert FaultKind.TRUNCATED in {fault.kind for fault in verify_file(path).faults}


@pytest.mark.parametrize("content", [b"", b"{}\n", b"\x00" * 100, b"[" * 10_000])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    for suffix in SUFFIXES:
        path = tmp_path / f"a.{suffix}"
        path.write_bytes(content)
        with pytest.raises(RecordError):
            verify_file(path)
    with pytest.raises(RecordError):
        verify_file(tmp_path / "none.jsonl")
    with pytest.raises(RecordError):
        verify_file(tmp_path)


def test_a_line_without_end_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    export_entries(WHOLE, HEAD, path)
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(lines[:3]) + b"a" * 50_000_000))
    found = verify_file(path)
    assert found.records < 100
    assert not found.is_whole


def test_a_disk_that_does_not_take_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        export_entries(WHOLE, HEAD, tmp_path / "none" / "a.jsonl")
