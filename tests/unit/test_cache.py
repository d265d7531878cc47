"""The feature cache: bit-exact, self-checking, bounded, safe under many writers."""

import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from encoders.cache import FeatureCache
from encoders.encoding_format import DamagedEncoding, from_bytes, to_bytes
from encoders.types import (
    Direction,
    Encoding,
    FeatureSequence,
    Modality,
    Signal,
    Span,
    Transcript,
    TranscriptSegment,
)

MEBIBYTE = 2**20


def encoding(seed: int, positions: int = 7) -> Encoding:
    """Something of everything."""
    rng = np.random.default_rng(seed)
    starts = np.arange(positions) / 3
    sequence = FeatureSequence(
        encoder="clip",
        modality=Modality.VIDEO,
        layers={
            "layer_9": rng.normal(size=(positions, 8)).astype(np.float32),
            "layer_1": rng.normal(size=(4, positions)).astype(np.float32).T,
        },
        start_seconds_N=starts,
        end_seconds_N=starts + 1 / 3,
    )
    signals = tuple(
        Signal(
            name=f"image.{name}",
            modality=Modality.IMAGE,
            value=0.1 + seed,
            unit="dB",
            span=Span(0.5, 1 / 3 + 1),
            direction=Direction.EITHER,
            typical_low=-1.0,
            typical_high=1e-3,
            explanation="it's “so”\n",
            heat_map_HW=heat_map,
        )
        for name, heat_map in (("a", None), ("b", rng.random((5, 6)).astype(np.float32)))
    )
    transcript = Transcript((TranscriptSegment(Span(0.0, 1.0), 'say "9" é'),))
    return Encoding((sequence,), signals, transcript)


def assert_equal(left: Encoding | None, right: Encoding) -> None:
    assert left is not None
    assert to_bytes(left) == to_bytes(right)
    assert left.transcript == right.transcript
    for ours, theirs in zip(left.sequences, right.sequences, strict=True):
        assert list(ours.layers) == list(theirs.layers)
        for name, values in ours.layers.items():
            np.testing.assert_array_equal(values, theirs.layers[name])
            assert values.dtype == np.float32
            assert values.flags.writeable
        np.testing.assert_array_equal(ours.start_seconds_N, theirs.start_seconds_N)
        np.testing.assert_array_equal(ours.end_seconds_N, theirs.end_seconds_N)
    for signal, other in zip(left.signals, right.signals, strict=True):
        assert (signal.name, signal.value, signal.span) == (other.name, other.value, other.span)
        assert signal.direction is other.direction
        assert (signal.heat_map_HW is None) == (other.heat_map_HW is None)
        if signal.heat_map_HW is not None:
            np.testing.assert_array_equal(signal.heat_map_HW, other.heat_map_HW)


def entries(directory: Path) -> list[Path]:
    return sorted(directory.glob("??/*.safetensors"))


def test_what_was_put_comes_back_bit_for_bit(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, size_bytes_max=MEBIBYTE)
    assert cache.get("a" * 64, "clip", "1", "plan") is None
    cache.put("a" * 64, "clip", "1", "plan", encoding(0))
    assert_equal(cache.get("a" * 64, "clip", "1", "plan"), encoding(0))
    assert_equal(FeatureCache(tmp_path, size_bytes_max=1).get("a" * 64, "clip", "1", "plan"),
                 encoding(0))  # fmt: skip


def test_every_part_of_the_key_counts(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, size_bytes_max=MEBIBYTE)
    keys = [
        ("a", "clip", "1", "p"),
        ("b", "clip", "1", "p"),
        ("a", "whisper", "1", "p"),
        ("a", "clip", "2", "p"),
        ("a", "clip", "1", "q"),
        ("a", "clip1", "", "p"),
    ]
    for seed, key in enumerate(keys):
        cache.put(*key, encoding(seed))
    for seed, key in enumerate(keys):
        assert_equal(cache.get(*key), encoding(seed))


def test_an_empty_encoding_is_an_answer(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, size_bytes_max=MEBIBYTE)
    cache.put("a", "whisper", "1", "p", Encoding())
    assert cache.get("a", "whisper", "1", "p") == Encoding()


