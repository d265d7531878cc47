"""When a case is ruled, and what it needs until then; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from moderation.review.types import Decision, Desk, TaskKind


@dataclass(frozen=True, slots=True)
class Standing:
    """A decision that has not been taken back, with the kind of its task and where it lay."""

    decision: Decision
    kind: TaskKind
    desk: Desk


@dataclass(frozen=True, slots=True)
class Rule:
    """This decision holds for the case."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class Ask:
    """The case needs one more opinion, formed without knowledge of the others."""

    kind: TaskKind
    desk: Desk


def resolve(
    standing: Sequence[Standing], *, is_sampled: bool, adjudication: Desk
) -> Rule | Ask | None:
    """What follows from a case's decisions; None: its first review is still to come.

    A decision on the lead's desk rules. A first decision rules unless the case `is_sampled` for
    a second review or its reviewer asked for one. Two that agree rule; two that do not go to
    `adjudication`; a third that agrees with neither goes to the lead.
    """
    by_kind = {each.kind: each.decision for each in standing}
    for each in standing:
        if each.desk is Desk.LEAD:
            return Rule(each.decision)
    first = by_kind.get(TaskKind.FIRST)
    if first is None:
        return None
    second = by_kind.get(TaskKind.SECOND)
    if second is None:
        needs_second = is_sampled or first.wants_second
        return Ask(TaskKind.SECOND, Desk.GENERAL) if needs_second else Rule(first)
    if first.finding.agrees(second.finding):
        return Rule(first)
    third = by_kind.get(TaskKind.THIRD)
    if third is not None and any(third.finding.agrees(d.finding) for d in (first, second)):
        return Rule(third)
    if third is None and adjudication is Desk.GENERAL:
        return Ask(TaskKind.THIRD, Desk.GENERAL)
    return Ask(TaskKind.LEAD, Desk.LEAD)
