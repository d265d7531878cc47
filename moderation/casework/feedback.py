"""What people ruled, with the scores that it judges: labels for calibration and training."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from moderation.calibration.label_files import Label
from moderation.intake.results import find_result
from moderation.intake.tables import dispositions
from moderation.results import RunContext
from moderation.review.labels import ReviewLabel, labels
from moderation.review.rules import ReviewRules
from moderation.triage.sampling import Sample
from moderation.types import ItemResult


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One file that people ruled. propensity: P(a person sees such a file), (0, 1].

    result: of the judge in use; None where it has not seen the file.
    """

    label: ReviewLabel
    propensity: float
    result: ItemResult | None


def reviewed(
    connection: Connection,
    rules: ReviewRules,
    context: RunContext,
    *,
    since: datetime,
    now: datetime,
) -> Iterator[Reviewed]:
    """Files ruled from `since` on, each once, by its latest ruling.

    Left out are files that were seen though they were neither asked for nor drawn: deferred ones
    that somebody had time for. Their chance of being seen is not known, so no weight is right.
    """
    newest: dict[str, ReviewLabel] = {}
    for label in labels(connection, rules, since=since, now=now):
        newest[label.sha256] = label
    for label in newest.values():
        outcome = connection.scalar(
            select(dispositions.c.outcome).where(
                dispositions.c.item_id == label.item_id,
                dispositions.c.policy_id == label.policy_version,
            )
        )
        if outcome is None:
            continue
        propensity = float(outcome["review_propensity"])
        is_drawn = outcome["sample"] in set(Sample)
        if propensity == 1.0 or (is_drawn and propensity > 0.0):
            yield Reviewed(label, propensity, find_result(connection, label.sha256, context))


def calibration_label(one: Reviewed) -> Label:
    """As a row of a label file: by the file's bytes, weighted by 1 / propensity."""
    label = one.label
    return Label(
        path=None,
        sha256=label.sha256,
        is_manipulated=label.is_manipulated,
        y=float("nan"),
        source=label.sha256,
        modality=str(label.modality),
        family="",
        split="",
        weight=1.0 / one.propensity,
    )
