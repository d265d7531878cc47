"""What a fit reads, from files or from the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from moderation.calibration.label_files import Label
from moderation.calibration.matching import JudgeScores, one_judge
from moderation.cli.calibrate.inputs import digest, fitting_labels, read_scores
from moderation.types import Mode


@dataclass(frozen=True, slots=True)
class FitInputs:
    """Labels of the named splits, scores of one judge in one mode, and the digests of both."""

    labels: Sequence[Label]
    splits: tuple[str, ...]
    scores: JudgeScores
    labels_sha256: str
    scores_sha256: str


def read_files(
    scores: Path, labels: Path, splits: list[str] | None, *, mode: Mode, judge_id: str | None
) -> FitInputs:
    """From a file of scores and one of labels.

    Raises:
        ConfigurationError, ManifestError, CalibrationError: see `moderation.cli.calibrate.inputs`.
    """
    known, named = fitting_labels(labels, splits)
    recorded = one_judge(read_scores(scores), mode=mode, judge_id=judge_id)
    return FitInputs(known, named, recorded, digest(labels), digest(scores))
