"""A folder of calibrators: one judge's, at most one a mode."""

from pathlib import Path

from moderation.calibration.calibrator import FittedCalibrator
from moderation.errors import ConfigurationError
from moderation.types import Mode

# Beside a judge's description: the calibrators that it brings along.
CALIBRATORS = "calibrators"


def read_calibrators(folder: Path, judge_id: str) -> dict[Mode, FittedCalibrator]:
    """The calibrator of each mode: files `MODE-ID.json` of a folder.

    Raises:
        ConfigurationError: no such folder, no calibrator in it, or several of one mode.
        CalibrationError: one is damaged, or of another judge.
    """
    found: dict[Mode, FittedCalibrator] = {}
    for path in sorted(folder.glob("*-*.json")) if folder.is_dir() else ():
        calibrator = FittedCalibrator.load(path)
        calibrator.require(judge_id, calibrator.mode)
        if calibrator.mode in found:
            raise ConfigurationError(
                f"{folder} has several calibrators for {calibrator.mode} mode",
                expected="one a mode",
                remedy="Leave the one in it that is to be used.",
            )
        found[calibrator.mode] = calibrator
    if not found:
        raise ConfigurationError(
            f"no calibrator in {folder}",
            expected="files MODE-ID.json, written by `moderation calibrate fit`",
            remedy="Correct MODERATION_CALIBRATORS, or unset it: then people see everything.",
        )
    return found
