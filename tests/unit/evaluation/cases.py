"""Scored items with ties, small enough for a naive loop, and what resampling them naively gives."""

import numpy as np

from moderation.calibration.draws import Counts, Draws
from rl.evaluation.items import ScoredItems


def scored_items(
    items: int = 300, sources: int = 40, *, seed: int = 0, digits: int = 1
) -> ScoredItems:
    """Random items; scores and labels are rounded to `digits` places, so that many are tied."""
    rng = np.random.default_rng(seed)
    is_manipulated = rng.random(items) < 0.6
    y = np.where(is_manipulated, np.round(9 * rng.random(items), digits), 9.0)
    centre = np.clip(np.rint(y + rng.normal(0, 2, items)), 0, 9).astype(int)
    digit = 0.5 * rng.dirichlet(np.ones(10), items) + 0.5 * np.eye(10)[centre]
    score = np.round(digit @ np.arange(10), digits)
    return ScoredItems(
        score_N=score,
        is_manipulated_N=is_manipulated,
        y_N=y,
        source_N=rng.integers(0, sources, items).astype(str).astype(object),
        digit_NK=digit,
        probability_N=1 / (1 + np.exp(score - 5)),
        prior=0.6,
    )


def resampled(draws: Draws, row: int) -> Counts:
    """Indices of the items of one draw: each item as often as its source was drawn."""
    return np.repeat(np.arange(draws.place_N.size), draws.weight()[row].astype(int))
