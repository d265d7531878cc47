"""From a manifest and recorded scores to figures: matching, splits, slices, probabilities."""

import math
from pathlib import Path

import numpy as np
import pytest

from encoders.types import Modality, Span
from moderation.calibration.isotonic import Isotonic
from moderation.calibration.platt import Platt
from moderation.errors import ConfigurationError, ManifestError
from moderation.results import RunContext
from moderation.types import Claim, ItemResult, Mode, Rationale, Strength
from rl.evaluation.claims import claim_agreement
from rl.evaluation.evaluation import Evaluation, evaluate_scores
from rl.evaluation.labels import calibration_rows, in_splits, read_labels
from rl.evaluation.labels import test_splits as chosen_splits
from rl.evaluation.point import auc
from rl.evaluation.probability import fit
from rl.evaluation.scores import Scores, match, read_scores
from tests.unit.evaluation.recorded import (
    judgment,
    labelled_rows,
    result,
    write_manifest,
    write_scores,
)


def evaluated(corpus: Path, *records: Path, fits: bool = True) -> Evaluation:
    rows = read_labels(corpus)
    chosen = in_splits(rows, ["test"])
    fitting = calibration_rows(rows, chosen) if fits else ("", [])
    scores = [read_scores(record) for record in records]
    return evaluate_scores(chosen, scores, calibration=fitting, draws=50)


def test_figures_are_those_of_the_split(corpus: Path) -> None:
    rows = read_labels(corpus)
    record = write_scores(rows, corpus, corpus / "one.parquet")
    (judge,) = evaluated(corpus, record).judges
    test = [row for row in rows if row["split"] == "test"]
    by_path = {one.path: one for one in read_scores(record).results}
    score = np.array([by_path[str(row["file"])].judgment.expected_score for row in test])
    truth = np.array([row["is_manipulated"] for row in test])
    assert len(judge.items) == len(test) == 120
    assert judge.measured.value["auc"] == pytest.approx(auc(score, truth))
    assert judge.calibration is not None
    assert judge.calibration.split == "validation"
    assert judge.calibration.items == 80
    assert judge.measured.value["ece"] < 0.25


def test_without_a_calibration_split_there_are_no_probabilities(corpus: Path) -> None:
    record = write_scores(read_labels(corpus), corpus, corpus / "one.parquet")
    (judge,) = evaluated(corpus, record, fits=False).judges
    assert judge.items.probability_N is None
    assert "brier" not in judge.measured.value


def test_recorded_probabilities_are_taken_as_they_are(corpus: Path) -> None:
    rows = read_labels(corpus)
    record = write_scores(rows, corpus, corpus / "one.parquet")
    scores = read_scores(record)
    given = {one.path: 0.25 for one in scores.results}
    recorded = Scores(scores.context, scores.results, given)
    (judge,) = evaluate_scores(in_splits(rows, ["test"]), [recorded], draws=10).judges
    assert judge.calibration is None
    assert judge.measured.value["brier"] == pytest.approx(0.75 * 0.75**2 + 0.25 * 0.25**2)


def test_judges_are_compared_on_the_rows_that_both_scored(corpus: Path) -> None:
    rows = read_labels(corpus)
    one = write_scores(rows, corpus, corpus / "one.parquet")
    two = write_scores(
        rows[10:],
        corpus,
        corpus / "two.parquet",
        lambda row, rng: None if row["path"].endswith("0015.bin") else float(rng.uniform(0, 9)),
        judge_id="two",
    )
    evaluation = evaluated(corpus, one, two)
    first, second = evaluation.judges
    assert (first.missing, len(first.failed), len(first.items)) == (0, 0, 109)
    assert (second.missing, len(second.failed), len(second.items)) == (10, 1, 109)
    gap = evaluation.differences["one", "two"]["auc"]
    assert gap.value == pytest.approx(first.measured.value["auc"] - second.measured.value["auc"])
    assert gap.low > 0
    assert gap.p < 0.1


def test_two_records_of_one_judge_have_names_of_their_own(corpus: Path) -> None:
    record = write_scores(read_labels(corpus), corpus, corpus / "one.parquet")
    evaluation = evaluated(corpus, record, record)
    assert [judge.name for judge in evaluation.judges] == ["one fast #1", "one fast #2"]


def test_rows_are_matched_by_bytes_first_and_never_to_other_bytes(tmp_path: Path) -> None:
    rows = [
        {"path": "a", "file": tmp_path / "a", "sha256": "aa"},
        {"path": "b", "file": tmp_path / "b", "sha256": "bb"},
        {"path": "c", "file": tmp_path / "c", "sha256": None},
    ]
    results = (
        result("/elsewhere/a", 1.0, sha256="aa"),
        result(tmp_path / "b", 2.0, sha256="changed"),
        result(tmp_path / "c", 3.0, sha256="cc"),
    )
    scores = Scores(RunContext(Mode.FAST, "one"), results)
    assert match(rows, scores) == [results[0], None, results[2]]


def test_nothing_in_common_is_refused(corpus: Path) -> None:
    other = write_scores(labelled_rows(5, split="x"), Path("/elsewhere"), corpus / "x.parquet")
    with pytest.raises(ConfigurationError, match="none of 120 rows"):
        evaluated(corpus, other)


def test_a_record_of_two_judges_is_refused(tmp_path: Path) -> None:
    rows = labelled_rows(4)
    one = write_scores(rows, tmp_path, tmp_path / "one.jsonl")
    two = write_scores(rows, tmp_path, tmp_path / "two.jsonl", judge_id="two")
    both = tmp_path / "both.jsonl"
    both.write_text(one.read_text() + two.read_text())
    with pytest.raises(ConfigurationError, match="one fast, two fast"):
        read_scores(both)
    with pytest.raises(ConfigurationError, match="not there"):
        read_scores(tmp_path / "none.parquet")


