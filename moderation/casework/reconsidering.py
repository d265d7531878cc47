"""Items that are looked at again: somebody reports them, or their views grow."""

from dataclasses import replace

from sqlalchemy import func, or_, select, update

from moderation.audit.store import append
from moderation.casework import recording
from moderation.casework.deployment import Deployment
from moderation.casework.precedents import lock_contents
from moderation.casework.settling import context_of, contradiction_of, settle
from moderation.casework.tasks import backlog_minutes, new_task, priority_of
from moderation.intake.errors import SubmissionError
from moderation.intake.listings import dispositions_of, find_item
from moderation.intake.results import find_result
from moderation.intake.submission import add_report, update_views
from moderation.intake.tables import dispositions, items
from moderation.intake.types import DispositionRecord, Item, Report, Views
from moderation.review.arrivals import enqueue, reassess
from moderation.review.leases import lock_case
from moderation.review.transaction import Transaction
from moderation.triage.outcome import TriageOutcome
from moderation.triage.shadow import ShadowedOutcome
from moderation.types import Disposition, ItemResult


def report(
    tx: Transaction,
    deployment: Deployment,
    item_id: str,
    clause_id: str,
    *,
    reporter: str | None = None,
) -> Report:
    """Keep a notice about an item, and have a person look at it under the clause that it names.

    What is enforced already, or was decided by a person, stays as it is: an appeal is the way
    against that. Only the first notice decides the clause.

    Raises:
        UnknownItem: there is no such item.
        SubmissionError: the policy has no such clause.
    """
    if clause_id not in {clause.id for clause in deployment.live.clauses}:
        raise SubmissionError(
            f"the clause {clause_id[:80]!r}",
            expected=f"one of: {', '.join(clause.id for clause in deployment.live.clauses)}",
            remedy="Name the clause that the item is held to break.",
        )
    _lock(tx, item_id)
    notice = add_report(tx.connection, item_id, clause_id, now=tx.now, reporter=reporter)
    item = find_item(tx.connection, item_id)
    earlier = dispositions_of(tx.connection, item_id)
    is_open = earlier and not earlier[0].is_by_person
    if is_open and earlier[0].disposition is not Disposition.ENFORCE:
        _look_again(tx, deployment, item, earlier[0], reason="reported")
    return notice


def forecast(tx: Transaction, deployment: Deployment, item_id: str, views: Views) -> Item:
    """Keep what the platform forecasts by now, and put a waiting review where that puts it.

    A review serves all copies, so their views count together.

    Raises:
        UnknownItem: there is no such item.
    """
    _lock(tx, item_id)
    item = update_views(tx.connection, item_id, views, now=tx.now)
    [*earlier] = dispositions_of(tx.connection, item_id)[:1]
    if not earlier or earlier[0].disposition is not Disposition.REVIEW:
        return item
    served = earlier[0].served_by
    if served is None:
        _look_again(tx, deployment, item, earlier[0], reason=None)
    else:
        original = find_item(tx.connection, served)
        _look_again(
            tx, deployment, original, dispositions_of(tx.connection, served)[0], reason=None
        )
    return item


def _lock(tx: Transaction, item_id: str) -> None:
    """The case first, then the contents: as decisions do, so that nobody waits in a circle."""
    sha256 = find_item(tx.connection, item_id).sha256
    [*found] = dispositions_of(tx.connection, item_id)
    for case_id in sorted({one.task_id for one in found if one.task_id is not None}):
        lock_case(tx, case_id)
    lock_contents(tx.connection, sha256)


def _look_again(
    tx: Transaction,
    deployment: Deployment,
    item: Item,
    earlier: DispositionRecord,
    *,
    reason: str | None,
) -> None:
    """Triage `item` as it is now; reason: a code for the records, None where nobody asked."""
    context = deployment.context(deployment.mode)
    result = find_result(tx.connection, item.sha256, context)
    if result is None:
        error = recording.not_scored()
        result = ItemResult(item.sha256, item.sha256, None, None, None, error)
    backlog = backlog_minutes(tx.connection)
    if earlier.policy_id != deployment.live.id:
        if reason is not None:
            settle(tx, deployment, item.id, result, deployment.mode, backlog_minutes=backlog)
        return
    seen = replace(item, views=_views_of_copies(tx, item))
    where = context_of(
        seen,
        deployment,
        result,
        backlog_minutes=backlog,
        reviewer_error=deployment.team.mean(tx),
        contradiction=contradiction_of(tx.connection, deployment, result, deployment.mode),
        earlier=None,
    )
    live = deployment.deployed(deployment.mode, deployment.live)
    outcome = live.triage(deployment.evidence(result, deployment.mode), where)
    if outcome.disposition is not Disposition.REVIEW:
        return
    score = None if result.judgment is None else result.judgment.expected_score
    factors = priority_of(seen, outcome, where, deployment, deployment.live, score=score)
    task = new_task(seen, outcome, factors, modality=result.modality, now=tx.now)
    is_known = reassess(tx, task)
    if not is_known and reason is None:
        return
    [queued] = enqueue(tx, [task])
    _change(tx, earlier, outcome, queued.task_id)
    if reason is not None:
        append(
            tx.connection,
            [
                recording.triaged(item.id, ShadowedOutcome(outcome, None), tx.now, reason=reason),
                recording.enqueued(item.id, queued.task_id, factors, tx.now),
            ],
        )


def _change(
    tx: Transaction, earlier: DispositionRecord, outcome: TriageOutcome, task_id: str
) -> None:
    tx.connection.execute(
        update(dispositions)
        .where(
            dispositions.c.item_id == earlier.item_id,
            dispositions.c.policy_id == earlier.policy_id,
        )
        .values(
            disposition=outcome.disposition,
            action=None,
            clause_id=outcome.clause_id,
            outcome=outcome.as_json(),
            served_by=None,
            near_distance=None,
            task_id=task_id,
            changed_at=tx.now,
        )
    )


def _views_of_copies(tx: Transaction, item: Item) -> Views:
    served = select(dispositions.c.item_id).where(
        dispositions.c.served_by == item.id, dispositions.c.near_distance.is_(None)
    )
    row = tx.connection.execute(
        select(
            func.sum(items.c.reach),
            func.sum(items.c.remaining_views),
            func.sum(items.c.views_an_hour),
        ).where(or_(items.c.id == item.id, items.c.id.in_(served)))
    ).one()
    return Views(*(float(one or 0.0) for one in row))
