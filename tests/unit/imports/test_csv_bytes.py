"""Whatever a label file holds, reading it gives records or a typed error, never another one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from moderation.errors import ManifestError
from rl.imports.csv_table import COLUMNS, LABELS
from rl.imports.layouts import LAYOUTS
from rl.imports.names import LayoutName
from rl.imports.record import ReadOptions, Record
from tests.unit.imports.trees import write_json


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bytes")


def read(name: LayoutName, root: Path) -> list[Record] | ManifestError:
    try:
        return list(LAYOUTS[name].read(root, ReadOptions()))
    except ManifestError as error:
        return error


# The machine may be busy: how long an example takes says nothing.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
fields = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["a.png", "../b.wav", "/c.mp4", "d.flac", "\0.png", "e" * 5_000 + ".png"]),
    st.sampled_from(sorted(LABELS)),
    st.sampled_from(["9", "-1", "1e999", "nan", "0.5;1", ";", "train", "dev", "audio", ""]),
)


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """A header that is mostly right, and rows that mostly fit under it."""
    more = draw(st.lists(st.sampled_from(COLUMNS), unique=True))
    header = [*dict.fromkeys(("path", "source", "label", *more))]
    rows = draw(st.lists(st.lists(fields, min_size=len(header), max_size=len(header)), max_size=4))
    quote = draw(st.sampled_from(['"', ""]))
    lines = [",".join(header), *(",".join(f"{quote}{f}{quote}" for f in row) for row in rows)]
    return "\r\n".join(lines).encode("utf-8", "surrogatepass")


@unhurried
@given(st.one_of(st.binary(max_size=400), tables()))
@example(b"path,source,label\na.png,x,fake\n")
@example(b"\xef\xbb\xbfpath,source,label\na.png,x,fake")
@example(b"path,source,label\na.png,x\n\n\n")
@example(b'path,source,label\n"a.png,x,fake')
@example(b"path,source,label\r" * 3)
@example(b"\xff\xfep\0a\0t\0h\0")
@example(b"path,source,label\n" + b"x" * 200_000 + b",y,real\n")
@example(b"path,source,label\n" + b"x" * 6_000 + b".png,y,real\n")
def test_any_bytes_as_csv(folder: Path, content: bytes) -> None:
    path = folder / "labels.csv"
    path.write_bytes(content)
    found = read(LayoutName.CSV, path)
    if isinstance(found, ManifestError):
        assert str(path) in str(found)
        assert found.expected
    for record in found if isinstance(found, list) else []:
        assert record.path.is_relative_to(folder)
        assert record.source


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def damaged(value: Any, path: tuple[Any, ...], put: Any) -> Any:
    """`value` with what lies at `path` replaced."""
    if not path:
        return put
    inner = damaged(value[path[0]], path[1:], put)
    if isinstance(value, dict):
        return {**value, path[0]: inner}
    return [*value[: path[0]], inner, *value[path[0] + 1 :]]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where everything in a JSON value lies."""
    yield path
    if not isinstance(value, dict | list):
        return
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield from places(inner, (*path, key))


AV_ENTRIES = [
    {
        "file": "a/b.mp4",
        "original": "a/real.mp4",
        "modify_type": "both_modified",
        "audio_model": "vits",
        "fake_segments": [[0.1, 0.5]],
        "audio_fake_segments": [[0.1, 0.5]],
        "visual_fake_segments": [],
        "video_frames": 100,
    }
]
BENCH = {"DFDC": {"DFDC_Fake": {"test": {"abc": {"label": "DFDC_Fake", "frames": ["a/0.png"]}}}}}


@unhurried
@given(st.data(), json_values)
def test_any_json_in_the_place_of_a_part(folder: Path, data: st.DataObject, put: Any) -> None:
    entries, bench = (
        damaged(whole, data.draw(st.sampled_from(list(places(whole)))), put)
        for whole in (AV_ENTRIES, BENCH)
    )
    write_json(folder / "train_metadata.json", entries)
    write_json(folder / "bench.json", bench)
    for name, root in (
        (LayoutName.AV_DEEPFAKE1M, folder),
        (LayoutName.DEEPFAKEBENCH, folder / "bench.json"),
    ):
        assert isinstance(read(name, root), list | ManifestError)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'["\\ud800"]', b"[1" + b"0" * 5_000 + b"]"])
def test_json_that_python_itself_balks_at(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "train_metadata.json").write_bytes(content)
    assert isinstance(read(LayoutName.AV_DEEPFAKE1M, tmp_path), ManifestError)


def test_the_damaged_examples_are_sound_undamaged(tmp_path: Path) -> None:
    write_json(tmp_path / "train_metadata.json", AV_ENTRIES)
    write_json(tmp_path / "bench.json", BENCH)
    for name, root in (
        (LayoutName.AV_DEEPFAKE1M, tmp_path),
        (LayoutName.DEEPFAKEBENCH, tmp_path / "bench.json"),
    ):
        found = read(name, root)
        assert isinstance(found, list)
        assert len(found) == 1
