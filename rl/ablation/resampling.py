"""Intervals over sources and seeds: a draw takes sources of the test items, and seeds of the runs.

D draws, S seeds. Rows share items, sources and seeds, so one set of draws serves all of them and
differences are paired: what a hard source or a lucky warm-up does to both rows cancels out.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from moderation.calibration.draws import Floats, bootstrap_draws, divide
from rl.evaluation.measurement import Measured

# Seeds are drawn apart from sources, which take the seed of the bootstrap itself.
_SEED_STREAM = 1


def pooled_over_seeds(
    by_seed: Mapping[int, Measured], seeds: Sequence[int], *, draws: int, seed: int = 0
) -> Measured:
    """The mean over `seeds`, and in each draw over as many seeds drawn with replacement.

    by_seed: figures of the runs, all measured with the same draws of sources. A figure that is not
    defined for a seed (the correlation of a constant score) is left out of the mean.

    Source: two-level bootstrap, Davison and Hinkley (1997), section 3.8.
    """
    count_DS = bootstrap_draws(
        np.arange(len(seeds)), draws=draws, seed=seed + _SEED_STREAM
    ).count_DS
    runs = [by_seed[one] for one in seeds]
    names = [name for name in runs[0].value if all(name in run.value for run in runs)]
    value = {name: _mean([run.value[name] for run in runs]) for name in names}
    value_D = {
        name: _weighted_mean(np.stack([run.value_D[name] for run in runs], axis=1), count_DS)
        for name in names
    }
    return Measured(value, value_D, runs[0].sources)


def _mean(values: Sequence[float]) -> float:
    defined = [value for value in values if np.isfinite(value)]
    return float(np.mean(defined)) if defined else float("nan")


def _weighted_mean(value_DS: Floats, count_DS: Floats) -> Floats:
    is_defined = np.isfinite(value_DS)
    weight_DS = count_DS * is_defined
    total_D = np.sum(weight_DS * np.where(is_defined, value_DS, 0.0), axis=1)
    return divide(total_D, weight_DS.sum(axis=1))
