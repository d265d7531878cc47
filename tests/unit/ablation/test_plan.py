"""The shipped recipe: its rows, what they share, and what their sweep adds."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from moderation.errors import ConfigurationError
from moderation.types import Mode
from rl.ablation.items import limited
from rl.ablation.plan import AblationPlan, plan
from rl.ablation.recipe import read_ablation_recipe
from rl.ablation.testing import decoded
from rl.baselines.real import Real
from rl.prediction import Predictions
from rl.stages.schema import RolloutsStage

RECIPE = Path("rl/recipes/ablation.toml")


@pytest.fixture(scope="module")
def shipped() -> AblationPlan:
    return plan(read_ablation_recipe(RECIPE))


def test_all_rows_with_rollouts_share_warm_up_and_budget(shipped: AblationPlan) -> None:
    with_rollouts = [
        row
        for row in shipped.rows
        if row.stages
        and isinstance(row.stages[-1], RolloutsStage)
        and row.name != "real-direct-120"
    ]
    assert len(with_rollouts) == 14
    budgets = {row.stages[-1].model_dump_json(exclude={"objective"}) for row in with_rollouts}
    assert len(budgets) == 1
    assert {row.mode for row in with_rollouts} == {Mode.FULL}
    warm_ups = {"tract-1": ["regression"], "tract-2": ["regression", "self_rationale"]}
    assert Counter(row.part for row in with_rollouts) == {"tract-1": 4, "tract-2": 10}
    for row in with_rollouts:
        assert [stage.kind for stage in row.stages[:-1]] == warm_ups[str(row.part)]


def test_the_longer_row_differs_by_its_steps_alone(shipped: AblationPlan) -> None:
    rows = {row.name: row for row in shipped.rows}
    short, long = (rows[name].stages for name in ("real-direct", "real-direct-120"))
    assert long == (*short[:-1], short[-1].model_copy(update={"steps": 120}))


def test_rows_of_domain_transfer_differ_by_the_text_judge_alone() -> None:
    rows = {
        row.name: row for row in plan(read_ablation_recipe(RECIPE.with_name("transfer.toml"))).rows
    }
    for name in ("raft", "raft-short"):
        text, *rest = rows[f"text-{name}"].stages
        assert text.kind == "text_judge"
        assert tuple(rest) == rows[name].stages


def test_the_sweep_adds_rows_for_the_weights_that_no_row_has(shipped: AblationPlan) -> None:
    points = {row.name: row.refinement_weight for row in shipped.rows}
    assert {name: weight for name, weight in points.items() if weight is not None} == {
        "real-no-refinement": 0.0,
        "real-beta-0.01": 0.01,
        "real-beta-0.1": 0.1,
        "real": 1.0,
        "real-beta-10": 10.0,
    }
    real = next(row for row in shipped.rows if row.name == "real")
    swept = next(row for row in shipped.rows if row.name == "real-beta-10")
    assert swept.stages[:-1] == real.stages[:-1]
    last = swept.stages[-1]
    assert isinstance(last, RolloutsStage)
    assert last.objective == Real(kind="real", refinement_weight=10.0, mass_weight=0.1)


def test_rows_are_chosen_in_the_order_of_the_table(shipped: AblationPlan) -> None:
    assert shipped.chosen(["boosted", "real", "base"]) == ("base", "real", "boosted")
    assert len(shipped.chosen([])) == len(shipped.rows) + 1
    with pytest.raises(ConfigurationError, match="no row is named 'grpo'"):
        shipped.chosen(["grpo"])


def test_limits_keep_whole_pairs_and_order() -> None:
    rows = [
        {"split": split, "modality": "audio", "pair_id": f"p{k // 3}", "path": f"{split}{k}"}
        for split in ("train", "test")
        for k in range(60)
    ]
    kept = limited(rows, "train", 20)
    assert [row["path"] for row in kept] == sorted(
        (row["path"] for row in kept), key=lambda path: int(path.removeprefix("train"))
    )
    pairs = [row["pair_id"] for row in kept]
    assert len(kept) == 18
    assert all(pairs.count(pair) == 3 for pair in pairs)
    assert limited(rows, "train", 20) == kept
    assert len(limited(rows, "test", None)) == len(limited(rows, "test", 60)) == 60


def test_a_decoded_score_is_the_likeliest_digit() -> None:
    p_NK = np.full((2, 10), 0.05, np.float32)
    p_NK[[0, 1], [3, 9]] = 0.55
    said = Predictions(Mode.FAST, p_NK, np.ones(2, np.float32), None)
    assert decoded(said).expected_N.tolist() == [3.0, 9.0]
    assert decoded(said).p_NK.max(1).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('row = "real"', 'row = "tract"', "sweep.row 'tract'"),
        ('name = "raft"', 'name = "base"', "twice"),
        ('name = "raft"', 'name = "RAFT"', "rows.4.name"),
        ("seeds = [0, 1, 2]", "seeds = [0, 0]", "twice"),
        ('after = "tract-1"', 'after = "tract-2"', "'tract-2'"),
        ("steps = 60\nstep_items", "steps = 0\nstep_items", "steps"),
    ],
)
def test_a_wrong_recipe_is_refused(old: str, new: str, found: str, tmp_path: Path) -> None:
    text = RECIPE.read_text(encoding="utf-8")
    assert old in text
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"wrong\.toml") as refusal:
        read_ablation_recipe(wrong)
    assert found in str(refusal.value)
