"""Parts of labelled items that share no source."""

import warnings

import numpy as np

from moderation.calibration.draws import Counts
from moderation.calibration.items import LabelledItems
from moderation.errors import CalibrationError


def source_folds(items: LabelledItems, folds: int, seed: int) -> Counts:
    """The fold of each item, (N,): whole sources, classes and modalities spread evenly.

    Raises:
        CalibrationError: fewer sources than folds, or all but one fold holds a class no more.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    if items.sources < folds:
        raise CalibrationError(
            f"{items.sources} source" + ("" if items.sources == 1 else "s"),
            expected=f"at least {folds}, to fit on some and to test on others",
            remedy="Add items of other sources, or correct the labels' column 'source'.",
        )
    stratum_N = np.array(
        [f"{m} {t}" for m, t in zip(items.modality_N, items.is_manipulated_N, strict=True)]
    )
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    fold_N = np.empty(len(items), dtype=np.int64)
    with warnings.catch_warnings():
        # A modality with fewer items than folds is spread as well as it can be.
        warnings.filterwarnings("ignore", message="The least populated class")
        parts = splitter.split(items.digit_NK, stratum_N, items.source_N.astype(str))
        for fold, (_, held_out) in enumerate(parts):
            fold_N[held_out] = fold
    for fold in range(folds):
        _require_both_classes(items.take(fold_N != fold))
    return fold_N


def _require_both_classes(items: LabelledItems) -> None:
    if not (items.manipulated and items.genuine):
        there = "manipulated" if items.manipulated else "genuine"
        raise CalibrationError(
            f"all {len(items)} items of a part are {there}: one source holds the other class",
            expected="both classes in several sources",
            remedy="Add sources of the other class, or correct the labels' column 'source'.",
        )