def test_splits_by_name_and_by_family(tmp_path: Path) -> None:
    names = ("train", "test-unseen-sources", "test-in-domain", "testing")
    rows = [row for name in names for row in labelled_rows(4, split=name)]
    write_manifest(rows, tmp_path)
    read = read_labels(tmp_path)
    assert {row["split"] for row in in_splits(read, ["test"])} == set(names[1:3])
    with pytest.raises(ManifestError, match="train"):
        in_splits(read, ["validation"])


def test_a_calibration_split_that_leaks_sources_fits_on_the_others(tmp_path: Path) -> None:
    rows = labelled_rows(40) + labelled_rows(40, split="calibration")
    for row in rows[40:50]:
        row["source"] = rows[0]["source"]
    write_manifest(rows, tmp_path)
    read = read_labels(tmp_path)
    split, fitting = calibration_rows(read, in_splits(read, ["test"]))
    assert (split, len(fitting)) == ("calibration", 30)


@pytest.mark.parametrize(
    "row",
    [{"path": "a"}, {"path": "a", "is_manipulated": True, "y": 9.5}, {"is_manipulated": True}],
)
def test_bad_labels_say_where(tmp_path: Path, row: dict[str, object]) -> None:
    write_manifest([row], tmp_path)
    with pytest.raises(ManifestError, match="row 0"):
        read_labels(tmp_path)


def test_no_manifest_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "manifest.parquet").write_bytes(b"no parquet")
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ManifestError, match="no readable manifest"):
            read_labels(path)


def test_a_minimal_manifest_makes_each_file_its_own_source(tmp_path: Path) -> None:
    write_manifest([{"path": "a", "is_manipulated": True}], tmp_path)
    (row,) = read_labels(tmp_path)
    assert row["source"] == "a"
    assert math.isnan(row["y"])


def test_platt_finds_the_curve_that_made_the_labels() -> None:
    rng = np.random.default_rng(0)
    score = rng.uniform(0, 9, 20_000)
    truth = rng.random(20_000) < 1 / (1 + np.exp(1.2 * score - 5))
    found = Platt.fit_scores(score, truth)
    assert found.slope == pytest.approx(-1.2, rel=0.05)
    assert found.intercept == pytest.approx(5, rel=0.05)
    upside_down = Platt.fit_scores(9 - score, truth)
    assert upside_down.slope == 0
    assert upside_down.of_scores(score)[0] == pytest.approx(truth.mean(), abs=0.01)


def test_isotonic_falls_and_stays_off_the_ends() -> None:
    rng = np.random.default_rng(0)
    score = rng.uniform(0, 9, 2000)
    truth = score < 4.5
    p = Isotonic.fit_scores(score, truth).of_scores(np.linspace(0, 9, 50))
    assert np.all(np.diff(p) <= 0)
    assert 0 < p.min() < p.max() < 1


def test_the_number_of_items_chooses_the_method() -> None:
    score = np.tile([1.0, 8.0], 600)
    truth = score < 4
    assert fit(score, truth, "s").calibrator.name == "isotonic"
    assert fit(score[:100], truth[:100], "s").calibrator.name == "platt"
    assert fit(score[:18], truth[:18], "s") is None


def claimed(*claims: Claim) -> ItemResult:
    said = judgment(3.0, rationale=Rationale("said", claims, True))
    return ItemResult("a", None, Modality.AUDIO, 5.0, said, None)


def test_claims_count_where_they_overlap_in_the_same_modality() -> None:
    fact = {"modality": "audio", "start": 1.0, "end": 2.0, "cue": "x", "strength": "clear"}
    clean = {"modality": "audio", "start": 0.0, "end": 5.0, "cue": "x", "strength": "clean"}
    rows = [{"claims": [fact]}, {"claims": [clean]}, {"claims": [fact]}]
    hit = Claim(Modality.AUDIO, Span(1.5, 3.0), "x", Strength.WEAK)
    late = Claim(Modality.AUDIO, Span(2.5, 3.0), "x", Strength.WEAK)
    other = Claim(Modality.VIDEO, Span(1.0, 2.0), "x", Strength.WEAK)
    nothing = Claim(Modality.AUDIO, Span(0.0, 5.0), "x", Strength.CLEAN)
    found = claim_agreement(rows, [claimed(hit, other), claimed(nothing), claimed(late)])
    assert found is not None
    assert (found.items, found.claimed, found.true) == (3, 3, 2)
    assert (found.precision, found.recall) == pytest.approx((1 / 3, 1 / 2))
    # First item: 0.5 of 2.5 s said and of 1 s true; the third's claim misses; the second is right.
    assert (found.time_precision, found.time_recall) == pytest.approx((0.2 / 2, 0.5 / 2))
    assert found.time_overlap == pytest.approx((0.5 / 3 + 1 + 0) / 3)
    assert claim_agreement(rows[:1], [result("a", 3.0)]) is None


def test_test_splits_are_found_by_their_names() -> None:
    names = ["train", "calibration", "test-in-domain", "test-unseen-sources", "contest"]
    rows = [{"split": name} for name in names]
    assert chosen_splits(rows) == ("test-in-domain", "test-unseen-sources")
    assert chosen_splits([{"split": ""}] * 3) == ("",)
    assert len(in_splits([{"split": ""}] * 3, ("",))) == 3
    with pytest.raises(ManifestError, match="train"):
        chosen_splits(rows[:2])
