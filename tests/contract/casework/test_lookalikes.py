"""Near-duplicates: found, shown, and served where the policy asks for it; on either database."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, select

from moderation.access.keys import AccessRole
from moderation.audit.check import verify_store
from moderation.audit.retention import RetentionPolicy
from moderation.audit.store import Search, search
from moderation.audit.tables import statements
from moderation.casework.appealing import appeal
from moderation.casework.lookalikes import PictureIndex, lookalikes_of
from moderation.casework.media import erase_due
from moderation.casework.reconsidering import report
from moderation.casework.reviewing import CaseReview
from moderation.casework.running import work_off
from moderation.casework.scoring import ScoringDesk
from moderation.database import reading, writing
from moderation.intake.listings import dispositions_of, find_item
from moderation.intake.tables import pictures
from moderation.intake.types import Item, ItemState
from moderation.policy.schema import Duplicates, Policy, Served
from moderation.review.claims import claim
from moderation.review.decisions import decide, undo
from moderation.review.reviewers import enrol
from moderation.review.types import Action, Desk, Finding, Reviewer, Verdict
from moderation.types import Disposition
from tests.api_application import application, client_of, make_keys
from tests.contract.casework.scripted import RULES, deployment, make_desk, policy, route, send

FAKE = Finding(Verdict.MANIPULATED, Action.LABEL, "deceptive-person")
FINE = Finding(Verdict.AUTHENTIC, Action.LEAVE, "none")
PICTURE = int("c3" * 32, 16)


def pdq(*bits: int, of: int = PICTURE) -> str:
    """The word for a picture that differs from another in these bits."""
    return f"pdq:{of ^ sum(1 << bit for bit in bits):064x}"


def serving(distance_max: int = 16) -> Policy:
    """A policy that shares a person's decisions with near-duplicates."""
    asked = Duplicates(near_distance_max=distance_max, near_serves=(Served.ALLOW, Served.ENFORCE))
    return policy().model_copy(update={"duplicates": asked})


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> ScoringDesk:
    return make_desk(engine, tmp_path / "data", deployment=deployment(live=serving()))


def settled(desk: ScoringDesk, content: str) -> Item:
    item = send(desk, content)
    work_off(desk)
    return item


def rule(
    desk: ScoringDesk,
    review: CaseReview,
    finding: Finding,
    who: str = "ann",
    at: Desk = Desk.GENERAL,
) -> str:
    with review.at(desk.clock()) as tx:
        claimed = claim(tx, who, at)
        assert claimed is not None
        return decide(tx, claimed.lease.token, finding).id


def neighbours(desk: ScoringDesk, item: Item) -> list[tuple[str, int, float]]:
    with reading(desk.engine) as connection:
        return [
            (one.sha256, one.distance, one.frames_share)
            for one in lookalikes_of(connection, item.sha256)
        ]


def test_what_looks_alike_is_known_from_both_sides(desk: ScoringDesk) -> None:
    first = settled(desk, f"5 {pdq()}")
    near = settled(desk, f"5 {pdq(3, 200)}")
    settled(desk, f"5 {pdq(*range(32))}")
    settled(desk, "5 no picture")
    assert neighbours(desk, first) == [(near.sha256, 2, 1.0)]
    assert neighbours(desk, near) == [(first.sha256, 2, 1.0)]


def test_a_video_is_compared_by_its_frames(desk: ScoringDesk, review: CaseReview) -> None:
    other = int("5a" * 32, 16)
    still = settled(desk, f"5 {pdq()}")
    rule(desk, review, FAKE)
    video = settled(desk, f"5 video {pdq(1)} {pdq(of=other)}")
    assert neighbours(desk, video) == [(still.sha256, 1, 0.5)]
    # Its sound may be another one: nobody's decision is shared.
    assert route(desk, video.id).served_by is None


