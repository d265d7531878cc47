"""The rollouts stage: it runs every objective, validates, stops early and resumes to the bit."""

from collections import Counter
from pathlib import Path

import pytest
import torch
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from moderation.types import Mode
from rl.judge_model import JudgeModel
from rl.stages.context import StageContext
from rl.stages.rollouts import in_order
from rl.stages.validation import validate
from rl.trainer_checkpoint import last_checkpoint
from tests.unit.judge.builders import write_backbone
from tests.unit.rl import media_judge as tiny
from tests.unit.rl.stages.stage_runs import ROLLOUTS, log, recipe, run


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_backbone(tmp_path_factory.mktemp("backbone"))


class Killed(Exception):
    """What the process dies of."""


def dies_at(model: JudgeModel, call: int) -> JudgeModel:
    """The projector runs twice a step: when rollouts are written, and when they are learned."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise Killed

    model.projector.register_forward_pre_hook(count)
    return model


@pytest.mark.parametrize(
    "changes",
    [{"parts": 2}, {"validate_steps": 3, "validate_mode": "fast", "patience": 9}],
    ids=["parts", "validated"],
)
def test_a_stopped_and_resumed_run_equals_an_uninterrupted_one(backbone, tmp_path, changes) -> None:
    plan = recipe(ROLLOUTS | changes)
    whole = run(backbone, plan, tmp_path / "whole")
    stopped = dies_at(tiny.model(backbone, tiny.examples()), 10)
    with pytest.raises(Killed):
        run(backbone, plan, tmp_path / "cut", model=stopped)
    resumed = run(backbone, plan, tmp_path / "cut")
    found, expected = log(tmp_path / "cut", plan), log(tmp_path / "whole", plan)
    # The summary that transformers writes at the end counts what this process did.
    assert found[:-1] == expected[:-1]
    assert any(line.get("grad_norm", 0.0) > 0 for line in expected)
    for name, value in whole.trainable_state().items():
        assert torch.equal(value, resumed.trainable_state()[name]), name


@pytest.mark.parametrize(
    "objective",
    [
        *({"kind": kind} for kind in ("zero_one", "absolute_error", "squared_error", "real")),
        {"kind": "real_claims", "claim_weight": 4.0},
    ],
    ids=lambda objective: objective["kind"],
)
def test_every_objective_moves_the_judge(backbone, tmp_path, objective) -> None:
    plan = recipe(ROLLOUTS | {"steps": 2, "rollouts_G": 8, "objective": objective})
    before = tiny.model(backbone, tiny.examples())
    before.fit_normalisation(tiny.examples())
    after = run(backbone, plan, tmp_path).trainable_state()
    assert any(not torch.equal(v, after[k]) for k, v in before.trainable_state().items())
    assert all(value.isfinite().all() for value in after.values())


def test_the_log_and_tensorboard_have_what_training_is_watched_by(backbone, tmp_path) -> None:
    plan = recipe(ROLLOUTS | {"steps": 2, "validate_steps": 2})
    run(backbone, plan, tmp_path)
    watched = {
        "expected_score",
        "advantage_spread",
        "digit_mass",
        "digit_entropy",
        "wasserstein",
        "rationale_length",
        "usable_groups",
        "claim_overlap",
    }
    lines = log(tmp_path, plan)
    logged = set().union(*lines)
    assert {f"real/{name}" for name in watched} | {"reward", "entropy"} <= logged
    board = EventAccumulator(str(tmp_path / "1-rollouts" / "tensorboard")).Reload()
    drawn = set(board.Tags()["scalars"])
    assert {f"train/real/{name}" for name in watched} | {"train/reward"} <= drawn
    assert {"eval/spearman", "eval/mae"} <= drawn


def test_the_judge_ends_with_the_weights_of_its_best_validation(backbone, tmp_path) -> None:
    rates = {"projector_rate": 0.1, "adapter_rate": 0.1, "warm_up_steps": 0}
    plan = recipe(
        ROLLOUTS
        | rates
        | {"steps": 12, "validate_steps": 1, "patience": 2, "validate_mode": "fast"}
    )
    judge = run(backbone, plan, tmp_path)
    measured = [line["eval_spearman"] for line in log(tmp_path, plan) if "eval_spearman" in line]
    assert len(measured) < 12
    held_out = tiny.examples(16, split="validation")[12:]
    assert validate(judge, held_out, Mode.FAST).spearman == max(measured)
    assert max(measured[-2:]) <= max(measured[:-2])
    assert min(measured) < max(measured)


def test_a_checkpoint_that_was_not_finished_is_passed_over(tmp_path) -> None:
    assert last_checkpoint(tmp_path) is None
    for step, state in ((4, "{}"), (12, "{}"), (16, '{"global_s'), (20, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state is not None:
            (folder / "trainer_state.json").write_text(state)
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-12"


def test_steps_take_pairs_and_every_item_as_often(backbone) -> None:
    data = tiny.examples()
    plan = recipe(ROLLOUTS | {"steps": 9, "step_items": 4}).stages[0]
    context = StageContext(
        folder=Path(),
        seed=0,
        train=data,
        validation=(),
        untrained={},
        console=Console(quiet=True),
    )
    ordered = in_order(plan, tiny.model(backbone, data), context)
    assert len(ordered) == 36
    times = Counter(example.path for example in ordered[: len(data)])
    assert set(times.values()) == {1}
    assert ordered[: len(data)] != ordered[len(data) : 2 * len(data)]
    steps = [ordered[start : start + 4] for start in range(0, len(data), 4)]
    assert all(len({(e.features.modality, e.pair_id) for e in step}) < 4 for step in steps)
