"""The artefact: whole, immutable, named by its content, and refused where it does not fit."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from encoders.types import Modality
from moderation.calibration.application import calibrate_results
from moderation.calibration.artefact import CalibrationArtefact, read_artefact
from moderation.calibration.calibrator import FittedCalibrator
from moderation.calibration.candidates import candidate, every_candidate
from moderation.calibration.fitting import Candidate, choose, fit_calibrator
from moderation.calibration.items import texts
from moderation.calibration.platt import Platt
from moderation.calibration.risk_control import allow_bound, enforce_bound
from moderation.errors import CalibrationError, PluginError
from moderation.types import ItemResult, Mode
from tests.unit.calibration.made import JUDGE, ORIGIN, judgment, labelled_items

PLATT = Candidate(Platt, "test 1")


@pytest.fixture(scope="module")
def artefact() -> CalibrationArtefact:
    return fit_calibrator(
        labelled_items(400, 0), [PLATT], ORIGIN, coverage=0.9, served="cqr", seed=0
    )


def fit(items, candidates=(PLATT,), **kept):
    options = {"coverage": 0.9, "served": "cqr", "seed": 0} | kept
    return fit_calibrator(items, list(candidates), ORIGIN, **options)


def test_it_is_read_back_as_it_was_written(artefact, tmp_path: Path) -> None:
    path = artefact.write(tmp_path)
    assert path.name == f"fast-{artefact.calibrator_id}.json"
    assert read_artefact(path) == artefact
    assert read_artefact(path).calibrator_id == artefact.calibrator_id
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_the_same_data_and_seed_give_the_same_id_and_others_another(artefact) -> None:
    assert fit(labelled_items(400, 0)).calibrator_id == artefact.calibrator_id
    assert fit(labelled_items(400, 1)).calibrator_id != artefact.calibrator_id
    assert fit(labelled_items(400, 0), coverage=0.8).calibrator_id != artefact.calibrator_id


def test_without_routes_it_says_the_same_and_decides_nothing(artefact, tmp_path: Path) -> None:
    handed_on = FittedCalibrator.load(artefact.without_routes().write(tmp_path))
    judgments = [judgment(digit) for digit in np.eye(10)]
    modalities = [Modality.AUDIO] * 10
    said = [
        [(one.probability, one.score_lower) for one in calibrator.calibrate(judgments, modalities)]
        for calibrator in (FittedCalibrator.of(artefact), handed_on)
    ]
    assert said[0] == said[1]
    bounds = handed_on.route_bounds(false_allow_max=0.5, false_enforce_max=0.5)
    assert (bounds.allow_below, bounds.enforce_above) == (None, None)
    assert handed_on.risk_sample.is_empty
    assert not FittedCalibrator.of(artefact).risk_sample.is_empty


def test_it_cannot_be_changed_nor_added_to(artefact) -> None:
    with pytest.raises(ValidationError):
        artefact.judge_id = "another"
    with pytest.raises(ValidationError, match="extra"):
        CalibrationArtefact.model_validate({**artefact.model_dump(), "more": 1})


@pytest.mark.parametrize("change", ["altered", "cut", "other", "nan"])
def test_a_file_that_is_not_what_it_says_is_refused(artefact, tmp_path: Path, change) -> None:
    path = artefact.write(tmp_path)
    content = json.loads(path.read_text())
    if change == "altered":
        content["parameters"]["slope"] -= 0.1
        path.write_text(json.dumps(content))
    elif change == "cut":
        path.write_bytes(path.read_bytes()[:500])
    elif change == "other":
        path.write_text('{"recipe": "soup"}')
    else:
        content["parameters"]["slope"] = float("nan")
        path.write_text(json.dumps(content))
    with pytest.raises(CalibrationError):
        read_artefact(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="does not open"):
        read_artefact(tmp_path / "none.json")


def test_parameters_of_another_method_are_refused(artefact) -> None:
    wrong = artefact.model_copy(update={"parameters": {"a": 1.0}})
    with pytest.raises(CalibrationError, match="parameters"):
        FittedCalibrator.of(wrong)
    with pytest.raises(PluginError):
        FittedCalibrator.of(artefact.model_copy(update={"method": "astrology"}))


def test_another_judge_or_mode_is_refused(artefact) -> None:
    calibrator = FittedCalibrator.of(artefact)
    digit = labelled_items(3, 5).digit_NK[0]
    good = judgment(digit)
    assert calibrator.calibrate([good], [Modality.AUDIO])[0].calibrator_id in artefact.calibrator_id
    for wrong in (judgment(digit, Mode.FULL), judgment(digit, judge="another")):
        with pytest.raises(CalibrationError, match="fitted on"):
            calibrator.calibrate([good, wrong], [Modality.AUDIO, Modality.AUDIO])


def test_scores_are_what_the_map_and_the_cells_say(artefact) -> None:
    items = labelled_items(50, 9)
    calibrator = FittedCalibrator.of(artefact)
    modalities = [Modality.AUDIO, Modality.IMAGE, Modality.VIDEO, None] * 12
    found = calibrator.calibrate([judgment(d) for d in items.digit_NK[:48]], modalities)
    expected = Platt.from_parameters(artefact.parameters).probability(items.digit_NK[:48])
    assert [one.probability for one in found] == pytest.approx(expected)
    assert [one.group for one in found[:4]] == ["audio", "image", "all", "all"]
    assert {one.coverage for one in found} == {0.9}
    assert calibrator.calibrate([], []) == []


def test_bounds_come_from_the_half_that_did_not_fit(artefact) -> None:
    calibrator = FittedCalibrator.of(artefact)
    sample = calibrator.risk_sample
    provenance = artefact.provenance.items
    assert sample.manipulated_M.size + sample.genuine_G.size == provenance["bounds risk"]
    assert provenance["fits the map"] + provenance["bounds risk"] == provenance["all"] == 400
    bounds = calibrator.route_bounds(false_allow_max=0.05, false_enforce_max=0.05)
    assert bounds.allow_below == allow_bound(sample, 0.05)
    assert bounds.enforce_above == enforce_bound(sample, 0.05)
    none = calibrator.route_bounds(false_allow_max=0.001, false_enforce_max=None)
    assert (none.allow_below, none.enforce_above) == (None, None)


def test_auto_takes_the_least_cross_fitted_loss() -> None:
    items = labelled_items(300, 3)
    chosen, losses = choose(items, every_candidate(), seed=0)
    assert losses[chosen.method.name] == min(losses.values())
    assert set(losses) >= {"platt", "isotonic", "beta", "temperature", "digits"}
    assert candidate("platt").method is Platt


def test_figures_of_a_judge_that_knows_nothing_do_not_beat_a_coin() -> None:
    rng = np.random.default_rng(0)
    items = labelled_items(400, 4)
    noise = replace(items, is_manipulated_N=rng.random(400) < 0.5)
    found = fit(noise, every_candidate()).provenance
    assert found.after.nll > np.log(2) - 0.02
    assert found.after.nll < found.before.nll


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda items: items.take(items.is_manipulated_N), "all"),
        (lambda items: items.take(np.arange(30)), "at least 20"),
        (lambda items: replace(items, source_N=texts(["one"] * len(items))), "1 source"),
        (
            lambda items: replace(items, source_N=texts([str(t) for t in items.is_manipulated_N])),
            "one source holds the other class",
        ),
    ],
)
def test_data_that_cannot_do_is_refused(change, said: str) -> None:
    with pytest.raises(CalibrationError, match=said):
        fit(change(labelled_items(200, 5)))


def test_without_graded_labels_intervals_are_the_whole_scale() -> None:
    items = replace(labelled_items(200, 6), y_N=np.full(200, np.nan))
    calibrator = FittedCalibrator.of(fit(items, served="absolute"))
    (found,) = calibrator.calibrate([judgment(items.digit_NK[0])], [Modality.AUDIO])
    assert (found.score_lower, found.score_upper, found.group) == (0.0, 9.0, "all")


def test_each_result_goes_to_the_calibrator_of_its_judge_and_mode(artefact) -> None:
    full = artefact.model_copy(update={"mode": Mode.FULL})
    calibrators = [FittedCalibrator.of(one) for one in (artefact, full)]
    digit = labelled_items(3, 7).digit_NK
    results = [
        ItemResult(f"{k}", None, Modality.AUDIO, None, judgment(digit[k], mode), None)
        for k, mode in enumerate((Mode.FULL, Mode.FAST, Mode.FULL))
    ]
    found = [one.calibrated.calibrator_id for one in calibrate_results(calibrators, results)]
    assert found == [full.calibrator_id, artefact.calibrator_id, full.calibrator_id]
    with pytest.raises(CalibrationError, match=JUDGE):
        calibrate_results(calibrators[:1], results)
    with pytest.raises(CalibrationError, match="one for each"):
        calibrate_results([calibrators[0], calibrators[0]], results)


def test_applying_needs_neither_scikit_learn_nor_scipy(artefact, tmp_path: Path) -> None:
    for one in every_candidate():
        fitted = fit(labelled_items(200, 8), [one])
        fitted.write(tmp_path)
    program = """
import sys
for name in ("sklearn", "scipy", "torch", "pyarrow", "matplotlib"):
    sys.modules[name] = None
from pathlib import Path
from encoders.types import Modality
from moderation.calibration.calibrator import FittedCalibrator
from moderation.types import Judgment, Mode
judgment = Judgment((0.1,) * 10, 0.9, 4.5, Mode.FAST, sys.argv[2])
for path in sorted(Path(sys.argv[1]).iterdir()):
    calibrator = FittedCalibrator.load(path)
    (score,) = calibrator.calibrate([judgment], [Modality.AUDIO])
    bounds = calibrator.route_bounds(false_allow_max=0.1, false_enforce_max=0.1)
    print(calibrator.method.name, score.probability, bounds.allow_below is not None)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), JUDGE],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(every_candidate())