def test_a_decision_is_served_and_marked_as_served(desk: ScoringDesk, review: CaseReview) -> None:
    first = settled(desk, f"5 {pdq()}")
    rule(desk, review, FAKE)
    near = settled(desk, f"4 {pdq(7)}")
    found = route(desk, near.id)
    assert (found.disposition, found.action) == (Disposition.ENFORCE, "label")
    assert (found.served_by, found.near_distance) == (first.id, 1)
    assert (found.is_by_person, found.task_id, found.decision_id) == (False, None, None)
    with reading(desk.engine) as connection:
        told = search(connection, Search(item=near.id))
        payloads = connection.scalars(select(statements.c.payload)).all()
    [triaged] = [one["body"] for one in told if one["kind"] == "triaged"]
    assert (triaged["duplicate_of"], triaged["near_distance"]) == (first.id, 1)
    assert [one["kind"] for one in told][-1] == "statement_issued"
    [own] = [one for one in payloads if "looks the same" in one]
    assert "AUTOMATED_DECISION_FULLY" in own
    assert verify_store(desk.engine).chain.is_whole


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (f"9 {pdq(7)}", "the score says otherwise"),
        (f"5 {pdq(*range(17))}", "too far"),
        ("5 plain", "no hash"),
    ],
)
def test_a_decision_is_not_served(
    desk: ScoringDesk, review: CaseReview, content: str, why: str
) -> None:
    settled(desk, f"5 {pdq()}")
    rule(desk, review, FAKE)
    found = route(desk, settled(desk, content).id)
    assert (found.disposition, found.served_by) == (Disposition.REVIEW, None), why


def test_decisions_that_contradict_each_other_serve_nothing(
    desk: ScoringDesk, review: CaseReview
) -> None:
    settled(desk, f"5 {pdq()}")
    settled(desk, f"5 {pdq(*range(20))}")
    rule(desk, review, FAKE)
    rule(desk, review, FINE)
    found = route(desk, settled(desk, f"5 {pdq(*range(10))}").id)
    assert (found.disposition, found.served_by) == (Disposition.REVIEW, None)


def test_without_being_asked_for_it_is_only_shown(engine: Engine, tmp_path: Path) -> None:
    desk = make_desk(engine, tmp_path / "data")
    cases = CaseReview(desk.engine, RULES, desk.deployment.namespace)
    with cases.at(desk.clock()) as tx:
        enrol(tx, Reviewer("ann"))
    first = settled(desk, f"5 {pdq()}")
    rule(desk, cases, FAKE)
    near = settled(desk, f"5 {pdq()} again")
    assert route(desk, near.id).disposition is Disposition.REVIEW
    assert neighbours(desk, near) == [(first.sha256, 0, 1.0)]


def test_a_decision_that_is_taken_back_serves_no_more(
    desk: ScoringDesk, review: CaseReview
) -> None:
    first = settled(desk, f"5 {pdq()}")
    decision = rule(desk, review, FAKE)
    near = settled(desk, f"5 {pdq(7)}")
    with review.at(desk.clock()) as tx:
        undo(tx, decision, "ann")
    with reading(desk.engine) as connection:
        assert dispositions_of(connection, near.id) == []
        assert find_item(connection, near.id).state is ItemState.WAITING
    work_off(desk)
    assert route(desk, first.id).disposition is Disposition.REVIEW
    found = route(desk, near.id)
    assert (found.disposition, found.served_by) == (Disposition.REVIEW, None)
    assert found.task_id is not None
    assert verify_store(desk.engine).chain.is_whole


def test_an_overturned_decision_is_served_anew(desk: ScoringDesk, review: CaseReview) -> None:
    first = settled(desk, f"5 {pdq()}")
    rule(desk, review, FAKE)
    near = settled(desk, f"5 {pdq(7)}")
    with review.at(desk.clock()) as tx:
        appeal(tx, first.id, "it is real")
    rule(desk, review, FINE, "ben", Desk.APPEALS)
    work_off(desk)
    found = route(desk, near.id)
    assert (found.disposition, found.served_by) == (Disposition.ALLOW, first.id)


def test_a_complaint_is_about_the_picture_itself(desk: ScoringDesk, review: CaseReview) -> None:
    first = settled(desk, f"5 {pdq()}")
    decision = rule(desk, review, FAKE)
    near, copy = (settled(desk, f"5 {pdq(7)}") for _ in range(2))
    with review.at(desk.clock()) as tx:
        appeal(tx, near.id, "another picture")
    with review.at(desk.clock()) as tx:
        undo(tx, decision, "ann")
    assert route(desk, near.id).disposition is Disposition.ENFORCE
    with review.at(desk.clock()) as tx:
        claimed = claim(tx, "ann", Desk.APPEALS)
        assert claimed is not None
        assert claimed.task.item_id == near.id
        decide(tx, claimed.lease.token, FINE)
    found = route(desk, near.id)
    assert (found.disposition, found.is_by_person) == (Disposition.ALLOW, True)
    assert (found.served_by, found.near_distance) == (None, None)
    work_off(desk)
    assert route(desk, first.id).disposition is Disposition.REVIEW
    # The same bytes: the decision on these holds for them.
    assert route(desk, copy.id).disposition is Disposition.ALLOW
    assert verify_store(desk.engine).chain.is_whole


