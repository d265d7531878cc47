"""Appeals against machine and person, and what is drawn for review beside the order."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete

from encoders.types import Modality
from moderation.audit.store import Search, search
from moderation.casework.appealing import appeal
from moderation.casework.feedback import calibration_label, reviewed
from moderation.casework.reviewing import CaseReview
from moderation.casework.running import work_off
from moderation.casework.scoring import ScoringDesk
from moderation.database import reading, writing
from moderation.intake.results import keep_result
from moderation.intake.types import Views
from moderation.review.claims import claim
from moderation.review.decisions import decide
from moderation.review.errors import NotAllowed
from moderation.review.golden import GoldenItem, add_golden
from moderation.review.listings import waiting
from moderation.review.reviewers import enrol
from moderation.review.tables import passes
from moderation.review.types import Desk, Reviewer, Verdict
from moderation.types import Disposition, ItemResult, Judgment, Mode
from tests.contract.casework.scripted import (
    RULES,
    T0,
    Clock,
    deployment,
    make_desk,
    policy,
    route,
    send,
)
from tests.contract.casework.test_flow import (
    FAKE,
    FINE,
    assert_whole,
    kinds,
    queue,
    rule,
    statements_issued,
)


def test_the_machine_is_overturned_on_appeal(desk: ScoringDesk, review: CaseReview) -> None:
    item, copy, waits = send(desk, "0"), send(desk, "0"), send(desk, "5")
    work_off(desk)
    with review.at(desk.clock(), actor="uploader:u-1") as tx:
        with pytest.raises(NotAllowed, match="not decided"):
            appeal(tx, waits.id, "why?")
        filed = appeal(tx, copy.id, "I filmed it myself")
    with review.at(desk.clock()) as tx:
        claimed = claim(tx, "ann", Desk.APPEALS)
        assert claimed is not None
        decide(tx, claimed.lease.token, FINE)
    for one in (item, copy):
        assert route(desk, one.id).disposition is Disposition.ALLOW
    original = route(desk, copy.id).served_by or copy.id
    assert kinds(desk, original)[-4:] == ["appealed", "decided", "triaged", "appeal_decided"]
    assert filed.ruling_id is None
    assert_whole(desk)


def test_a_ruling_is_upheld_on_appeal_by_another_person(
    desk: ScoringDesk, review: CaseReview
) -> None:
    item = send(desk, "5")
    work_off(desk)
    rule(desk, review, FAKE)
    with review.at(desk.clock()) as tx:
        appeal(tx, item.id, "it is real")
    with review.at(desk.clock()) as tx:
        assert claim(tx, "ann", Desk.APPEALS) is None
        claimed = claim(tx, "ben", Desk.APPEALS)
        assert claimed is not None
        decide(tx, claimed.lease.token, FAKE)
    assert route(desk, item.id).disposition is Disposition.ENFORCE
    assert statements_issued(desk) == 1
    assert_whole(desk)


def test_rulings_on_drawn_items_weigh_by_their_propensity(engine: Engine, tmp_path: Path) -> None:
    desk = make_desk(
        engine, tmp_path / "data", deployment=deployment(live=policy(random_share=0.5))
    )
    allowed = {send(desk, f"9 {k}").id for k in range(12)}
    asked = send(desk, "5")
    work_off(desk)
    review = CaseReview(engine, RULES, desk.deployment.namespace)
    with review.at(desk.clock()) as tx:
        enrol(tx, Reviewer("ann"))
    waits = len(queue(desk))
    for _ in range(waits):
        rule(desk, review, FINE)
    assert isinstance(desk.clock, Clock)
    desk.clock.wait(hours=1)
    with reading(engine) as connection:
        found = list(
            reviewed(
                connection, RULES, desk.deployment.context(Mode.FAST), since=T0, now=desk.clock()
            )
        )
    assert len(found) == waits
    weights = {one.label.item_id: calibration_label(one).weight for one in found}
    assert weights.pop(asked.id) == 1.0
    assert set(weights.values()) == {2.0}
    assert 0 < len(weights) < len(allowed)
    assert weights.keys() < allowed
    assert all(one.result is not None and one.result.judgment is not None for one in found)


def test_contradictory_evidence_is_drawn_for_review(engine: Engine, tmp_path: Path) -> None:
    desk = make_desk(
        engine, tmp_path / "data", deployment=deployment(live=policy(disagreement_share=1.0))
    )
    plain, made, twice = (send(desk, content) for content in ("9 a", "9 made", "9 twice"))
    context = desk.deployment.context(Mode.FULL)
    digits = tuple(float(k == 1) for k in range(10))
    judgment = Judgment(digits, 1.0, 1.0, Mode.FULL, context.judge_id)
    full = ItemResult(twice.sha256, twice.sha256, None, None, judgment, None)
    with writing(engine) as connection:
        keep_result(connection, twice.sha256, full, context, now=desk.clock())
    work_off(desk)
    found = {item.declared_name: route(desk, item.id).outcome for item in (plain, made, twice)}
    assert {name: one["sample"] for name, one in found.items()} == {
        "9 a": None,
        "9 made": "disagreement",
        "9 twice": "disagreement",
    }
    assert [one["disagreement"] for one in found.values()] == [0.0, 1.0, pytest.approx(8 / 9)]
    assert route(desk, plain.id).disposition is Disposition.ALLOW
    assert route(desk, made.id).disposition is Disposition.REVIEW


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_turns_that_the_policy_reserves_go_to_drawn_items(
    engine: Engine, tmp_path: Path, share: float
) -> None:
    live = policy(disagreement_share=1.0, reserved_reviews=share)
    desk = make_desk(engine, tmp_path / "data", deployment=deployment(live=live))
    asked = send(desk, "5", views=Views(1e6, 1e6, 1e4))
    drawn = send(desk, "9 made")
    work_off(desk)
    rules = desk.deployment.review_rules(RULES)
    with CaseReview(engine, rules, desk.deployment.namespace).at(desk.clock()) as tx:
        enrol(tx, Reviewer("ann"))
        given = [claim(tx, "ann") for _ in range(2)]
    ids = [one.task.item_id for one in given if one is not None]
    assert ids == ([drawn.id, asked.id] if share else [asked.id, drawn.id])


def test_the_order_follows_how_often_reviewers_err(desk: ScoringDesk) -> None:
    first = send(desk, "5 a")
    work_off(desk)
    rules = replace(RULES, golden_rate=1.0)
    with CaseReview(desk.engine, rules, desk.deployment.namespace).at(desk.clock()) as tx:
        enrol(tx, Reviewer("ann"))
        for k in range(5):
            golden = GoldenItem(
                f"gold-{k}", f"{k}" * 64, "deception", "1", Modality.IMAGE, Verdict.AUTHENTIC, "lea"
            )
            add_golden(tx, golden)
            claimed = claim(tx, "ann")
            assert claimed is not None
            assert claimed.task.item_id == golden.item_id
            decide(tx, claimed.lease.token, FAKE)
            # Passed over once, the only real task is put before her again.
            tx.connection.execute(delete(passes))
    assert isinstance(desk.clock, Clock)
    desk.clock.wait(hours=2)
    second = send(desk, "5 b")
    work_off(desk)
    with reading(desk.engine) as connection:
        told = {
            one.task.item_id: one.task.factors["facts"]["reviewer_error"]
            for one in waiting(connection, Desk.GENERAL)
        }
    assert told == {first.id: pytest.approx(0.1), second.id: pytest.approx(10 / 55)}


def test_a_decisions_record_says_how_long_it_took(desk: ScoringDesk, review: CaseReview) -> None:
    item = send(desk, "5")
    work_off(desk)
    with review.at(desk.clock()) as tx:
        claimed = claim(tx, "ann")
    assert claimed is not None
    assert isinstance(desk.clock, Clock)
    desk.clock.wait(seconds=90)
    with review.at(desk.clock()) as tx:
        decide(tx, claimed.lease.token, FINE)
    with reading(desk.engine) as connection:
        told = search(connection, Search(item=item.id))
    assert [one["body"]["seconds"] for one in told if one["kind"] == "decided"] == ["90.0"]
    assert "claimed" not in {one["kind"] for one in told}
