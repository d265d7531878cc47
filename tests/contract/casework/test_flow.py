"""From an upload to its end, on either database."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, event, func, select

from moderation.audit.check import verify_store
from moderation.audit.store import Search, search
from moderation.audit.tables import statements
from moderation.casework.reconsidering import forecast, report
from moderation.casework.reviewing import CaseReview
from moderation.casework.running import work_off
from moderation.casework.scoring import ScoringDesk
from moderation.database import reading
from moderation.errors import CalibrationError, ConfigurationError, StatementError
from moderation.intake.errors import SubmissionError
from moderation.intake.listings import dispositions_of, find_item, jobs_of
from moderation.intake.types import ItemState, JobState, Views
from moderation.review.claims import claim
from moderation.review.decisions import decide, undo
from moderation.review.listings import waiting
from moderation.review.types import Action, Desk, Finding, Verdict
from moderation.types import Disposition, Mode
from tests.contract.casework.scripted import (
    Clock,
    ScriptedDispatcher,
    calibrator,
    deployment,
    make_desk,
    policy,
    route,
    send,
)

FAKE = Finding(Verdict.MANIPULATED, Action.REMOVE, "deceptive-person", note="the lips lag")
FINE = Finding(Verdict.AUTHENTIC, Action.LEAVE, "none")


def kinds(desk: ScoringDesk, item_id: str) -> list[str]:
    with reading(desk.engine) as connection:
        return [one["kind"] for one in search(connection, Search(item=item_id))]


def queue(desk: ScoringDesk) -> list[str]:
    with reading(desk.engine) as connection:
        return [one.task.item_id for one in waiting(connection, Desk.GENERAL)]


def statements_issued(desk: ScoringDesk) -> int:
    with reading(desk.engine) as connection:
        return int(connection.scalar(select(func.count()).select_from(statements)) or 0)


def rule(desk: ScoringDesk, review: CaseReview, finding: Finding, who: str = "ann") -> str:
    with review.at(desk.clock()) as tx:
        claimed = claim(tx, who)
        assert claimed is not None
        return decide(tx, claimed.lease.token, finding).id


def assert_whole(desk: ScoringDesk) -> None:
    assert verify_store(desk.engine).chain.is_whole


def test_scores_become_routes(desk: ScoringDesk) -> None:
    sent = {script: send(desk, script) for script in ("0", "5", "9", "corrupt")}
    assert work_off(desk) == 4
    found = {script: route(desk, item.id) for script, item in sent.items()}
    assert {script: one.disposition for script, one in found.items()} == {
        "0": Disposition.ENFORCE,
        "5": Disposition.REVIEW,
        "9": Disposition.ALLOW,
        "corrupt": Disposition.REVIEW,
    }
    assert sorted(queue(desk)) == sorted([sent["5"].id, sent["corrupt"].id])
    assert kinds(desk, sent["0"].id) == ["scored", "calibrated", "triaged", "statement_issued"]
    assert kinds(desk, sent["5"].id) == ["scored", "calibrated", "triaged", "enqueued"]
    assert kinds(desk, sent["corrupt"].id) == ["triaged", "enqueued"]
    with reading(desk.engine) as connection:
        [dead] = jobs_of(connection, sent["corrupt"].id)
        assert find_item(connection, sent["9"].id).state is ItemState.SETTLED
    assert dead.state is JobState.DEAD
    assert dead.error is not None
    assert dead.error.code == "corrupt_media"
    assert work_off(desk) == 0
    assert_whole(desk)


def test_without_a_calibrator_a_person_sees_everything(engine: Engine, tmp_path: Path) -> None:
    desk = make_desk(engine, tmp_path / "data", deployment=deployment(calibrators={}))
    sent = [send(desk, script) for script in ("0", "9")]
    work_off(desk)
    assert {route(desk, item.id).disposition for item in sent} == {Disposition.REVIEW}
    with reading(desk.engine) as connection:
        [one] = [
            record["body"]["reason"]
            for record in search(connection, Search(item=sent[0].id))
            if record["kind"] == "triaged"
        ]
    assert one == "no_calibrator"


def test_copies_are_scored_once_and_share_a_review(desk: ScoringDesk, review: CaseReview) -> None:
    first, second = send(desk, "5 same"), send(desk, "5 same")
    work_off(desk)
    late = send(desk, "5 same")
    work_off(desk)
    assert isinstance(desk.dispatcher, ScriptedDispatcher)
    assert desk.dispatcher.seen == ["5"]
    assert len(queue(desk)) == 1
    decision = rule(desk, review, FAKE)
    after = send(desk, "5 same")
    work_off(desk)
    for item in (first, second, late, after):
        found = route(desk, item.id)
        assert (found.disposition, found.action) == (Disposition.ENFORCE, "remove")
        assert (found.is_by_person, found.decision_id) == (True, decision)
    assert statements_issued(desk) == 4
    with reading(desk.engine) as connection:
        payloads = connection.scalars(select(statements.c.payload)).all()
    told = "shows or voices a person"  # the reason that was given, not the clause's first
    assert all(told in payload for payload in payloads)
    assert queue(desk) == []
    assert_whole(desk)


def test_a_decision_that_is_taken_back_takes_its_effects_back(
    desk: ScoringDesk, review: CaseReview
) -> None:
    first, second = send(desk, "5 same"), send(desk, "5 same")
    work_off(desk)
    decision = rule(desk, review, FINE)
    assert route(desk, second.id).disposition is Disposition.ALLOW
    with review.at(desk.clock()) as tx:
        undo(tx, decision, "ann")
    for item in (first, second):
        assert route(desk, item.id).disposition is Disposition.REVIEW
        assert not route(desk, item.id).is_by_person
    root = route(desk, second.id).served_by or second.id
    assert kinds(desk, root)[-3:] == ["triaged", "undone", "triaged"]
    assert_whole(desk)


def test_an_action_needs_a_reason_that_the_policy_has(
    desk: ScoringDesk, review: CaseReview
) -> None:
    item = send(desk, "5")
    work_off(desk)
    with pytest.raises(StatementError, match="because"):
        rule(desk, review, Finding(Verdict.MANIPULATED, Action.REMOVE, "because"))
    assert not route(desk, item.id).is_by_person
    rule(desk, review, FAKE)
    assert kinds(desk, item.id)[-3:] == ["decided", "triaged", "statement_issued"]


def test_a_shadow_policy_is_recorded_and_does_nothing(engine: Engine, tmp_path: Path) -> None:
    strict = policy().model_copy(update={"version": "strict"})
    strict = strict.model_copy(update={"routes": strict.routes.model_copy(update={"allow": False})})
    desk = make_desk(engine, tmp_path / "data", deployment=deployment(shadow=strict))
    item = send(desk, "9")
    work_off(desk)
    found = route(desk, item.id)
    assert found.disposition is Disposition.ALLOW
    assert found.shadow is not None
    assert found.shadow["disposition"] == "review"


def test_a_failure_that_may_pass_is_tried_again_then_reviewed(desk: ScoringDesk) -> None:
    item, other = send(desk, "later"), send(desk, "9")
    assert work_off(desk) == 1
    assert isinstance(desk.clock, Clock)
    for _ in range(desk.job_rules.deliveries_max - 1):
        with reading(desk.engine) as connection:
            assert dispositions_of(connection, item.id) == []
            [job] = jobs_of(connection, item.id)
        assert job.state is JobState.WAITING
        desk.clock.now = job.not_before
        work_off(desk)
    assert route(desk, item.id).disposition is Disposition.REVIEW
    with reading(desk.engine) as connection:
        [job] = jobs_of(connection, item.id)
    assert (job.state, job.deliveries) == (JobState.DEAD, 5)
    assert route(desk, other.id).disposition is Disposition.ALLOW


@pytest.mark.parametrize("script", ["break", "busy"])
def test_a_dispatcher_that_breaks_down_stops_no_other_item(desk: ScoringDesk, script: str) -> None:
    sent = [send(desk, one) for one in ("9 a", script, "9 b", "5")]
    assert isinstance(desk.clock, Clock)
    for _ in range(2 * desk.job_rules.deliveries_max):
        work_off(desk)
        desk.clock.wait(hours=1)
    routes = [route(desk, item.id).disposition for item in sent]
    assert routes == [
        Disposition.ALLOW,
        Disposition.REVIEW,
        Disposition.ALLOW,
        Disposition.REVIEW,
    ]
    with reading(desk.engine) as connection:
        [job] = jobs_of(connection, sent[1].id)
    assert job.error is not None
    assert job.error.code == {"break": "internal", "busy": "transient"}[script]


def test_a_score_that_never_settles_ends_with_a_person(desk: ScoringDesk) -> None:
    item, other = send(desk, "9 a"), send(desk, "later")

    def refuse(_: object, __: object, statement: str, parameters: object, *___: object) -> None:
        if statement.startswith("INSERT INTO audit_records") and "scored" in str(parameters):
            raise RuntimeError("the record of a score is refused")

    event.listen(desk.engine, "before_cursor_execute", refuse)
    assert isinstance(desk.clock, Clock)
    for _ in range(desk.job_rules.deliveries_max + 1):
        with reading(desk.engine) as connection:
            assert dispositions_of(connection, item.id) == []
        work_off(desk)
        desk.clock.wait(hours=1)
    found = route(desk, item.id)
    assert found.disposition is Disposition.REVIEW
    assert queue(desk).count(item.id) == 1
    with reading(desk.engine) as connection:
        [job] = jobs_of(connection, item.id)
    assert job.state is JobState.DEAD
    assert route(desk, other.id).disposition is Disposition.REVIEW
    assert_whole(desk)


def test_a_policy_that_changes_needs_a_new_version(engine: Engine, tmp_path: Path) -> None:
    desk = make_desk(engine, tmp_path / "data")
    with reading(engine) as connection:
        assert len(search(connection, Search())) == 2
    make_desk(engine, tmp_path / "data")
    with reading(engine) as connection:
        assert len(search(connection, Search())) == 2
    changed = desk.deployment.live.model_copy(update={"description": "other"})
    with pytest.raises(ConfigurationError, match="version"):
        make_desk(engine, tmp_path / "data", deployment=deployment(live=changed))


def test_a_calibrator_of_another_judge_is_refused() -> None:
    with pytest.raises(CalibrationError, match="another-judge"):
        deployment(calibrators={Mode.FAST: calibrator("another-judge")})


def test_a_report_brings_an_allowed_item_before_a_person(
    desk: ScoringDesk, review: CaseReview
) -> None:
    assert isinstance(desk.clock, Clock)
    item = send(desk, "9")
    desk.clock.wait(minutes=1)
    other = send(desk, "5")
    work_off(desk)
    with review.at(desk.clock()) as tx:
        report(tx, desk.deployment, item.id, "intimate", reporter="r-1")
        with pytest.raises(SubmissionError, match="nonsense"):
            report(tx, desk.deployment, item.id, "nonsense")
    found = route(desk, item.id)
    assert (found.disposition, found.clause_id) == (Disposition.REVIEW, "intimate")
    assert queue(desk) == [item.id, other.id]
    with review.at(desk.clock()) as tx:
        report(tx, desk.deployment, other.id, "intimate")
    assert route(desk, other.id).clause_id == "intimate"
    rule(desk, review, Finding(Verdict.MANIPULATED, Action.REMOVE, "intimate-synthetic"))
    with review.at(desk.clock()) as tx:
        report(tx, desk.deployment, item.id, "paid")
    assert kinds(desk, item.id)[-3:] == ["decided", "triaged", "statement_issued"]
    assert_whole(desk)


def test_a_report_before_the_score_decides_the_clause(desk: ScoringDesk) -> None:
    item = send(desk, "9", reported_clause="intimate")
    work_off(desk)
    assert route(desk, item.id).clause_id == "intimate"
    assert route(desk, item.id).disposition is Disposition.REVIEW


def test_growing_views_bring_a_review_forward(desk: ScoringDesk, review: CaseReview) -> None:
    first = send(desk, "5 a", views=Views(1e4, 1e4, 10.0))
    second = send(desk, "5 b", views=Views(10.0, 10.0, 1.0))
    work_off(desk)
    copy = send(desk, "5 b")
    work_off(desk)
    assert queue(desk) == [first.id, second.id]
    with review.at(desk.clock()) as tx:
        assert forecast(tx, desk.deployment, copy.id, Views(1e6, 1e6, 1e4)).id == copy.id
    assert queue(desk) == [second.id, first.id]
    assert route(desk, copy.id).served_by == second.id
    with review.at(desk.clock()) as tx:
        forecast(tx, desk.deployment, second.id, Views())
        forecast(tx, desk.deployment, copy.id, Views())
    assert queue(desk) == [first.id, second.id]
