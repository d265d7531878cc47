"""What `fit --from-decisions` reads: the reviewers' rulings in the database, and the scores."""

import hashlib
import json
from datetime import UTC, datetime

from moderation.calibration.label_files import Label
from moderation.calibration.matching import JudgeScores
from moderation.cli.calibrate.fit_inputs import FitInputs
from moderation.errors import CalibrationError
from moderation.types import Mode

SPLIT = "decisions"
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


def read_decisions(mode: Mode) -> FitInputs:
    """Rulings with the propensity of each review, and the scores of the judge in use.

    Raises:
        CalibrationError: nobody has ruled a file that this judge has scored in this mode.
        ConfigurationError: the database cannot be used.
    """
    from moderation.app import build_engine
    from moderation.casework.feedback import calibration_label, reviewed
    from moderation.database import reading
    from moderation.service import build_context, build_review_rules
    from moderation.settings import Settings

    settings = Settings.load()
    context = build_context(settings, mode)
    rules = build_review_rules(settings)
    with reading(build_engine(settings)) as connection:
        found = list(reviewed(connection, rules, context, since=_BEGINNING, now=datetime.now(UTC)))
    results = tuple(
        one.result for one in found if one.result is not None and one.result.judgment is not None
    )
    if not results:
        raise CalibrationError(
            f"{len(found)} rulings, none on a file with a score of {context.judge_id} in {mode} "
            "mode",
            expected="rulings on files that it has scored, that can no longer be taken back",
            remedy="Wait for reviews, or name the mode with --mode.",
        )
    known = [calibration_label(one) for one in found]
    return FitInputs(
        labels=known,
        splits=(SPLIT,),
        scores=JudgeScores(context, results),
        labels_sha256=_digest([_row(label) for label in known]),
        scores_sha256=_digest(
            [
                [one.sha256, list(one.judgment.digit_probabilities_K)]
                for one in results
                if one.judgment is not None
            ]
        ),
    )


def _row(label: Label) -> list[object]:
    return [label.sha256, label.is_manipulated, label.weight]


def _digest(rows: list[list[object]]) -> str:
    """SHA-256 of what was read, as files have one."""
    lines = sorted(json.dumps(row, ensure_ascii=True) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
