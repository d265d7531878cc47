"""Golden items: which items may be mixed in, with a record of who said what is right of them."""

from sqlalchemy import select

from moderation.audit.records import AuditRecord, RecordKind
from moderation.audit.store import append
from moderation.casework.deployment import Deployment
from moderation.casework.recording import word
from moderation.casework.tasks import UNKNOWN_MODALITY
from moderation.intake.errors import SubmissionError
from moderation.intake.listings import dispositions_of, find_item
from moderation.intake.results import modality_of
from moderation.intake.types import Item, ItemState
from moderation.review.golden import GoldenItem, GoldenRecord, add_golden, retire_golden
from moderation.review.tables import tasks
from moderation.review.transaction import Transaction
from moderation.review.types import TaskState, Verdict


def make_golden(
    tx: Transaction,
    deployment: Deployment,
    item_id: str,
    verdict: Verdict,
    *,
    clause_id: str | None,
    is_harmful: bool,
    name: str,
    actor: str,
) -> str:
    """Have an item mixed in among real work from now on; the golden item's id.

    clause_id: under which it is shown; None: the one that the item has. name: of who knows the
    answer; actor: as the audit trail has them.

    Raises:
        UnknownItem: there is no such item.
        SubmissionError: its answer is not known, it still waits, its media are erased, or the
            policy has no such clause.
        NotAllowed: it is mixed in already.
    """
    item = find_item(tx.connection, item_id)
    _require_answered(tx, item, verdict)
    golden = GoldenItem(
        item_id=item.id,
        sha256=item.sha256,
        clause_id=_clause(tx, deployment, item, clause_id),
        policy_version=deployment.live.id,
        modality=modality_of(tx.connection, item.sha256) or UNKNOWN_MODALITY,
        verdict=verdict,
        added_by=name,
        is_harmful=is_harmful,
    )
    golden_id = add_golden(tx, golden)
    body = {"golden": golden_id, "verdict": verdict, "clause": golden.clause_id}
    append(tx.connection, [AuditRecord(RecordKind.GOLDEN_ADDED, tx.now, actor, item.id, body)])
    return golden_id


def unmake_golden(tx: Transaction, golden_id: str, *, actor: str) -> GoldenRecord:
    """Mix it in no more.

    Raises:
        NotFound: there is no such golden item.
    """
    found = retire_golden(tx, golden_id)
    record = AuditRecord(
        RecordKind.GOLDEN_RETIRED, tx.now, actor, word(found.item.item_id), {"golden": golden_id}
    )
    append(tx.connection, [record])
    return found


def _require_answered(tx: Transaction, item: Item, verdict: Verdict) -> None:
    if verdict is Verdict.UNDETERMINED:
        raise _refused("the verdict undetermined", "manipulated or authentic", "Name what is true.")
    if item.state is ItemState.ERASED:
        raise _refused(f"item {item.id}, whose media are erased", "an item with its media")
    is_open = tasks.c.state.in_((TaskState.WAITING, TaskState.LEASED))
    waits = select(tasks.c.id).where(tasks.c.sha256 == item.sha256, is_open)
    if tx.connection.scalar(waits.limit(1)) is not None:
        raise _refused(f"item {item.id}, which waits for a person", "an item that is decided")


def _clause(tx: Transaction, deployment: Deployment, item: Item, clause_id: str | None) -> str:
    known = {clause.id for clause in deployment.live.clauses}
    if clause_id is None:
        routes = dispositions_of(tx.connection, item.id)
        clause_id = routes[0].clause_id if routes else None
    if clause_id not in known:
        found = "no clause" if clause_id is None else f"the clause {clause_id[:80]!r}"
        raise _refused(found, f"one of: {', '.join(sorted(known))}", "Name the clause.")
    return clause_id


def _refused(found: str, expected: str, remedy: str = "Take another item.") -> SubmissionError:
    return SubmissionError(found, expected=expected, remedy=remedy)
