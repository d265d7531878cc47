"""Predictions of a judge in training are those that serving gives of the exported one."""

from pathlib import Path

import numpy as np
import pytest
import torch

from moderation.judge.soft_token import SoftTokenJudge
from moderation.types import Mode
from rl.export import export
from rl.judge_model import JudgeModel
from rl.prediction import Predictions, predict
from tests.unit.judge.builders import write_backbone
from tests.unit.rl import media_judge as tiny


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_backbone(tmp_path_factory.mktemp("backbone"))


def trained(backbone: Path) -> JudgeModel:
    """Random, but with an adapter that does something."""
    model = tiny.model(backbone, tiny.examples())
    for parameter in model.backbone.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.2)
    return model


@pytest.mark.parametrize("mode", list(Mode))
def test_predictions_are_what_the_exported_judge_serves(backbone, tmp_path, mode) -> None:
    model, data = trained(backbone), tiny.examples()
    export(model, tmp_path, encoders={}, provenance={})
    judge = SoftTokenJudge.from_folder(tmp_path, backbone=backbone)
    served = judge.judge([e.features for e in data], mode)
    seen: list[int] = []
    found = predict(model.train(), data, mode, batch_items=5, progress=seen.append)
    assert seen == [5, 5, 2]
    assert model.training
    np.testing.assert_allclose(found.p_NK, [j.digit_probabilities_K for j in served], atol=1e-4)
    np.testing.assert_allclose(found.mass_N, [j.digit_mass for j in served], rtol=1e-3)
    np.testing.assert_allclose(found.expected_N, [j.expected_score for j in served], atol=1e-3)
    if mode is Mode.FULL:
        assert found.rationales == tuple(j.rationale for j in served)
        assert any(r.text for r in found.rationales)
    with torch.no_grad():
        fast = model(data).scores.expected_N.numpy()
    if mode is Mode.FAST:
        np.testing.assert_allclose(found.expected_N, fast, atol=1e-4)


def test_predicting_changes_nothing_that_trains(backbone) -> None:
    model = trained(backbone)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    draw = torch.random.get_rng_state()
    predict(model, tiny.examples(), Mode.FULL)
    assert torch.equal(draw, torch.random.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model(tiny.examples()[:2]).scores.expected_N.requires_grad


def test_no_items_give_no_predictions(backbone) -> None:
    found = predict(trained(backbone), [], Mode.FULL)
    assert found.p_NK.shape == (0, 10)
    assert found.rationales == ()


def test_predictions_that_do_not_fit_are_refused() -> None:
    p_NK, mass_N = np.full((2, 10), 0.1, np.float32), np.ones(2, np.float32)
    with pytest.raises(ValueError, match="do not fit"):
        Predictions(Mode.FAST, p_NK, mass_N[:1], None)
    with pytest.raises(ValueError, match="fast mode has none"):
        Predictions(Mode.FAST, p_NK, mass_N, ())
    with pytest.raises(ValueError, match="0 rationales"):
        Predictions(Mode.FULL, p_NK, mass_N, ())
