"""Those scores in a file that a calibrator is for."""

from collections.abc import Sequence

from moderation.calibration.calibrator import FittedCalibrator, digit_rows
from moderation.calibration.draws import Floats
from moderation.calibration.matching import JudgeScores, one_judge
from moderation.errors import CalibrationError
from moderation.results import RunContext
from moderation.types import ItemResult


def scores_of(
    calibrator: FittedCalibrator, pairs: Sequence[tuple[ItemResult, RunContext]]
) -> JudgeScores:
    """The rows of the calibrator's judge and mode.

    Raises:
        CalibrationError: there is none, or they come from several setups.
    """
    return one_judge(pairs, mode=calibrator.mode, judge_id=calibrator.judge_id)


def digits_of(scores: JudgeScores) -> Floats:
    """Digit distributions of all that could be scored, (N, K).

    Raises:
        CalibrationError: none could.
    """
    judgments = [result.judgment for result in scores.results if result.judgment is not None]
    if not judgments:
        raise CalibrationError(
            f"none of {len(scores.results)} files has a score",
            expected="at least one",
            remedy="Name other scores.",
        )
    return digit_rows(judgments)
