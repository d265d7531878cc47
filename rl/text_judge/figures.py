"""How well scores of answers follow the raters' means, with intervals over questions.

N items, D bootstrap draws.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from moderation.calibration.draws import Draws, Floats, bootstrap_draws, place_sources
from rl.evaluation.graded import mean_absolute_error, pearson, scale_use, spearman, wasserstein
from rl.evaluation.measurement import Measured
from rl.text_judge.items import TextItem


def measured(
    items: Sequence[TextItem], expected_N: Floats, *, draws: int = 1000, seed: int = 0
) -> Measured:
    """Figures of expected scores (N,); a draw takes questions, with all their answers."""
    y_N = np.array([item.y for item in items])
    names, place_N = place_sources([item.question for item in items])
    sampled = bootstrap_draws(place_N, draws=draws, seed=seed)
    once = _figures(expected_N, y_N, Draws.once(len(items)))
    return Measured(
        {name: float(value_D[0]) for name, value_D in once.items()},
        _figures(expected_N, y_N, sampled),
        len(names),
    )


def _figures(score_N: Floats, y_N: Floats, draws: Draws) -> Mapping[str, Floats]:
    return {
        "pearson": pearson(score_N, y_N, draws),
        "spearman": spearman(score_N, y_N, draws),
        "mean_absolute_error": mean_absolute_error(score_N, y_N, draws),
        "wasserstein": wasserstein(score_N, y_N, draws),
        "scale_use": scale_use(score_N, draws),
    }
