"""Another policy on what was routed of late: the same as routing it would have been."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from moderation.casework.policy_trials import recorded_uploads, try_policy
from moderation.casework.running import work_off
from moderation.casework.scoring import ScoringDesk
from moderation.database import reading
from moderation.intake.types import Views
from moderation.replay.recorded import RecordedProbability
from moderation.review.claims import claim
from moderation.review.decisions import decide
from moderation.review.types import Action, Finding, Verdict
from moderation.triage.context import Unscored
from moderation.types import Disposition, Mode
from tests.contract.casework.scripted import (
    RULES,
    deployment,
    make_desk,
    policy,
    route,
    send,
    with_reviewers,
)


def test_what_was_routed_is_recorded_as_it_came(desk: ScoringDesk) -> None:
    scored = send(desk, "5", views=Views(reach=900.0, remaining=300.0, an_hour=1.0))
    failed = send(desk, "corrupt")
    desk.clock.wait(minutes=1)  # type: ignore[attr-defined]
    copy = send(desk, "5")
    send(desk, "9")
    work_off(desk)
    with reading(desk.engine) as connection:
        found = recorded_uploads(connection, desk.deployment, RULES, now=desk.clock())
        newest = recorded_uploads(connection, desk.deployment, RULES, now=desk.clock(), limit=1)
    items = {one.path: one for one in found.items}
    assert len(items) == 4
    assert items[scored.id].remaining_views == 300.0
    assert items[scored.id].sha256 == items[copy.id].sha256
    given = items[scored.id].evidence
    assert isinstance(given, RecordedProbability)
    assert given.probability == pytest.approx(route(desk, scored.id).probability)
    unscored = items[failed.id].evidence
    assert isinstance(unscored, Unscored)
    assert unscored.code == "corrupt_media"
    assert len(newest.items) == 1


def test_the_policy_in_force_gives_the_routes_that_it_gave(desk: ScoringDesk) -> None:
    sent = [send(desk, f"{digit} {copy}") for digit in range(10) for copy in range(2)]
    work_off(desk)
    routes = [route(desk, item.id).disposition for item in sent]
    never = desk.deployment.live.model_copy(
        update={
            "version": "careful",
            "routes": desk.deployment.live.routes.model_copy(update={"allow": False}),
        }
    )
    with reading(desk.engine) as connection:
        trial = try_policy(
            connection,
            desk.deployment,
            RULES,
            before=desk.deployment.live,
            after=never,
            now=desk.clock(),
        )
    counts = (trial.before.allowed, trial.before.reviewed, trial.before.enforced)
    assert counts == tuple(
        routes.count(one) for one in (Disposition.ALLOW, Disposition.REVIEW, Disposition.ENFORCE)
    )
    assert trial.before.allowed > 0
    assert trial.after.allowed == 0
    assert {(one.before, one.after) for one in trial.changed} == {("allow", "review")}
    assert len(trial.changed) == trial.before.allowed
    assert trial.bounds_before == desk.deployment.deployed(Mode.FAST, desk.deployment.live).bounds


def test_rulings_are_the_labels_of_a_trial(desk: ScoringDesk) -> None:
    send(desk, "5")
    work_off(desk)
    review = with_reviewers(desk)
    with review.at(desk.clock()) as tx:
        claimed = claim(tx, "ann")
        assert claimed is not None
        finding = Finding(Verdict.MANIPULATED, Action.LABEL, "deceptive-event")
        decide(tx, claimed.lease.token, finding)
    daring = desk.deployment.live.routes.model_copy(update={"alpha_allow": 0.9})
    after = desk.deployment.live.model_copy(update={"version": "daring", "routes": daring})
    desk.clock.wait(hours=1)  # type: ignore[attr-defined]
    with reading(desk.engine) as connection:
        trial = try_policy(
            connection,
            desk.deployment,
            RULES,
            before=desk.deployment.live,
            after=after,
            now=desk.clock(),
            backlog_hours=7.0,
        )
    assert trial.conditions.backlog_hours == 7.0
    assert (trial.before.labelled, trial.before.missed_manipulations) == (1, 0)
    assert trial.after.missed_manipulations == 1


def test_without_a_calibrator_or_routes_there_is_little_to_try(
    engine: Engine, tmp_path: Path
) -> None:
    desk = make_desk(engine, tmp_path / "data", deployment=deployment(calibrators={}))
    with reading(engine) as connection:
        assert recorded_uploads(connection, desk.deployment, RULES, now=desk.clock()).items == ()
    send(desk, "0")
    work_off(desk)
    with reading(engine) as connection:
        trial = try_policy(
            connection, desk.deployment, RULES, before=policy(), after=policy(), now=desk.clock()
        )
    assert (trial.before.reviewed, trial.changed) == (1, [])
    assert trial.bounds_after.allow_below is None
