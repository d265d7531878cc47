"""How well a classifier tells classes apart on sources that it never saw."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rl.detectors.groups import groups_of, out_of_fold
from rl.probes.statistics import Estimate, Floats, estimate_auc

Labels = npt.NDArray[np.bool_]
STRENGTH = 1e-3


def matrix_of(
    numbers: Sequence[Mapping[str, float]], names: Sequence[Mapping[str, str]] = ()
) -> Floats:
    """(N, D): a column a number, NaN where an item lacks it, and a column a value of each name."""
    columns = sorted({key for item in numbers for key in item})
    values = sorted({entry for item in names for entry in item.items()})
    table = [[item.get(key, np.nan) for key in columns] for item in numbers]
    flags = [[float(item.get(key) == value) for key, value in values] for item in names]
    dense = np.array(table, np.float64).reshape(len(numbers), len(columns))
    named = np.array(flags, np.float64).reshape(len(names), len(values))
    return np.concatenate([dense, named], axis=1) if values else dense


def boosted_auc(
    matrix_ND: Floats,
    labels_N: Labels,
    sources: Sequence[str],
    pairs: Sequence[str],
    *,
    draws: int = 1000,
) -> Estimate:
    """AUC of small boosted trees on held-out groups, for a few columns of facts."""

    def model() -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(
            max_iter=60, max_leaf_nodes=6, min_samples_leaf=8, early_stopping=False, random_state=0
        )

    return _held_out(model, matrix_ND, labels_N, sources, pairs, draws)


def linear_auc(
    matrix_ND: Floats,
    labels_N: Labels,
    sources: Sequence[str],
    pairs: Sequence[str],
    *,
    draws: int = 1000,
) -> Estimate:
    """AUC of a penalised logistic regression on held-out groups, for encoder features."""

    def model() -> object:
        return make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=500))

    return _held_out(model, np.nan_to_num(matrix_ND), labels_N, sources, pairs, draws)


def _held_out(
    model: object,
    matrix_ND: Floats,
    labels_N: Labels,
    sources: Sequence[str],
    pairs: Sequence[str],
    draws: int,
) -> Estimate:
    groups_N = groups_of(sources, pairs)

    def fit_predict(at: npt.NDArray[np.int64], to: npt.NDArray[np.int64]) -> Floats:
        if labels_N[at].all() or not labels_N[at].any():
            return np.full(len(to), 0.5)
        fitted = model().fit(matrix_ND[at], labels_N[at])  # type: ignore[operator]
        predicted: Floats = fitted.predict_proba(matrix_ND[to])[:, 1]
        return predicted

    p_N = out_of_fold(fit_predict, labels_N, groups_N)
    return estimate_auc(-p_N, labels_N, groups_N.tolist(), draws=draws)
