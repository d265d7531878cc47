"""Every kind of detector: learns, abstains, and comes back from disk as it was."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata

from encoders.types import MediaFeatures, Modality
from moderation.errors import ConfigurationError, JudgeError
from rl.detectors.artefact import DESCRIPTION_FILE, TENSORS_FILE, read_artefact, write_artefact
from rl.detectors.boosted import BoostedOptions
from rl.detectors.fitting import detector_names, fit_detector
from rl.detectors.pooled_detector import fit_pooled
from rl.detectors.signals import fit_signal
from rl.detectors.types import Detection, Detector, Provenance
from rl.probes.statistics import auc, spearman
from tests.unit.detectors.items import SIGNAL, item, items

NAMES = ["boosted", "logistic", f"signal-{SIGNAL}"]
FEW_TREES = (BoostedOptions(4, rate=0.1, trees=25, features=0.5),)
PROVENANCE = Provenance("0" * 64, "train", 160, "0", "2026-01-01", {"sound": "1"})


@pytest.fixture(scope="module")
def fitted() -> dict[str, Detector]:
    data = items()
    boosted, _ = fit_pooled("boosted", data, grid=FEW_TREES)
    return {"boosted": boosted} | {name: fit_detector(name, data)[0] for name in NAMES[1:]}


def fresh() -> list[MediaFeatures]:
    return [item(k).features for k in range(1000, 1200)]


@pytest.mark.parametrize("name", NAMES)
def test_it_separates_and_ranks_items_that_it_never_saw(
    fitted: dict[str, Detector], name: str
) -> None:
    found = fitted[name].detect(fresh())
    truth = [item(k) for k in range(1000, 1200)]
    assert all(isinstance(answer, Detection) for answer in found)
    score = np.array([answer.score for answer in found])
    p = np.array([answer.p_manipulated for answer in found])
    forged = np.array([entry.is_manipulated for entry in truth])
    assert auc(score, forged) > 0.7
    assert auc(-p, forged) > 0.7
    assert spearman(score, np.array([entry.y for entry in truth])) > 0.3
    assert abs(p.mean() - 0.5) < 0.15


@pytest.mark.parametrize("name", NAMES)
def test_it_comes_back_from_disk_as_it_was(
    fitted: dict[str, Detector], name: str, tmp_path: Path
) -> None:
    written = write_artefact(tmp_path / name, fitted[name], PROVENANCE)
    again = read_artefact(tmp_path / name)
    assert again.detector_id == written.detector_id
    assert again.provenance == PROVENANCE
    assert again.detector.detect(fresh()) == fitted[name].detect(fresh())
    assert write_artefact(tmp_path / "twice", again.detector, PROVENANCE) == replace(
        written, detector=again.detector
    )


def test_metrics_of_the_fit_name_every_option_tried() -> None:
    _, metrics = fit_detector("logistic", items())
    found = metrics["audio"]
    assert found["groups"] == 8
    assert found["cross_validated_auc"] == max(entry["auc"] for entry in found["tried"])
    assert found["cross_validated_auc"] > 0.7


@pytest.mark.parametrize("name", NAMES)
def test_it_abstains_from_what_it_never_saw(fitted: dict[str, Detector], name: str) -> None:
    known = item(0).features
    picture = item(1, modality=Modality.IMAGE, has_sound=False).features
    empty = replace(known, sequences=(), signals=())
    answers = fitted[name].detect([picture, known, empty])
    assert isinstance(answers[0], JudgeError)
    assert isinstance(answers[1], Detection)
    assert isinstance(answers[2], JudgeError)
    assert answers[1] == fitted[name].detect([known])[0]


@pytest.mark.parametrize("name", ["boosted", "logistic"])
def test_films_without_sound_are_scored_too(name: str) -> None:
    films = [item(k, modality=Modality.VIDEO, has_sound=k % 6 > 1) for k in range(120)]
    grid = FEW_TREES if name == "boosted" else ()
    detector, _ = fit_pooled(name, films, grid=grid)
    silent = [item(k, modality=Modality.VIDEO, has_sound=False) for k in range(300, 360)]
    found = detector.detect([entry.features for entry in silent])
    score = np.array([answer.score for answer in found])
    assert auc(score, np.array([entry.is_manipulated for entry in silent])) > 0.8


def test_a_signal_keeps_the_order_that_its_direction_gives(fitted: dict[str, Detector]) -> None:
    features = fresh()
    value = np.array([entry.signals[0].value for entry in features])
    found = fitted[f"signal-{SIGNAL}"].detect(features)
    p = np.array([answer.p_manipulated for answer in found])
    np.testing.assert_array_equal(rankdata(value, "dense"), rankdata(p, "dense"))


def test_an_altered_artefact_is_refused(fitted: dict[str, Detector], tmp_path: Path) -> None:
    write_artefact(tmp_path, fitted["boosted"], PROVENANCE)
    tensors = tmp_path / TENSORS_FILE
    whole = tensors.read_bytes()
    tensors.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ConfigurationError, match="differs from its hash"):
        read_artefact(tmp_path)
    tensors.write_bytes(whole)
    description = json.loads((tmp_path / DESCRIPTION_FILE).read_text())
    (tmp_path / DESCRIPTION_FILE).write_text(json.dumps({**description, "format_version": 99}))
    with pytest.raises(ConfigurationError, match="format 99"):
        read_artefact(tmp_path)
    with pytest.raises(ConfigurationError, match="no readable detector"):
        read_artefact(tmp_path / "nowhere")


def test_unknown_names_and_too_few_items_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="boosted, logistic, d3"):
        fit_detector("oracle", items(20))
    with pytest.raises(ConfigurationError, match="larger corpus"):
        fit_detector("logistic", items(4))
    with pytest.raises(ConfigurationError, match=SIGNAL):
        fit_signal("audio.none", items(40))
    assert detector_names(items(4)) == ["boosted", "logistic", "d3", f"signal-{SIGNAL}"]
