"""Files that are missing, broken, doubled or copied; the command; and what reads the manifest."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from encoders.base import ReadRequest
from encoders.forensic import ForensicEncoder
from encoders.sampling import Uniform
from encoders.sandbox import Sandbox
from encoders.types import DecodedMedia
from moderation.errors import ConfigurationError, ManifestError
from moderation.extraction import Extractor
from rl.commands.corpus import app
from rl.corpus.manifest import read_manifest
from rl.data import load_examples
from rl.imports.importing import LEFT_OUT
from rl.imports.inspection import JOURNAL
from rl.imports.names import LayoutName
from tests.unit.imports import tiny_media, trees
from tests.unit.imports.conftest import Case, run
from tests.unit.imports.trees import Tree, write_rows

HEADER = ["path", "source", "label", "split"]


def table(root: Path, *rows: tuple[str, str, str, str]) -> Tree:
    write_rows(root / "labels.csv", [HEADER, *(list(row) for row in rows)])
    return Tree(LayoutName.CSV, root / "labels.csv", len(rows))


def test_missing_broken_and_silent_files_are_listed_and_left_out(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    root = tmp_path / "set"
    tiny_media.write_media(root / "good.wav")
    (root / "broken.wav").write_bytes(b"RIFF")
    (root / "empty.png").write_bytes(b"")
    rows = [
        (name, name, "real", "test") for name in ("good.wav", "broken.wav", "empty.png", "gone.wav")
    ]
    tree = table(root, *rows)
    imported = run(tree, tmp_path / "out", sandbox)
    assert [Path(row["path"]).name for row in imported.rows] == ["good.wav"]
    reasons = {Path(path).name: reason for path, reason in imported.left_out}
    assert reasons["gone.wav"] == f"no such file; {tree.root}, line 5 names it"
    assert reasons["empty.png"].startswith("empty_file")
    assert set(reasons) == {"broken.wav", "empty.png", "gone.wav"}
    listed = (tmp_path / "out" / LEFT_OUT).read_text().splitlines()
    assert len(listed) == 3
    with pytest.raises(ManifestError, match="3 files cannot be used"):
        run(tree, tmp_path / "strict", sandbox, is_strict=True)
    assert not (tmp_path / "strict" / "manifest.parquet").exists()


def test_nothing_usable_is_an_error(tmp_path: Path, sandbox: Sandbox) -> None:
    tree = table(tmp_path, ("gone.wav", "ada", "real", "test"))
    with pytest.raises(ManifestError, match="1 files cannot be used"):
        run(tree, tmp_path / "out", sandbox)
    with pytest.raises(ManifestError, match="nothing to import"):
        run(tree, tmp_path / "out", sandbox, splits=("train",))
    with pytest.raises(ManifestError, match="nothing to import"):
        run(table(tmp_path), tmp_path / "out", sandbox)


def test_a_path_listed_twice_is_an_error_however_it_is_written(tmp_path: Path) -> None:
    rows = [("a.wav", "ada", "real", ""), ("x/../a.wav", "ada", "fake", "")]
    with pytest.raises(ManifestError, match=r"line 3: path '.*a\.wav' again; .*line 2"):
        run(table(tmp_path, *rows), tmp_path / "out", None)


def test_rows_whose_source_is_held_out_are_left_out(tmp_path: Path, sandbox: Sandbox) -> None:
    rows = [("a.wav", "ada", "real", "train"), ("b.wav", "ada", "fake", "test")]
    for row in rows:
        tiny_media.write_media(tmp_path / row[0])
    imported = run(table(tmp_path, *rows), tmp_path / "out", sandbox)
    assert [Path(row["path"]).name for row in imported.rows] == ["b.wav"]
    assert imported.left_out[0][1] == "train in its set, but its source ada is held out"


def test_copies_across_splits_and_labels_are_warned_of(tmp_path: Path, sandbox: Sandbox) -> None:
    tiny_media.write_media(tmp_path / "a.wav")
    shutil.copy(tmp_path / "a.wav", tmp_path / "b.wav")
    rows = [("a.wav", "ada", "real", "train"), ("b.wav", "bob", "fake", "test")]
    warnings = run(table(tmp_path, *rows), tmp_path / "out", sandbox).warnings
    assert [sentence.split()[0] for sentence in warnings] == ["1", "1"]
    assert "another split" in warnings[0]
    assert "opposite label" in warnings[1]


def test_paths_are_relative_where_the_manifest_lies_above_the_media(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    tiny_media.write_media(tmp_path / "sound" / "a.wav")
    tree = table(tmp_path, ("sound/a.wav", "ada", "real", "test"))
    assert run(tree, tmp_path, sandbox).rows[0]["path"] == "sound/a.wav"
    assert run(tree, tmp_path / "out", sandbox).rows[0]["path"] == str(tmp_path / "sound/a.wav")


def test_shares_and_splits_choose_rows(tmp_path: Path, sandbox: Sandbox) -> None:
    tree = trees.in_the_wild(tmp_path / "set")
    whole = run(tree, tmp_path / "whole", sandbox, shares={"test": 1.0})
    assert {row["split"] for row in whole.rows} == {"test"}
    one = trees.faceforensics(tmp_path / "ff")
    kept = run(one, tmp_path / "kept", sandbox, splits=("test",), shares={"train": 1.0})
    assert {row["split"] for row in kept.rows} == {"test"}
    assert len(kept.rows) == 3


def test_spans_need_a_duration(tmp_path: Path) -> None:
    tree = trees.csv_table(tmp_path / "set")
    with pytest.raises(ManifestError, match=r"line 5: spans, but no duration"):
        run(tree, tmp_path / "out", None)


def test_a_file_changed_since_is_opened_again(tmp_path: Path, sandbox: Sandbox) -> None:
    tree = trees.in_the_wild(tmp_path / "set")
    before = run(tree, tmp_path / "out", sandbox).rows
    tiny_media.write_media(tmp_path / "set" / "2.wav")
    after = run(tree, tmp_path / "out", sandbox).rows
    changed = [Path(a["path"]).name for a, b in zip(after, before, strict=True) if a != b]
    assert changed == ["2.wav"]


def test_training_reads_the_rows(case: Case, sandbox: Sandbox) -> None:
    request = ReadRequest(Uniform(frames_max=2), audio_seconds_max=2.0)
    extractor = Extractor(sandbox, (ForensicEncoder(),), request, "test")
    rows = read_manifest(case.out)
    found = list(load_examples(case.out, extractor, splits=sorted({row["split"] for row in rows})))
    assert [(example.path, example.y, example.is_manipulated) for example in found] == [
        (row["path"], row["y"], row["is_manipulated"]) for row in rows
    ]


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "moderation", "corpus", "import", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_the_command_writes_a_manifest_and_says_what_is_in_it(tmp_path: Path) -> None:
    tree = trees.in_the_wild(tmp_path / "set")
    (tree.root / "3.wav").unlink()
    done = command("auto", tree.root, "--out", tmp_path / "out", "--shares", "test=1", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["layout"] == "in-the-wild"
    assert (found["files"], found["sources"], found["left_out"]) == (3, 2, 1)
    assert found["counts"][0] == {
        "split": "test",
        "modality": "audio",
        "is_manipulated": False,
        "generator": "",
        "files": 2,
    }
    assert "left out" in done.stderr
    assert len(read_manifest(tmp_path / "out")) == 3
    again = command(LayoutName.IN_THE_WILD, tree.root, "--out", tmp_path / "out", "--strict")
    assert again.returncode == 2
    assert "1 files cannot be used" in again.stderr


def test_the_command_shows_a_table(tmp_path: Path) -> None:
    tree = trees.asvspoof5(tmp_path / "set", tiny_media.touch)
    arguments = ("import", "asvspoof5", tree.root, "--out", tmp_path / "out", "--skip-inspection")
    done = CliRunner().invoke(app, [*map(str, arguments), "--split", "test"])
    assert done.exit_code == 0, done.output
    assert "3 files of 1 sources" in done.stdout
    assert "ASVspoof5-A11" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("auto", "nowhere"), "is not there"),
        (("genimage", "set"), "no train/ai"),
        (("in-the-wild", "set", "--split", "dev"), "split 'dev'"),
        (("in-the-wild", "set", "--shares", "half"), "shares 'half'"),
    ],
)
def test_the_command_refuses_what_it_does_not_know(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.in_the_wild(tmp_path / "set", tiny_media.touch)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["import", *arguments, "--out", "out"])
    assert isinstance(done.exception, ConfigurationError)
    assert said in str(done.exception)


def test_a_stopped_import_goes_on_where_it_was(tmp_path: Path, sandbox: Sandbox) -> None:
    tree = trees.in_the_wild(tmp_path / "set")
    whole = run(tree, tmp_path / "whole", sandbox).manifest.read_bytes()

    class StoppedAfterTwo:
        def __init__(self) -> None:
            self.reads = 0

        def read(self, path: Path, request: ReadRequest) -> DecodedMedia:
            self.reads += 1
            if self.reads >= 3:
                raise KeyboardInterrupt
            return sandbox.read(path, request)

    with pytest.raises(KeyboardInterrupt):
        run(tree, tmp_path / "out", StoppedAfterTwo())
    assert not (tmp_path / "out" / "manifest.parquet").exists()
    assert len((tmp_path / "out" / JOURNAL).read_text().splitlines()) == 2
    assert run(tree, tmp_path / "out", sandbox).manifest.read_bytes() == whole
    assert len((tmp_path / "out" / JOURNAL).read_text().splitlines()) == 4