def test_any_flipped_bit_and_any_cut_makes_an_entry_absent(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, size_bytes_max=MEBIBYTE)
    whole = to_bytes(encoding(0))
    damaged = [whole[:length] for length in (0, 5, 100, len(whole) // 2, len(whole) - 1)]
    for position in range(0, len(whole), 97):
        damaged.append(whole[:position] + bytes([whole[position] ^ 0x10]) + whole[position + 1 :])
    for data in damaged:
        with pytest.raises(DamagedEncoding):
            from_bytes(data)
    cache.put("a", "clip", "1", "p", encoding(0))
    (entry,) = entries(tmp_path)
    entry.write_bytes(damaged[-1])
    assert cache.get("a", "clip", "1", "p") is None
    assert not entry.exists()
    cache.put("a", "clip", "1", "p", encoding(0))
    assert_equal(cache.get("a", "clip", "1", "p"), encoding(0))


def test_the_longest_unused_entries_go_first(tmp_path: Path) -> None:
    size = len(to_bytes(encoding(0)))
    cache = FeatureCache(tmp_path, size_bytes_max=10 * size)
    for number in range(10):
        cache.put(str(number), "clip", "1", "p", encoding(number))
        hour = 3600.0 * (20 - number)
        newest = max(entries(tmp_path), key=lambda path: path.stat().st_mtime)
        os.utime(newest, (time.time() - hour, time.time() - hour))
    assert cache.get("0", "clip", "1", "p") is not None  # used: now the youngest
    cache.put("10", "clip", "1", "p", encoding(10))
    kept = [number for number in range(11) if cache.get(str(number), "clip", "1", "p")]
    assert kept in ([0, *range(3, 11)], [0, *range(4, 11)])  # entries differ by a few bytes
    assert sum(path.stat().st_size for path in entries(tmp_path)) <= 10 * size


def test_files_of_killed_writers_are_swept_up(tmp_path: Path) -> None:
    (tmp_path / "ab").mkdir()
    old, new = tmp_path / "ab" / "x.partial", tmp_path / "ab" / "y.partial"
    old.write_bytes(b"1")
    new.write_bytes(b"1")
    os.utime(old, (0, 0))
    FeatureCache(tmp_path, size_bytes_max=MEBIBYTE).put("a", "clip", "1", "p", encoding(0))
    assert not old.exists()
    assert new.exists()


def test_a_cache_that_cannot_be_written_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a folder")
    cache = FeatureCache(tmp_path / "file", size_bytes_max=MEBIBYTE)
    with caplog.at_level(logging.WARNING):
        cache.put("a", "clip", "1", "p", encoding(0))
    assert "could not keep features" in caplog.text
    assert cache.get("a", "clip", "1", "p") is None


def test_a_bound_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="positive"):
        FeatureCache(tmp_path, size_bytes_max=0)


WRITER = """
import sys, pathlib, importlib.util
spec = importlib.util.spec_from_file_location("cases", sys.argv[1])
cases = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cases)
from encoders.cache import FeatureCache
cache = FeatureCache(pathlib.Path(sys.argv[2]), size_bytes_max=int(sys.argv[3]))
print("ready", flush=True)
sys.stdin.readline()
hits = 0
for turn in range(120):
    number = (turn * int(sys.argv[4])) % 40
    found = cache.get(str(number), "clip", "1", "p")
    if found is None:
        cache.put(str(number), "clip", "1", "p", cases.encoding(number))
    else:
        cases.assert_equal(found, cases.encoding(number))
        hits += 1
print(hits)
"""


def test_processes_share_one_bounded_cache(tmp_path: Path) -> None:
    size = len(to_bytes(encoding(0)))
    bound = 20 * size
    children = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, __file__, str(tmp_path), str(bound), str(stride)],
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for stride in (1, 3, 7)
    ]
    for child in children:  # all at once, not one after another's start
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    results = [child.communicate(timeout=60) for child in children]
    assert [child.returncode for child in children] == [0, 0, 0], results
    assert sum(int(output) for output, _ in results) > 0
    # Each process looks again after 32 entries of its own; until then the others may overshoot.
    FeatureCache(tmp_path, size_bytes_max=bound).put("last", "clip", "1", "p", encoding(1))
    assert sum(path.stat().st_size for path in entries(tmp_path)) <= bound
    assert not list(tmp_path.rglob("*.partial"))
    for path in entries(tmp_path):
        from_bytes(path.read_bytes())
