"""Labels as CSV and Parquet, and how they meet scores."""

import math
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from moderation.calibration.label_files import Label, in_splits, read_labels
from moderation.calibration.matching import FileKey, join, match, one_judge
from moderation.errors import CalibrationError, ManifestError
from moderation.results import RunContext
from moderation.types import ItemResult, Mode
from rl.corpus.manifest import SCHEMA
from tests.unit.calibration.made import JUDGE, judgment, labelled_items

FAST = RunContext(Mode.FAST, JUDGE)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    return path


def test_a_csv_gives_labels_with_defaults(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "path,is_manipulated,y,recipe,weight\na/b.wav,TRUE,2.5,splice,4\nc.wav,0,,,\n",
    )
    first, second = read_labels(path)
    assert first == Label(tmp_path / "a/b.wav", None, True, 2.5, "a/b.wav", "", "splice", "", 4.0)
    assert second.is_manipulated is False
    assert math.isnan(second.y)
    assert second.weight == 1.0


def test_a_propensity_is_an_inverse_weight(tmp_path: Path) -> None:
    path = written(tmp_path, f"sha256,is_manipulated,propensity\n{'AB' * 32},yes,0.25\n")
    (label,) = read_labels(path)
    assert (label.weight, label.sha256, label.path) == (4.0, "ab" * 32, None)


def test_the_manifest_of_a_corpus_is_such_a_file(tmp_path: Path) -> None:
    row = dict.fromkeys(SCHEMA.names) | {
        "path": "media/1.wav",
        "sha256": "ab" * 32,
        "modality": "audio",
        "is_manipulated": True,
        "y": 3.0,
        "recipe": "world",
        "generator": "world",
        "source": "voice/1",
        "split": "calibration",
    }
    parquet.write_table(pa.Table.from_pylist([row], SCHEMA), tmp_path / "manifest.parquet")
    (label,) = read_labels(tmp_path)
    assert label == Label(
        *(tmp_path / "media/1.wav", "ab" * 32, True, 3.0, "voice/1", "audio", "world"),
        *("calibration", 1.0),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,y\na,1\n", "is_manipulated"),
        ("is_manipulated\ntrue\n", "path or sha256"),
        ("", "is_manipulated"),
        ("path,is_manipulated\na,perhaps\n", "perhaps"),
        ("path,is_manipulated\n,true\n", "row 1: path"),
        ("path,is_manipulated,y\na,true,11\n", "row 1: y"),
        ("path,is_manipulated,y\na,true,much\n", "a number"),
        ("path,is_manipulated,weight\na,true,0\n", "above 0"),
        ("path,is_manipulated,propensity\na,true,2\n", "propensity"),
        ("path,is_manipulated,weight,propensity\na,true,1,1\n", "one of the two"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ManifestError, match=said):
        read_labels(written(tmp_path, text))


def test_no_file_and_no_parquet(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="does not open"):
        read_labels(tmp_path / "none.csv")
    (tmp_path / "bad.parquet").write_bytes(b"no")
    with pytest.raises(ManifestError, match="bad"):
        read_labels(tmp_path / "bad.parquet")


def test_a_split_means_its_parts_too(tmp_path: Path) -> None:
    path = written(
        tmp_path, "path,is_manipulated,split\na,1,test-a\nb,1,testing\nc,1,test\nd,1,train\n"
    )
    labels = read_labels(path)
    assert [label.path.name for label in in_splits(labels, ("test",))] == ["a", "c"]
    with pytest.raises(ManifestError, match="no label is in the split 'validation'"):
        in_splits(labels, ("validation",))


def results(count: int, mode: Mode = Mode.FAST, judge: str = JUDGE) -> list[ItemResult]:
    digit = labelled_items(count, 0).digit_NK
    return [
        ItemResult(f"{k}", f"{k:064x}", None, None, judgment(digit[k], mode, judge), None)
        for k in range(count)
    ]


def test_bytes_match_before_paths_do(tmp_path: Path) -> None:
    scored = results(3)
    keys = [
        FileKey(Path("elsewhere"), f"{1:064x}"),
        FileKey(Path("2"), None),
        FileKey(Path("0"), "f" * 64),  # other bytes under that name
        FileKey(None, "e" * 64),
    ]
    assert match(keys, scored) == [scored[1], scored[2], None, None]


def label(sha256: str) -> Label:
    return Label(None, sha256, True, math.nan, "s", "audio", "", "", 1.0)


def test_what_is_left_over_is_counted() -> None:
    scores = one_judge([(r, FAST) for r in results(4)], mode=Mode.FAST, judge_id=None)
    joined = join([label(f"{0:064x}"), label(f"{1:064x}"), label("e" * 64)], scores)
    assert (len(joined.items), joined.unscored, joined.unlabelled, joined.failed) == (2, 1, 2, 0)
    assert joined.items.modality_N.tolist() == ["audio", "audio"]
    with pytest.raises(CalibrationError, match="none of 1 labels"):
        join([label("e" * 64)], scores)


def test_one_judge_in_one_mode_is_chosen() -> None:
    other = RunContext(Mode.FAST, "other")
    pairs = [(results(1)[0], FAST), (results(1, judge="other")[0], other)]
    with pytest.raises(CalibrationError, match="Choose with --judge"):
        one_judge(pairs, mode=Mode.FAST, judge_id=None)
    assert one_judge(pairs, mode=Mode.FAST, judge_id="other").context == other
    with pytest.raises(CalibrationError, match="no scores of nobody"):
        one_judge(pairs, mode=Mode.FAST, judge_id="nobody")
    with pytest.raises(CalibrationError, match="in full mode"):
        one_judge(pairs, mode=Mode.FULL, judge_id=None)
