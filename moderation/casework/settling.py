"""Settling an item: its route, its review and the records of both, in one transaction."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from moderation.audit.records import AuditRecord
from moderation.audit.store import append
from moderation.casework import recording
from moderation.casework.deployment import Deployment
from moderation.casework.precedents import (
    Earlier,
    find_near_precedent,
    find_precedent,
    lock_contents,
)
from moderation.casework.statements import Grounds, issue_statement
from moderation.casework.tasks import new_task, priority_of
from moderation.intake import rows
from moderation.intake.jobs import add_job_once
from moderation.intake.listings import find_item
from moderation.intake.results import find_result
from moderation.intake.tables import dispositions, items
from moderation.intake.types import DispositionRecord, Item, ItemState, JobKind
from moderation.review.arrivals import enqueue
from moderation.review.tables import decisions
from moderation.review.transaction import Transaction
from moderation.triage.context import TriageContext, Unscored
from moderation.triage.disagreement import disagreement
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
    if earlier is None and deployment.near_distance_max is not None:
        earlier = find_near_precedent(
            connection, sha256, clause.id, distance_max=deployment.near_distance_max
        )
    context = context_of(
        item,
        deployment,
        result,
        backlog_minutes=backlog_minutes,
        reviewer_error=deployment.team.mean(tx),
        contradiction=contradiction_of(connection, deployment, result, mode),
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
    serving = None if outcome.live.served_by is None else earlier
    records.append(
        recording.triaged(
            item.id,
            outcome,
            tx.now,
            reason=reason,
            near_distance=None if serving is None else serving.distance,
        )
    )

    task_id = serving.record.task_id if serving and serving.distance is None else None
    if outcome.live.disposition is Disposition.REVIEW and outcome.live.served_by is None:
        score = None if result.judgment is None else result.judgment.expected_score
        factors = priority_of(item, outcome.live, context, deployment, policy, score=score)
        task = new_task(item, outcome.live, factors, modality=result.modality, now=tx.now)
        [queued] = enqueue(tx, [task])
        task_id = queued.task_id
        if mode is Mode.FAST and result.judgment is not None:
            add_job_once(connection, JobKind.EXPLAIN, item.id, Mode.FULL, now=tx.now)
        records.append(recording.enqueued(item.id, task_id, factors, tx.now))

    settled = _insert(tx, item, outcome, task_id, serving)
    append(connection, records)
    if settled.disposition is Disposition.ENFORCE:
        decision_id = serving.record.decision_id if serving else None
        reason_code = connection.scalar(
            select(decisions.c.reason_code).where(decisions.c.id == decision_id)
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
    reviewer_error: float,
    contradiction: float | None,
    earlier: Earlier | None,
) -> TriageContext:
    """What triage is told of an item beside its score. contradiction: see `contradiction_of`."""
    return TriageContext(
        surface=item.surface,
        draws=draws_of(item.sha256, key=deployment.secret),
        modality=result.modality,
        reach=item.views.reach,
        remaining_views=item.views.remaining,
        reviewer_error=reviewer_error,
        backlog_minutes=backlog_minutes,
        capacity_minutes_per_hour=deployment.review_minutes_an_hour,
        disagreement=contradiction,
        reported_clause=item.reported_clause,
        precedent=None if earlier is None else earlier.as_precedent(),
    )


def contradiction_of(
    connection: Connection, deployment: Deployment, result: ItemResult, mode: Mode
) -> float | None:
    """How much the evidence on the file contradicts itself; None where it has no score."""
    if result.judgment is None or result.sha256 is None:
        return None
    [other_mode] = set(Mode) - {mode}
    other = find_result(connection, result.sha256, deployment.context(other_mode))
    return disagreement(
        result.judgment, result.provenance, None if other is None else other.judgment
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
    serving: Earlier | None,
) -> DispositionRecord:
    live = outcome.live
    record = None if serving is None else serving.record
    near_distance = None if serving is None else serving.distance
    # Of a near-duplicate, a person decided on another picture; on this one, nobody has.
    is_same = record is not None and near_distance is None
    row = tx.connection.execute(
        insert(dispositions)
        .values(
            item_id=item.id,
            policy_id=live.policy_id,
            sha256=item.sha256,
            disposition=live.disposition,
            # A person may have chosen another action than the clause's.
            action=record.action if record and record.is_by_person else live.action,
            clause_id=live.clause_id,
            probability=live.probability,
            outcome=live.as_json(),
            shadow=outcome.shadow and outcome.shadow.as_json(),
            task_id=task_id,
            served_by=live.served_by,
            near_distance=near_distance,
            is_by_person=is_same and record is not None and record.is_by_person,
            decision_id=record.decision_id if record and is_same else None,
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
