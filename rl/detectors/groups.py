"""Cross-validation in which no source, or failing that no pair, is on both sides."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold

from moderation.errors import ConfigurationError
from rl.probes.statistics import Floats

FOLDS = 4


def groups_of(sources: Sequence[str], pairs: Sequence[str]) -> npt.NDArray[np.str_]:
    """Sources where there are at least four of them, else pairs."""
    return np.asarray(sources if len(set(sources)) >= FOLDS else pairs)


def out_of_fold(
    fit_predict: Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64]], Floats],
    labels_N: npt.NDArray[np.bool_],
    groups_N: npt.NDArray[np.str_],
    *,
    folds: int = FOLDS,
) -> Floats:
    """Predictions of rows (N,), each by a model fitted on the groups of the other folds.

    fit_predict: (rows to fit on, rows to predict) -> predictions. The folds hold whole groups
    and, as far as groups allow, the same share of either class; GroupKFold alone would move that
    share from fold to fold, which biases a pooled AUC downwards.

    Raises:
        ConfigurationError: fewer groups than two.
    """
    count = min(folds, len(set(groups_N)))
    if count < 2 or len(set(labels_N.tolist())) < 2:
        raise ConfigurationError(
            f"{len(set(groups_N))} groups and {len(set(labels_N.tolist()))} classes",
            expected="at least two of each, to cross-validate over groups",
            remedy="Use a corpus with more sources.",
        )
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=0)
    prediction_N = np.full(len(labels_N), np.nan)
    for fit_at, predict_at in splitter.split(labels_N, labels_N, groups_N):
        prediction_N[predict_at] = fit_predict(fit_at, predict_at)
    return prediction_N
