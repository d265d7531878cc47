"""Days of review made by the real functions: what the pages for leads have to show."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Engine

from moderation.casework.appealing import appeal
from moderation.casework.golden import make_golden
from moderation.casework.reviewing import CaseReview
from moderation.casework.running import work_off
from moderation.casework.scoring import ScoringDesk
from moderation.intake.types import Item, Views
from moderation.review.claims import claim
from moderation.review.decisions import decide
from moderation.review.leases import renew
from moderation.review.reviewers import enrol
from moderation.review.types import Action, Desk, Finding, Reviewer, Verdict
from tests.contract.casework.scripted import (
    RULES,
    Clock,
    deployment,
    make_desk,
    policy,
    send,
)

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{ 7 * 7 }}"
FAKE = Finding(Verdict.MANIPULATED, Action.LABEL, "deceptive-event", note=HOSTILE)
FINE = Finding(Verdict.AUTHENTIC, Action.LEAVE, "deceptive-person")


@dataclass(frozen=True)
class Records:
    """clock: stands where the last of it was done. appeal_id, item_id: of the appeal."""

    desk: ScoringDesk
    clock: Clock
    appeal_id: str
    item_id: str


def make_records(
    engine: Engine, folder: Path, *, digits: Sequence[int] = (0, 2, 4, 5, 7, 9), copies: int = 2
) -> Records:
    """`copies` uploads of each digit are reviewed, some by two people; two more wait.

    Cem is wrong on a golden item, one ruling is appealed, one file cannot be read, and Ben works
    past his break.
    """
    clock = Clock()
    desk = make_desk(
        engine,
        folder,
        clock=clock,
        deployment=deployment(live=policy(random_share=1.0)),
    )
    cases = CaseReview(engine, RULES, desk.deployment.namespace)
    with cases.at(clock()) as tx:
        for name in ("ann", "ben"):
            enrol(tx, Reviewer(name))
    sent = [_send(desk, digit, copy) for copy in range(copies) for digit in digits]
    work_off(desk)
    turns = 0
    while _review(desk, cases, "ann") or _review(desk, cases, "ben"):
        _review(desk, cases, "ben")
        turns += 1
        clock.wait(minutes=60 if turns % 10 == 0 else 1)
    clock.wait(minutes=30)
    _golden(desk, cases, sent[0])
    with cases.at(clock()) as tx:
        appealed = appeal(tx, sent[1].id, f"It is a recording of my own. {HOSTILE}")
    _dead_and_waiting(desk)
    clock.wait(hours=5)
    _without_a_break(cases, clock)
    return Records(desk, clock, appealed.id, sent[1].id)


def _send(desk: ScoringDesk, digit: int, copy: int) -> Item:
    views = Views(reach=1000.0, remaining=400.0 + 10 * copy, an_hour=20.0)
    return send(desk, f"{digit} {copy}", uploader="sue", declared_name=HOSTILE, views=views)


def _review(desk: ScoringDesk, cases: CaseReview, name: str) -> bool:
    """Whether there was a task. Of every third item a second opinion is asked for; of some scored
    5, the two come to different ones."""
    with cases.at(desk.clock()) as tx:
        claimed = claim(tx, name)
    if claimed is None:
        return False
    desk.clock.wait(minutes=2)  # type: ignore[attr-defined]
    digit, copy = map(int, desk.blobs.path(claimed.task.sha256).read_text().split())
    is_unclear = digit == 5 and copy % 3 == 1
    finding = FAKE if digit < 5 or (is_unclear and name == "ben") else FINE
    with cases.at(desk.clock()) as tx:
        decide(tx, claimed.lease.token, finding, wants_second=(digit + copy) % 3 == 0)
    return True


def _golden(desk: ScoringDesk, cases: CaseReview, item: Item) -> None:
    """Cem is given a golden item in place of a task that comes in."""
    with cases.at(desk.clock()) as tx:
        make_golden(
            tx,
            desk.deployment,
            item.id,
            Verdict.MANIPULATED,
            clause_id=None,
            is_harmful=False,
            name="lea",
            actor="lead:lea",
        )
    _send(desk, 5, 900)
    work_off(desk)
    drawing = replace(cases, rules=replace(RULES, golden_rate=1.0))
    with drawing.at(desk.clock()) as tx:
        enrol(tx, Reviewer("cem"))
        claimed = claim(tx, "cem")
        assert claimed is not None
        assert claimed.task.sha256 == item.sha256
        decide(tx, claimed.lease.token, FINE)


def _dead_and_waiting(desk: ScoringDesk) -> None:
    send(desk, "corrupt", declared_name=HOSTILE)
    for copy in (901, 902):
        _send(desk, 4, copy)
    work_off(desk)


def _without_a_break(cases: CaseReview, clock: Clock) -> None:
    """Ben holds a task for longer than he should."""
    with cases.at(clock()) as tx:
        claimed = claim(tx, "ben")
        assert claimed is not None
    for _ in range(12):
        clock.wait(minutes=9)
        with cases.at(clock()) as tx:
            renew(tx, claimed.lease.token)


def appeals_task(records: Records, name: str) -> None:
    """Decide the open appeal as somebody who may."""
    cases = CaseReview(records.desk.engine, RULES, records.desk.deployment.namespace)
    with cases.at(records.clock()) as tx:
        enrol(tx, Reviewer(name))
        claimed = claim(tx, name, Desk.APPEALS)
        assert claimed is not None
        decide(tx, claimed.lease.token, FINE)