def test_a_ruling_on_the_picture_itself_holds_for_its_copies(
    desk: ScoringDesk, review: CaseReview
) -> None:
    settled(desk, f"5 {pdq()}")
    rule(desk, review, FAKE)
    near, copy = (settled(desk, f"5 {pdq(7)}") for _ in range(2))
    with review.at(desk.clock()) as tx:
        appeal(tx, near.id, "another picture")
    rule(desk, review, FINE, "ann", Desk.APPEALS)
    found = route(desk, copy.id)
    assert (found.disposition, found.served_by) == (Disposition.ALLOW, near.id)
    assert (found.near_distance, found.is_by_person) == (None, True)


def test_a_notice_brings_a_served_picture_before_a_person(
    desk: ScoringDesk, review: CaseReview
) -> None:
    settled(desk, f"5 {pdq()}")
    rule(desk, review, FINE)
    near = settled(desk, f"5 {pdq(7)}")
    assert route(desk, near.id).disposition is Disposition.ALLOW
    with review.at(desk.clock()) as tx:
        report(tx, desk.deployment, near.id, "intimate")
    found = route(desk, near.id)
    assert (found.disposition, found.served_by) == (Disposition.REVIEW, None)
    assert (found.near_distance, found.clause_id) == (None, "intimate")


def test_an_erased_picture_leaves_no_hash(desk: ScoringDesk, review: CaseReview) -> None:
    first = settled(desk, f"9 {pdq()}")
    near = settled(desk, f"5 {pdq(7)}")
    later = desk.clock().replace(year=desk.clock().year + 2)
    assert erase_due(
        desk.engine, desk.blobs, RetentionPolicy(), now=later, actor="system:retention"
    )
    with reading(desk.engine) as connection:
        assert list(connection.scalars(select(pictures.c.sha256))) == [near.sha256]
    assert neighbours(desk, near) == []
    assert len(desk.pictures) == 1  # read before the second was kept; it is told apart by its row
    third = settled(desk, f"5 {pdq(8)}")
    assert neighbours(desk, third) == [(near.sha256, 2, 1.0)]
    assert first.sha256 != third.sha256


def test_an_index_reads_on_from_where_it_was(desk: ScoringDesk) -> None:
    index = PictureIndex()
    for k in range(3):
        settled(desk, f"5 {pdq(k, 100 + k)}")
        with reading(desk.engine) as connection:
            index.catch_up(connection)
        assert len(index) == k + 1
    # The number of a row that is gone is not given to another.
    with writing(desk.engine) as connection:
        newest = connection.scalars(select(pictures.c.number)).all()
        connection.execute(delete(pictures).where(pictures.c.number == max(newest)))
    settled(desk, f"5 {pdq(9)}")
    with reading(desk.engine) as connection:
        index.catch_up(connection)
    assert len(index) == 4


def test_reviewers_are_shown_what_looks_alike(
    desk: ScoringDesk, review: CaseReview, tmp_path: Path
) -> None:
    first = settled(desk, f"5 {pdq()}")
    rule(desk, review, FAKE)
    near = settled(desk, f"5 {pdq(7)}")
    keys = make_keys(desk.engine)
    client = client_of(application(desk.engine, tmp_path / "data"), keys[AccessRole.REVIEWER])
    told = client.get(f"/v1/items/{near.id}/evidence").json()
    assert told["near_duplicates"] == [
        {
            "item_id": first.id,
            "distance": 1,
            "frames_share": 1.0,
            "disposition": "enforce",
            "is_by_person": True,
        }
    ]
    served = client.get(f"/v1/items/{near.id}").json()["route"]
    assert (served["served_by"], served["near_distance"]) == (first.id, 1)
    [back] = client.get(f"/v1/items/{first.id}/evidence").json()["near_duplicates"]
    assert (back["item_id"], back["is_by_person"]) == (near.id, False)
