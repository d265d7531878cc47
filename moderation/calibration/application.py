"""Calibrated scores for many results, each by the calibrator of its judge and mode."""

from collections.abc import Sequence
from dataclasses import replace

from moderation.calibration.calibrator import FittedCalibrator
from moderation.errors import CalibrationError
from moderation.types import ItemResult


def calibrate_results(
    calibrators: Sequence[FittedCalibrator], results: Sequence[ItemResult]
) -> list[ItemResult]:
    """The results in order, those with a judgment calibrated.

    Raises:
        CalibrationError: no calibrator fits a result's judge and mode, or two do.
    """
    by_judge = {(one.judge_id, one.mode): one for one in calibrators}
    if not calibrators or len(by_judge) < len(calibrators):
        raise CalibrationError(
            f"{len(calibrators)} calibrators of {len(by_judge)} judges and modes",
            expected="one for each judge and mode",
            remedy="Leave the others out.",
        )
    places: dict[str, list[int]] = {}
    chosen: dict[str, FittedCalibrator] = {}
    for place, result in enumerate(results):
        if result.judgment is None:
            continue
        key = (result.judgment.judge_id, result.judgment.mode)
        one = by_judge.get(key)
        if one is None:
            calibrators[0].require(*key)
            continue
        chosen[one.calibrator_id] = one
        places.setdefault(one.calibrator_id, []).append(place)
    calibrated = list(results)
    for name, members in places.items():
        judgments = [judgment for k in members if (judgment := results[k].judgment) is not None]
        scores = chosen[name].calibrate(judgments, [results[k].modality for k in members])
        for place, score in zip(members, scores, strict=True):
            calibrated[place] = replace(results[place], calibrated=score)
    return calibrated
