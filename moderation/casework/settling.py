"""Settling an item: its route, its review and the records of both, in one transaction."""

from datetime import datetime

from sqlalchemy import insert, select, update

from moderation.audit.records import AuditRecord
from moderation.audit.store import append
from moderation.casework import recording
from moderation.casework.deployment import Deployment
from moderation.casework.precedents import find_precedent, lock_contents, precedent_of
from moderation.casework.statements import Grounds, issue_statement
from moderation.casework.tasks import new_task, priority_of
from moderation.intake import rows
from moderation.intake.jobs import add_job_once
from moderation.intake.listings import find_item
from moderation.intake.tables import dispositions, items
from moderation.intake.types import DispositionRecord, Item, ItemState, JobKind
from moderation.review.arrivals import enqueue
from moderation.review.tables import decisions
from moderation.review.transaction import Transaction
from moderation.triage.context import TriageContext, Unscored
from moderation.triage.sampling import draws_of
from moderation.triage.shadow import ShadowedOutcome, triage_with_shadow
from moderation.types import CalibratedScore, Disposition, ItemResult, Mode


def settle(
    tx: Transaction,
    deployment: Deployment,
    item_id: str,
    result: ItemResult,
    mode: Mode,
    *,
    backlog_minutes: float,
) -> DispositionRecord | None:
    """Give an item its route under the live policy; None where it has one already.

    All of it takes place in `tx`, or nothing: the disposition, the review task, the statement of
    reasons and the audit records, which come last.

    Raises:
        UnknownItem: there is no such item.
        DatabaseBusy: nothing was done; try again.
    """
    connection, policy = tx.connection, deployment.live
    sha256 = find_item(connection, item_id).sha256
    lock_contents(connection, sha256)
    item = find_item(connection, item_id)
    known = select(dispositions.c.item_id).where(
        dispositions.c.item_id == item_id, dispositions.c.policy_id == policy.id
    )
    if connection.scalar(known) is not None:
        return None

    clause = policy.clause(item.surface, item.reported_clause)
    earlier = find_precedent(connection, sha256, clause.id, item_id=item_id)
    context = context_of(
        item,
        deployment,
        result,
        backlog_minutes=backlog_minutes,
        earlier=earlier,
    )
    calibrated = deployment.calibrated(result, mode)
    evidence = calibrated or deployment.evidence(result, mode)
    shadow = None
    if deployment.shadow is not None:
        shadow = deployment.deployed(mode, deployment.shadow)
    outcome = triage_with_shadow(
        evidence, context, live=deployment.deployed(mode, policy), shadow=shadow
    )
    records = _evidence_records(item, result, calibrated, deployment, mode, tx.now)
    reason = evidence.code if isinstance(evidence, Unscored) else None
    records.append(recording.triaged(item.id, outcome, tx.now, reason=reason))

    task_id = None if earlier is None or outcome.live.served_by is None else earlier.task_id
    if outcome.live.disposition is Disposition.REVIEW and outcome.live.served_by is None:
        score = None if result.judgment is None else result.judgment.expected_score
        factors = priority_of(item, outcome.live, context, deployment, policy, score=score)
        task = new_task(item, outcome.live, factors, modality=result.modality, now=tx.now)
        [queued] = enqueue(tx, [task])
        task_id = queued.task_id
        if mode is Mode.FAST and result.judgment is not None:
            add_job_once(connection, JobKind.EXPLAIN, item.id, Mode.FULL, now=tx.now)
        records.append(recording.enqueued(item.id, task_id, factors, tx.now))

    settled = _insert(tx, item, outcome, task_id, earlier)
    append(connection, records)
    if settled.disposition is Disposition.ENFORCE:
        reason_code = connection.scalar(
            select(decisions.c.reason_code).where(decisions.c.id == settled.decision_id)
        )
        grounds = Grounds.of_machine(settled, policy, result.modality, decided_reason=reason_code)
        issue_statement(tx, item, grounds, namespace=deployment.namespace)
    return settled


def context_of(
    item: Item,
    deployment: Deployment,
    result: ItemResult,
    *,
    backlog_minutes: float,
    earlier: DispositionRecord | None,
) -> TriageContext:
    """What triage is told of an item beside its score."""
    return TriageContext(
        surface=item.surface,
        draws=draws_of(item.sha256, key=deployment.secret),
        modality=result.modality,
        reach=item.views.reach,
        remaining_views=item.views.remaining,
        reviewer_error=deployment.reviewer_error,
        backlog_minutes=backlog_minutes,
        capacity_minutes_per_hour=deployment.review_minutes_an_hour,
        reported_clause=item.reported_clause,
        precedent=None if earlier is None else precedent_of(earlier),
    )


def _evidence_records(
    item: Item,
    result: ItemResult,
    calibrated: CalibratedScore | None,
    deployment: Deployment,
    mode: Mode,
    now: datetime,
) -> list[AuditRecord]:
    found: list[AuditRecord | None] = [recording.provenance_read(item.id, result, now)]
    if result.judgment is not None:
        found.insert(0, recording.scored(item.id, result, deployment.context(mode), now))
    if calibrated is not None:
        found.insert(1, recording.calibrated(item.id, calibrated, now))
    return [one for one in found if one is not None]


def _insert(
    tx: Transaction,
    item: Item,
    outcome: ShadowedOutcome,
    task_id: str | None,
    earlier: DispositionRecord | None,
) -> DispositionRecord:
    live = outcome.live
    serving = earlier if live.served_by is not None else None
    is_by_person = serving is not None and serving.is_by_person
    row = tx.connection.execute(
        insert(dispositions)
        .values(
            item_id=item.id,
            policy_id=live.policy_id,
            sha256=item.sha256,
            disposition=live.disposition,
            # A person may have chosen another action than the clause's.
            action=serving.action if serving is not None and is_by_person else live.action,
            clause_id=live.clause_id,
            probability=live.probability,
            outcome=live.as_json(),
            shadow=outcome.shadow and outcome.shadow.as_json(),
            task_id=task_id,
            served_by=live.served_by,
            is_by_person=is_by_person,
            decision_id=serving.decision_id if serving is not None else None,
            settled_at=tx.now,
            changed_at=tx.now,
        )
        .returning(dispositions)
    ).one()
    tx.connection.execute(
        update(items)
        .where(items.c.id == item.id)
        .values(state=ItemState.SETTLED, settled_at=tx.now)
    )
    return rows.disposition(row)
