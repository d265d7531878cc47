"""From command-line arguments to an ordered list of files."""

import io
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from moderation.errors import ManifestError
from moderation.inputs import expand


def listed(
    arguments: Sequence[object], *, stdin: bytes = b"", exclude: Sequence[Path] = ()
) -> list[str]:
    found = expand([str(a) for a in arguments], stdin=io.BytesIO(stdin), exclude=exclude)
    return [str(path) for path in found]


def touch(folder: Path, *names: str | bytes) -> None:
    for name in names:
        path = folder / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_a_folder_gives_everything_in_byte_order_but_hidden_and_own_output(tmp_path: Path) -> None:
    touch(tmp_path, "b.MP4", "a", "Z.txt", "sub/é.csv", ".hidden", ".git/config", "out.jsonl")
    touch(tmp_path, b"\xff.wav")
    found = listed([tmp_path], exclude=[tmp_path / "out.jsonl"])
    names = ["Z.txt", "a", "b.MP4", "sub/é.csv", "\udcff.wav"]
    assert found == [str(tmp_path / name) for name in names]


def test_order_of_arguments_is_kept_and_missing_paths_stay(tmp_path: Path) -> None:
    touch(tmp_path, "b", "a")
    arguments = [tmp_path / "b", tmp_path / "gone.mp4", tmp_path / "a"]
    assert listed(arguments) == [str(path) for path in arguments]


def test_link_loops_end_and_leave_a_row(tmp_path: Path) -> None:
    touch(tmp_path, "deep/er/clip")
    (tmp_path / "deep/er/up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    names = ["dangling", "deep/er/clip", "deep/er/up", "self"]
    assert listed([tmp_path]) == [str(tmp_path / name) for name in names]


def test_many_links_to_one_folder_do_not_multiply_its_files(tmp_path: Path) -> None:
    # Each level links twice to the next: following all links would give 2 ** 30 files.
    for level in range(30):
        (tmp_path / f"level{level}").mkdir()
        for link in ("x", "y"):
            (tmp_path / f"level{level}" / link).symlink_to(tmp_path / f"level{level + 1}")
    touch(tmp_path, "level30/clip")
    assert len(listed([tmp_path / "level0"])) == 1


def test_nesting_deeper_than_the_recursion_limit(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("clip", os.O_CREAT, dir_fd=here))
    os.close(here)
    try:
        assert listed([tmp_path])[0].endswith("/d/clip")
    finally:
        # Python's own removal, which pytest uses, recurses too deep for it.
        subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.mp4", ["a.mp4", "b.mp4"]),
        ("**/*.mp4", ["a.mp4", "b.mp4", "sub/c.mp4"]),
        ("s*", ["sub/c.mp4", "sub/d.wav"]),
        ("sub/**", ["sub/c.mp4", "sub/d.wav"]),
        ("[ab].mp4", ["a.mp4", "b.mp4"]),
        (".*.mp4", [".secret.mp4"]),
        ("*.mkv", ["*.mkv"]),
    ],
)
def test_patterns(tmp_path: Path, pattern: str, names: list[str]) -> None:
    touch(tmp_path, "b.mp4", "a.mp4", "sub/c.mp4", "sub/d.wav", ".secret.mp4")
    assert listed([tmp_path / pattern]) == [str(tmp_path / name) for name in names]


def test_a_name_that_looks_like_a_pattern_is_a_name_first(tmp_path: Path) -> None:
    touch(tmp_path, "take[1].mp4", "take1.mp4")
    assert listed([tmp_path / "take[1].mp4"]) == [str(tmp_path / "take[1].mp4")]


def test_standard_input_by_lines_or_by_nul() -> None:
    assert listed(["-"], stdin=b"one\ntwo words\n\n\xff.wav\n") == [
        "one",
        "two words",
        "\udcff.wav",
    ]
    assert listed(["-"], stdin=b"line\nbreak\0two\0") == ["line\nbreak", "two"]


def test_lists_are_relative_to_themselves(tmp_path: Path) -> None:
    folder = tmp_path / "lists"
    touch(folder, "a b.mp4", b"\xff.wav")
    (folder / "l.csv").write_bytes(
        b"\xef\xbb\xbfid,path\n1,a b.mp4\n2,/abs/x.png\n3,\n4,\xff.wav\n"
    )
    (folder / "l.txt").write_bytes(b"a b.mp4\r\n\n\xff.wav\n")
    (folder / "l.jsonl").write_text('{"path": "a b.mp4", "y": 3}\n\n"gone.mp4"\n')
    parquet.write_table(pa.table({"y": [1], "path": ["a b.mp4"]}), folder / "l.parquet")
    first, odd = str(folder / "a b.mp4"), str(folder / "\udcff.wav")
    assert listed([folder / "l.csv"]) == [first, "/abs/x.png", odd]
    assert listed([folder / "l.txt"]) == [first, odd]
    assert listed([folder / "l.jsonl"]) == [first, str(folder / "gone.mp4")]
    assert listed([folder / "l.parquet"]) == [first]


def test_escaped_names_of_our_own_results_are_understood(tmp_path: Path) -> None:
    touch(tmp_path, b"\xff.wav", "back\\slash", "lit\\xff")
    (tmp_path / "l.csv").write_text("path\n\\xff.wav\nback\\\\slash\nlit\\xff\n")
    names = ["\udcff.wav", "back\\slash", "lit\\xff"]
    assert listed([tmp_path / "l.csv"]) == [str(tmp_path / name) for name in names]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("l.csv", b"file,y\na,1\n", "file, y"),
        ("l.csv", b"", r"\(none\)"),
        ("l.jsonl", b'{"path": "a"}\n{"path": 3}\n', "line 2"),
        ("l.jsonl", b"{oops\n", "line 1"),
        ("l.parquet", b"no parquet", "parquet"),
    ],
)
def test_a_broken_list_says_where(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ManifestError, match=told):
        listed([tmp_path / name])


def test_a_parquet_list_without_the_column(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"file": ["a"]}), tmp_path / "l.parquet")
    with pytest.raises(ManifestError, match="no column named path"):
        listed([tmp_path / "l.parquet"])
