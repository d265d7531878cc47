"""Probabilities for tables of raw scores, by the calibrator that would be in use."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from moderation.calibration.calibrator import FittedCalibrator
from moderation.errors import ManifestError
from moderation.results import DIGIT_COLUMNS
from moderation.types import Mode

JUDGED_COLUMNS = ("judge", "mode", *DIGIT_COLUMNS)
_SUM_TOLERANCE = 1e-4


def with_probabilities(
    columns: dict[str, list[Any]], calibrator: FittedCalibrator, name: str
) -> dict[str, list[Any]]:
    """`columns` with `probability` and `calibrator` made from the digits, whatever was there.

    A row without digits has no probability. name: of the file, for messages.

    Raises:
        ManifestError: no digits, judge or mode, or digits that are no distribution.
        CalibrationError: scores of a judge or mode that the calibrator was not fitted on.
    """
    missing = [one for one in JUDGED_COLUMNS if one not in columns]
    if missing:
        raise ManifestError(
            f"{name} has no column {missing[0]!r}",
            expected=f"raw scores with {', '.join(JUDGED_COLUMNS)}",
            remedy="Use the results of `moderation score --out`, or leave --calibrator out.",
        )
    digits = list(zip(*(columns[one] for one in DIGIT_COLUMNS), strict=True))
    scored = [k for k, row in enumerate(digits) if None not in row]
    probability: list[float | None] = [None] * len(digits)
    for judge, mode in {(columns["judge"][k], columns["mode"][k]) for k in scored}:
        try:
            calibrator.require(str(judge), Mode(mode))
        except ValueError as error:
            raise _wrong(name, str(error)) from error
    found = _probabilities([digits[k] for k in scored], calibrator, name)
    for k, value in zip(scored, found, strict=True):
        probability[k] = value
    told = [None if one is None else calibrator.calibrator_id for one in probability]
    return columns | {"probability": list(probability), "calibrator": list(told)}


def _probabilities(
    digits: Sequence[Sequence[Any]], calibrator: FittedCalibrator, name: str
) -> list[float]:
    if not digits:
        return []
    try:
        digit_NK = np.array(digits, np.float64)
    except (TypeError, ValueError) as error:
        raise _wrong(name, str(error)) from error
    total_N1 = digit_NK.sum(axis=1, keepdims=True)
    is_wrong_N = ~(np.abs(total_N1[:, 0] - 1.0) <= _SUM_TOLERANCE) | (digit_NK < 0).any(axis=1)
    if is_wrong_N.any():
        raise _wrong(name, f"digits {digit_NK[is_wrong_N][0].tolist()}")
    return [float(one) for one in calibrator.method.probability(digit_NK / total_N1)]


def _wrong(name: str, found: str) -> ManifestError:
    return ManifestError(
        f"{name}: {found}",
        expected="a mode, and ten shares that sum to 1",
        remedy="Correct that row.",
    )
