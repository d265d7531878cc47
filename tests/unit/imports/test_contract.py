"""What holds for every layout: rows that training and evaluation can use, always the same."""

import hashlib
import math
from collections import defaultdict
from pathlib import Path

import pytest

from encoders.base import ReadRequest
from encoders.sandbox import Sandbox
from encoders.types import DecodedMedia, Modality, Span
from moderation.errors import ConfigurationError
from moderation.types import Claim, Strength
from rl.corpus.manifest import read_manifest
from rl.corpus.severity import score
from rl.imports.inspection import JOURNAL
from rl.imports.layouts import LAYOUTS, choose
from rl.imports.names import LayoutName
from rl.imports.record import ReadOptions
from rl.imports.splits import SPLITS
from tests.unit.imports.conftest import Case, run
from tests.unit.imports.tiny_media import touch
from tests.unit.imports.trees import BUILDERS


def test_every_layout_has_a_tree() -> None:
    assert set(BUILDERS) == set(LAYOUTS) == set(LayoutName) - {LayoutName.AUTO}


def test_every_file_is_a_row_and_nothing_is_left_out(case: Case) -> None:
    assert case.imported.left_out == ()
    assert case.imported.warnings == ()
    assert len(read_manifest(case.out)) == case.tree.files


def test_rows_say_what_the_files_are(case: Case) -> None:
    for row in read_manifest(case.out):
        content = (case.out / row["path"]).read_bytes()
        assert row["sha256"] == hashlib.sha256(content).hexdigest()
        suffix = Path(row["path"]).suffix.lower()
        kinds = {".mp4": "video", ".wav": "audio", ".flac": "audio"}
        assert row["modality"] == kinds.get(suffix, "image")
        expected = {"image": 0.0, "audio": 0.4, "video": 2.0}[row["modality"]]
        assert row["duration_seconds"] == pytest.approx(expected, abs=0.05)


def test_labels_agree_with_each_other(case: Case) -> None:
    rows = read_manifest(case.out)
    assert {row["is_manipulated"] for row in rows} == {True, False}
    for row in rows:
        assert row["y"] == pytest.approx(score(row["m"]), abs=1e-3)
        assert row["is_manipulated"] == (row["m"] > 0.0) == (row["y"] < 9.0)
        assert (row["recipe"] == "genuine") == (row["generator"] == "") != row["is_manipulated"]
        assert row["source"]
        assert row["pair_id"]
        assert row["split"] in SPLITS


def test_claims_are_claims_of_the_file_s_own_streams(case: Case) -> None:
    for row in read_manifest(case.out):
        claims = [
            Claim(
                Modality(c["modality"]),
                Span(c["start"], c["end"]),
                c["cue"],
                Strength(c["strength"]),
            )
            for c in row["claims"]
        ]
        assert claims
        dirty = [claim for claim in claims if claim.strength is not Strength.CLEAN]
        assert bool(dirty) == row["is_manipulated"]
        assert all(claim.span.end_seconds <= row["duration_seconds"] + 1e-3 for claim in claims)
        streams = {claim.modality for claim in claims}
        allowed = {"video": {Modality.VIDEO, Modality.AUDIO}}
        assert streams == allowed.get(row["modality"], {Modality(row["modality"])})


def test_no_source_is_in_two_splits(case: Case) -> None:
    splits: dict[str, set[str]] = defaultdict(set)
    for row in read_manifest(case.out):
        splits[row["source"]].add(row["split"])
    assert all(len(found) == 1 for found in splits.values())


def test_pairs_stay_within_a_source(case: Case) -> None:
    sources: dict[str, set[str]] = defaultdict(set)
    for row in read_manifest(case.out):
        sources[row["pair_id"]].add(row["source"])
    assert all(len(found) == 1 for found in sources.values())


def test_again_is_the_same_bytes_without_opening_a_file(case: Case, tmp_path: Path) -> None:
    before = case.imported.manifest.read_bytes()
    journal = (case.out / JOURNAL).read_bytes()
    (tmp_path / JOURNAL).write_bytes(journal + b'{"file": "cut o')

    class Closed:
        def read(self, path: Path, request: ReadRequest) -> DecodedMedia:
            raise AssertionError(f"{path} is read again")

    again = run(case.tree, tmp_path, Closed())
    assert again.manifest.read_bytes() == before


def test_several_at_a_time_give_the_same_bytes(
    case: Case, tmp_path: Path, sandbox: Sandbox
) -> None:
    again = run(case.tree, tmp_path, sandbox, workers=3)
    assert again.manifest.read_bytes() == case.imported.manifest.read_bytes()


def test_without_inspection_only_hash_duration_and_the_other_streams_are_missing(
    case: Case, tmp_path: Path
) -> None:
    if case.tree.name is LayoutName.CSV:
        pytest.skip("spans without a duration are refused; tested on its own")
    run(case.tree, tmp_path, None)
    for blind, seen in zip(read_manifest(tmp_path), read_manifest(case.out), strict=True):
        assert blind["sha256"] is None
        for same in ("path", "y", "m", "is_manipulated", "source", "split", "pair_id", "modality"):
            assert blind[same] == seen[same]
        is_known = blind["modality"] == "image" or case.tree.name is LayoutName.AV_DEEPFAKE1M
        assert math.isnan(blind["duration_seconds"]) != is_known


def test_auto_finds_the_layout(case: Case) -> None:
    root = case.tree.root
    if case.tree.name is LayoutName.DEEPFAKEBENCH:
        root = root / "FF-DF.json"
    assert choose(LayoutName.AUTO, root, ReadOptions()).name is case.tree.name


def test_auto_does_not_guess(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ConfigurationError, match=r"not there|none of the layouts"):
            choose(LayoutName.AUTO, root, ReadOptions())
    BUILDERS[LayoutName.GENIMAGE](tmp_path, touch)
    BUILDERS[LayoutName.FACEFORENSICS](tmp_path, touch)
    with pytest.raises(ConfigurationError, match="faceforensics, genimage"):
        choose(LayoutName.AUTO, tmp_path, ReadOptions())


def test_options_of_other_layouts_are_refused(tmp_path: Path) -> None:
    tree = BUILDERS[LayoutName.IN_THE_WILD](tmp_path, touch)
    with pytest.raises(ConfigurationError, match="--compression with layout in-the-wild"):
        choose(tree.name, tree.root, ReadOptions(compression="c40"))
