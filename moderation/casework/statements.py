"""Statements of reasons for what is enforced, by a person or by the machine."""

from dataclasses import dataclass

from encoders.types import Modality
from moderation.audit.statement_building import Ruling, StatementClause, build_statement
from moderation.audit.statement_store import issue
from moderation.casework.recording import REVIEW, TRIAGE
from moderation.casework.tasks import UNKNOWN_MODALITY
from moderation.errors import StatementError
from moderation.intake.types import DispositionRecord, Item
from moderation.policy.schema import Clause, Policy, Reason
from moderation.review.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a statement says of one enforced item.

    decision_id: names the decision. action: of the policy. facts: without personal data.
    """

    decision_id: str
    action: str
    clause: Clause
    reason: Reason
    facts: str
    modality: Modality
    is_synthetic: bool
    by_machine: bool
    by_person: bool

    @classmethod
    def of_machine(
        cls,
        settled: DispositionRecord,
        policy: Policy,
        modality: Modality | None,
        *,
        decided_reason: str | None,
    ) -> "Grounds":
        """Of an item that the machine enforced, alone or because its bytes were decided on.

        decided_reason: code of the decision that it serves, by this policy or an earlier version.
        """
        clause = clause_of(policy, settled.clause_id)
        if settled.served_by is None:
            chance = 0.0 if settled.probability is None else settled.probability
            facts = (
                f"An automated detector found it {chance:.0%} likely that the item is "
                "manipulated. Nobody has looked at it yet."
            )
        elif settled.near_distance is not None:
            facts = (
                "The picture looks the same as one that a person acted on, for the reason given. "
                "A program compared them; nobody has looked at this one yet."
            )
        else:
            facts = "The same file was uploaded before, and was acted on for the reason given."
        return cls(
            decision_id=settled.decision_id or f"machine:{settled.policy_id}",
            action=settled.action or clause.action,
            clause=clause,
            reason=next(
                (one for one in clause.reasons if one.code == decided_reason), clause.reasons[0]
            ),
            facts=facts,
            modality=modality or UNKNOWN_MODALITY,
            is_synthetic=True,
            by_machine=True,
            by_person=settled.is_by_person,
        )


def clause_of(policy: Policy, clause_id: str) -> Clause:
    """The clause of an id.

    Raises:
        StatementError: the policy has none.
    """
    for clause in policy.clauses:
        if clause.id == clause_id:
            return clause
    raise StatementError(
        f"no clause {clause_id!r} in the policy {policy.id}",
        expected=f"one of: {', '.join(one.id for one in policy.clauses)}",
        remedy="Name one of them.",
    )


def reason_of(clause: Clause, code: str) -> Reason:
    """The reason of a code.

    Raises:
        StatementError: the clause has none, so nothing could be said to whoever is concerned.
    """
    for reason in clause.reasons:
        if reason.code == code:
            return reason
    raise StatementError(
        f"the reason {code[:80]!r} under the clause {clause.id}",
        expected=f"one of: {', '.join(one.code for one in clause.reasons)}",
        remedy="Choose one of them: an action needs a reason that the policy has.",
    )


def issue_statement(
    tx: Transaction, item: Item, grounds: Grounds, *, namespace: str, decision: int | None = None
) -> None:
    """Keep the statement of reasons of an item, and its record, at the end of a transaction.

    decision: number of the decision's record.

    Raises:
        StatementError, PersonalDataError: the policy's words are not what the database takes.
    """
    statement = build_statement(
        Ruling(
            decision_id=f"{grounds.decision_id}:{item.id}",
            action=grounds.action,
            facts=grounds.facts,
            modality=grounds.modality,
            is_synthetic=grounds.is_synthetic,
            posted_at=item.created_at,
            applies_from=tx.now,
            detected_automatically=item.reported_clause is None,
            decided_by_machine=grounds.by_machine,
            decided_by_person=grounds.by_person,
        ),
        StatementClause(
            ground=grounds.reason.dsa_ground,
            reference=grounds.clause.title,
            explanation=grounds.reason.text,
            category=grounds.reason.dsa_category,
        ),
        namespace=namespace,
    )
    who = TRIAGE if grounds.by_machine else REVIEW
    issue(tx.connection, statement, item=item.id, actor=who, at=tx.now, decision=decision)
