"""Slices, curves and intervals of an evaluation."""

import math
from pathlib import Path

import numpy as np
import pytest

from rl.evaluation.labels import read_labels
from rl.evaluation.measurement import draws_of, measure
from rl.evaluation.point import auc, bootstrap, estimate_auc, estimate_mean
from rl.evaluation.slices import bands, quality_labels, slice_measures, slices, summaries
from tests.unit.evaluation.cases import scored_items
from tests.unit.evaluation.recorded import (
    write_scores,
)
from tests.unit.evaluation.test_evaluation import evaluated


def test_a_recipe_is_measured_against_the_genuine_of_its_modality(corpus: Path) -> None:
    record = write_scores(read_labels(corpus), corpus, corpus / "one.parquet")
    (judge,) = evaluated(corpus, record).judges
    items = judge.items
    found = {(part.column, part.value): part.item_M for part in slices(items)}
    splice = items.take(found["recipe", "splice"])
    assert set(splice.columns["recipe"]) == {"genuine", "splice"}
    assert set(splice.columns["modality"]) == {"image"}
    assert ("split", "test") not in found
    assert ("recipe", "genuine") not in found
    part = next(p for p in judge.slices if (p.column, p.value) == ("recipe", "splice"))
    assert part.measured is not None
    expected = auc(splice.score_N, splice.is_manipulated_N)
    assert part.measured.value["auc"] == pytest.approx(expected)


def test_small_slices_say_so_and_the_worst_is_named(corpus: Path) -> None:
    record = write_scores(
        read_labels(corpus),
        corpus,
        corpus / "one.parquet",
        # Genuine items and forged ones overlap by warps alone.
        lambda row, rng: 9.0 if row["recipe"] == "warp" else row["y"],
    )
    (judge,) = evaluated(corpus, record).judges
    lines = {line.column: line for line in summaries(judge.slices)}
    assert lines["recipe"].worst is not None
    assert lines["recipe"].worst.value == "warp"
    assert lines["recipe"].mean_auc > lines["recipe"].worst.measured.value["auc"]
    assert lines["source"].slices == 0
    assert lines["source"].left_out == 12
    small = next(part for part in judge.slices if part.column == "source")
    assert "fewer than 10" in small.note
    assert not small.estimates


def test_numbers_are_cut_into_quarters() -> None:
    column = np.array([*range(40), None], dtype=object)
    named = bands(column)
    assert len(set(named[:40])) == 4
    assert named[40] == ""
    assert [list(named).count(name) for name in dict.fromkeys(named[:40])] == [10, 10, 10, 10]
    assert list(bands(np.array(["a", None], dtype=object))) == ["a", ""]


def test_slices_share_the_draws_of_the_whole() -> None:
    items = scored_items(200, 20)
    draws = draws_of(items, draws=20)
    chosen = np.flatnonzero(items.score_N < 6)
    part = measure(items.take(chosen), draws.take(chosen), slice_measures)
    place = draws.place_N[chosen]
    for row in range(20):
        i = np.repeat(chosen, draws.count_DS[row][place].astype(int))
        expected = auc(items.score_N[i], items.is_manipulated_N[i])
        assert part.value_D["auc"][row] == pytest.approx(expected, nan_ok=True)


def test_bootstrap_of_any_figure_equals_that_of_the_weighted_one() -> None:
    items = scored_items(120, 15)
    loop = bootstrap(
        lambda i: auc(items.score_N[i], items.is_manipulated_N[i]), items.source_N, draws=40
    )
    drawn = measure(items, draws_of(items, draws=40)).estimate("auc")
    assert (loop.value, loop.low, loop.high) == pytest.approx((drawn.value, drawn.low, drawn.high))


def test_each_operation_of_a_quality_column_is_a_slice() -> None:
    column = np.array(
        [f"crop 0.9; jpeg {50 + k}" if k % 2 else f"h264; jpeg {50 + k}" for k in range(40)]
        + ["noise 20 dB", None],
        dtype=object,
    )
    found = quality_labels(column)
    assert set(found) == {"crop", "h264", "jpeg", "noise dB"}
    assert len(set(found["jpeg"][:40])) == 4
    assert not found["jpeg"][40]
    assert found["h264"].tolist() == ["yes", ""] * 20 + ["", ""]
    assert set(quality_labels(np.array(["low", "high", None], dtype=object))) == {""}
    assert len(set(quality_labels(np.arange(40.0).astype(object))[""])) == 4


def test_drawn_at_once_as_one_by_one() -> None:
    items = scored_items(60, 12)
    sources, score, truth = items.source_N.tolist(), items.score_N, items.is_manipulated_N
    loop = bootstrap(lambda i: auc(score[i], truth[i]), sources, draws=40)
    once = estimate_auc(score, truth, sources, draws=40)
    assert (once.value, once.draws) == (loop.value, loop.draws)
    assert (once.low, once.high) == pytest.approx((loop.low, loop.high), abs=1e-12)
    loop = bootstrap(lambda i: float(score[i].mean()), sources, draws=40)
    once = estimate_mean(score, sources, draws=40)
    assert (once.low, once.high) == pytest.approx((loop.low, loop.high), abs=1e-12)
    nothing = estimate_mean(score[:0], [])
    assert math.isnan(nothing.value)
    assert math.isnan(estimate_auc(score[truth], truth[truth], ["a"] * int(truth.sum())).value)
