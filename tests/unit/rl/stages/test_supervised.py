"""Stages with given rationales: they learn, keep the best weights, and resume to the bit."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from moderation.errors import ConfigurationError
from moderation.judge.soft_token import SoftTokenJudge
from moderation.types import Mode
from rl.data import LENGTH_POOL, paired_batches
from rl.export import export
from rl.prediction import predict
from rl.stages.validation import chosen, validate
from tests.unit.judge.builders import write_backbone
from tests.unit.rl import media_judge as tiny
from tests.unit.rl.stages.stage_runs import REGRESSION, log, recipe, run


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_backbone(tmp_path_factory.mktemp("backbone"))


class Killed(Exception):
    """What the process dies of."""


def dies_at(model: torch.nn.Module, call: int) -> torch.nn.Module:
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise Killed

    model.register_forward_pre_hook(count)
    return model


VALIDATED = {"validate_steps": 3, "validate_items": 4}


@pytest.mark.parametrize(
    "changes",
    [{}, VALIDATED, {"kind": "cross_entropy"}, {"kind": "self_rationale"}],
    ids=["plain", "validated", "cross_entropy", "self_rationale"],
)
def test_a_stopped_and_resumed_run_equals_an_uninterrupted_one(backbone, tmp_path, changes) -> None:
    plan = recipe(REGRESSION | changes)
    whole = run(backbone, plan, tmp_path / "whole")
    stopped = dies_at(tiny.model(backbone, tiny.examples()), 8)
    with pytest.raises(Killed):
        run(backbone, plan, tmp_path / "cut", model=stopped)
    resumed = run(backbone, plan, tmp_path / "cut")
    assert log(tmp_path / "cut", plan) == log(tmp_path / "whole", plan)
    for name, value in whole.trainable_state().items():
        assert torch.equal(value, resumed.trainable_state()[name]), name


def test_training_learns_and_serving_gives_what_training_saw(backbone, tmp_path) -> None:
    data = tiny.examples()
    plan = recipe(REGRESSION | {"steps": 60, "full_share": 0.25})
    trained = run(backbone, plan, tmp_path / "run")
    export(trained, tmp_path / "judge", encoders={}, provenance={})
    judge = SoftTokenJudge.from_folder(tmp_path / "judge", backbone=backbone)
    served = judge.judge([e.features for e in data], Mode.FAST)
    score_N = np.array([j.expected_score for j in served])
    y_N = np.array([e.y for e in data])
    assert np.abs(score_N - y_N).mean() < 1.5
    assert score_N[y_N == 9].min() > score_N[y_N == 1].max()
    np.testing.assert_allclose(score_N, predict(trained, data, Mode.FAST).expected_N, atol=1e-3)


def test_cross_entropy_learns_the_digits_and_their_mass(backbone, tmp_path) -> None:
    plan = recipe(REGRESSION | {"kind": "cross_entropy", "steps": 40, "full_share": 0.0})
    found = predict(run(backbone, plan, tmp_path), tiny.examples(), Mode.FAST)
    assert found.mass_N.min() > 0.3
    assert (found.p_NK.argmax(1) == [9, 1] * 6).mean() > 0.9


def test_the_judge_ends_with_the_weights_of_its_best_validation(backbone, tmp_path) -> None:
    # A rate so high that later steps spoil what earlier ones learned.
    changes = {"validate_steps": 1, "patience": 3, "steps": 60, "projector_rate": 0.3}
    plan = recipe(REGRESSION | changes)
    judge = run(backbone, plan, tmp_path)
    measured = [line for line in log(tmp_path, plan) if "eval_spearman" in line]
    best = max(line["eval_spearman"] for line in measured)
    assert len(measured) < 60
    assert measured[-4]["eval_spearman"] == best
    assert all(line["eval_spearman"] <= best for line in measured[-3:])
    found = validate(judge, tiny.examples(16, split="validation")[12:], Mode.FAST)
    assert found.spearman == best
    assert found.mae == next(line["eval_mae"] for line in measured if line["eval_spearman"] == best)


def test_a_finished_stage_is_never_run_again(backbone, tmp_path) -> None:
    first = recipe(REGRESSION)
    trained = run(backbone, first, tmp_path)
    both = recipe(REGRESSION, REGRESSION | {"kind": "cross_entropy", "steps": 3})
    again = run(backbone, first, tmp_path, model=dies_at(tiny.model(backbone, tiny.examples()), 1))
    for name, value in trained.trainable_state().items():
        assert torch.equal(value, again.trainable_state()[name]), name
    run(backbone, both, tmp_path, model=dies_at(tiny.model(backbone, tiny.examples()), 4))
    assert len(log(tmp_path, both, 2)) == 3


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"stages": [REGRESSION | {"steps": 13}]}, "stages"), ({"seed": 1}, "seed")],
    ids=["stage", "seed"],
)
def test_a_changed_recipe_is_refused(backbone, tmp_path, changes, named) -> None:
    run(backbone, recipe(REGRESSION), tmp_path)
    with pytest.raises(ConfigurationError, match=f"{named} differ") as error:
        run(backbone, recipe(REGRESSION, **changes), tmp_path)
    assert "--out" in error.value.remedy


def test_tensorboard_has_the_curves_of_the_log(backbone, tmp_path) -> None:
    plan = recipe(REGRESSION | VALIDATED)
    run(backbone, plan, tmp_path)
    board = EventAccumulator(str(tmp_path / "1-regression" / "tensorboard")).Reload()
    names = set(board.Tags()["scalars"])
    assert {"train/squared_error", "train/digit_mass", "train/eval_spearman"} <= names
    points = board.Scalars("train/squared_error")
    assert [point.step for point in points] == list(range(1, 13))
    logged = [line["squared_error"] for line in log(tmp_path, plan) if "squared_error" in line]
    np.testing.assert_allclose([point.value for point in points], logged, rtol=1e-6)


def test_validation_items_are_drawn_by_the_seed() -> None:
    data = tiny.examples(20)
    assert chosen(data, None, seed=0) == data
    assert chosen(data, 30, seed=0) == data
    few = chosen(data, 5, seed=0)
    assert len(few) == 5
    assert few == chosen(data, 5, seed=0)
    assert few != chosen(data, 5, seed=1)


def test_batches_keep_pairs_together_and_use_every_example_once() -> None:
    data = tiny.examples(20)
    batches = paired_batches(data, size=6, generator=np.random.default_rng(0))
    assert sorted(i for batch in batches for i in batch) == list(range(20))
    for batch in batches:
        pairs = {data[i].pair_id for i in batch}
        assert len(batch) == 2 * len(pairs)


def test_batches_by_length_waste_less_padding() -> None:
    data = tiny.examples(12 * LENGTH_POOL)
    lengths = np.random.default_rng(1).integers(20, 200, len(data)).tolist()

    def waste(batches: list[list[int]]) -> float:
        full = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)
        return full / sum(lengths)

    plain = paired_batches(data, size=4, generator=np.random.default_rng(0))
    sorted_ones = paired_batches(data, size=4, generator=np.random.default_rng(0), lengths=lengths)
    assert sorted(i for batch in sorted_ones for i in batch) == list(range(len(data)))
    assert waste(sorted_ones) < 0.95 * waste(plain)
    tops = [max(lengths[i] for i in batch) for batch in sorted_ones]
    assert not all(a <= b for a, b in pairwise(tops))
