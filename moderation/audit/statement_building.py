"""From a ruling and the clause that it rests on to a statement of reasons.

Clause and ruling arrive as plain strings: this module knows no policy and no queue.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from moderation import dsa_values as values
from moderation.audit.statements import StatementOfReasons
from moderation.errors import StatementError

RESTRICTIONS: Mapping[str, str] = {
    "remove": "DECISION_VISIBILITY_CONTENT_REMOVED",
    "disable": "DECISION_VISIBILITY_CONTENT_DISABLED",
    "limit_reach": "DECISION_VISIBILITY_CONTENT_DEMOTED",
    "age_restrict": "DECISION_VISIBILITY_CONTENT_AGE_RESTRICTED",
    "label": "DECISION_VISIBILITY_CONTENT_LABELLED",
}
"""What an action does to the content's visibility."""

_MODALITIES: Mapping[str, str] = {
    "image": "CONTENT_TYPE_IMAGE",
    "video": "CONTENT_TYPE_VIDEO",
    "audio": "CONTENT_TYPE_AUDIO",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementClause:
    """What a clause of the policy says of the law.

    ground: `DECISION_GROUND_*`. reference: the law or the term relied on. explanation: why such
    content breaks it. category, category_addition, keywords: of the database's lists.
    also_illegal: on the ground of terms, whether the content is held to be illegal too.
    """

    ground: str
    reference: str
    explanation: str
    category: str
    category_addition: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    reference_url: str | None = None
    also_illegal: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What was decided about one item, and how it came about.

    action: one of `RESTRICTIONS`. facts: what the decision rests on, without personal data.
    modality: image, video or audio. is_synthetic: whether it was held to be synthetic media.
    posted_at: when the content was. detected_automatically: the machine brought it up.
    decided_by_machine, decided_by_person: both, when a person confirmed what a machine proposed.
    """

    decision_id: str
    action: str
    facts: str
    modality: str
    is_synthetic: bool
    posted_at: datetime
    applies_from: datetime
    detected_automatically: bool
    decided_by_machine: bool
    decided_by_person: bool
    source_type: str = values.VOLUNTARY
    territory: tuple[str, ...] = tuple(sorted(values.EU))
    language: str | None = None


def build_statement(
    ruling: Ruling, clause: StatementClause, *, namespace: str
) -> StatementOfReasons:
    """The statement of `ruling`. namespace: of the deployment, so that no two share a PUID.

    The PUID is a hash: it names the statement to this deployment only, and the same decision
    always gets the same one.

    Raises:
        StatementError: the action restricts nothing, or a value is not one the database takes.
        PersonalDataError: the facts or the explanation seem to hold personal data.
    """
    restriction = RESTRICTIONS.get(ruling.action)
    content_type = _MODALITIES.get(ruling.modality)
    if restriction is None or content_type is None:
        raise StatementError(
            f"the action {ruling.action!r} on {ruling.modality!r}",
            expected=f"one of {', '.join(RESTRICTIONS)} on one of {', '.join(_MODALITIES)}",
            remedy="Only decisions that restrict content have a statement of reasons.",
        )
    is_illegal = clause.ground == values.ILLEGAL
    also_illegal = None if clause.also_illegal is None else _yes_no(clause.also_illegal)
    return StatementOfReasons(
        puid=hashlib.sha256(f"{namespace}\n{ruling.decision_id}".encode()).hexdigest()[:32],
        decision_visibility=(restriction,),
        decision_ground=clause.ground,
        decision_ground_reference_url=clause.reference_url,
        illegal_content_legal_ground=clause.reference if is_illegal else None,
        illegal_content_explanation=clause.explanation if is_illegal else None,
        incompatible_content_ground=None if is_illegal else clause.reference,
        incompatible_content_explanation=None if is_illegal else clause.explanation,
        incompatible_content_illegal=None if is_illegal else also_illegal,
        content_type=(
            (content_type, "CONTENT_TYPE_SYNTHETIC_MEDIA")
            if ruling.is_synthetic
            else (content_type,)
        ),
        category=clause.category,
        category_addition=clause.category_addition,
        category_specification=clause.keywords,
        territorial_scope=ruling.territory,
        content_language=ruling.language,
        content_date=ruling.posted_at.date(),
        application_date=ruling.applies_from.date(),
        decision_facts=ruling.facts,
        source_type=ruling.source_type,
        automated_detection=_yes_no(ruling.detected_automatically),
        automated_decision=automation(
            by_machine=ruling.decided_by_machine, by_person=ruling.decided_by_person
        ),
    )


def automation(*, by_machine: bool, by_person: bool) -> str:
    """How far a decision was automated, as the database has it."""
    if by_machine:
        return f"AUTOMATED_DECISION_{'PARTIALLY' if by_person else 'FULLY'}"
    return "AUTOMATED_DECISION_NOT_AUTOMATED"


def _yes_no(value: bool) -> str:
    return "Yes" if value else "No"
