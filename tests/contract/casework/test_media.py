"""Retention and erasure of media, on either database."""

import json
from pathlib import Path

from moderation.audit.check import verify_store
from moderation.audit.erasure import open_requests, request_erasure
from moderation.audit.retention import RetentionPolicy
from moderation.casework.golden import make_golden, unmake_golden
from moderation.casework.media import due_items, erase_due
from moderation.casework.reviewing import CaseReview
from moderation.casework.running import work_off
from moderation.casework.scoring import ScoringDesk
from moderation.database import open_engine, reading
from moderation.intake.listings import find_item
from moderation.intake.types import Item, ItemState
from moderation.review.claims import claim
from moderation.review.decisions import decide
from moderation.review.golden import active_golden
from moderation.review.listings import decided, waiting
from moderation.review.reviewers import enrol
from moderation.review.types import Action, Desk, Finding, Reviewer, Verdict
from tests.contract.casework.scripted import RULES, Clock, make_desk, send
from tests.unit.cli.byte_dispatcher import moderation

PERIODS = RetentionPolicy()
ACTOR = "system:retention"


def erase(desk: ScoringDesk) -> int:
    return erase_due(desk.engine, desk.blobs, PERIODS, now=desk.clock(), actor=ACTOR)


def state(desk: ScoringDesk, item: Item) -> ItemState:
    with reading(desk.engine) as connection:
        return find_item(connection, item.id).state


def wait(desk: ScoringDesk, days: int) -> None:
    assert isinstance(desk.clock, Clock)
    desk.clock.wait(days=days)


def test_each_stage_has_its_period(desk: ScoringDesk) -> None:
    allowed, enforced, waits = send(desk, "9"), send(desk, "0"), send(desk, "5")
    work_off(desk)
    assert erase(desk) == 0
    for days, gone in ((30, allowed), (160, enforced)):
        wait(desk, days)
        assert [one.item for one in due_items(desk.engine, PERIODS, now=desk.clock())] == [gone.id]
        assert erase(desk) == 1
        assert not desk.blobs.has(gone.sha256)
        assert state(desk, gone) is ItemState.ERASED
    assert desk.blobs.has(waits.sha256)
    assert erase(desk) == 0
    assert verify_store(desk.engine).chain.is_whole


def test_a_file_goes_with_the_last_item_that_has_it(desk: ScoringDesk) -> None:
    first = send(desk, "9")
    work_off(desk)
    wait(desk, 20)
    second = send(desk, "9")
    work_off(desk)
    wait(desk, 10)
    assert erase(desk) == 1
    assert (state(desk, first), desk.blobs.has(second.sha256)) == (ItemState.ERASED, True)
    wait(desk, 20)
    assert erase(desk) == 1
    assert not desk.blobs.has(second.sha256)


def test_an_erasure_on_request_takes_the_free_text_along(desk: ScoringDesk) -> None:
    review = CaseReview(desk.engine, RULES, desk.deployment.namespace)
    item = send(desk, "5", uploader="u-1")
    work_off(desk)
    with review.at(desk.clock()) as tx:
        enrol(tx, Reviewer("ann"))
        claimed = claim(tx, "ann")
        assert claimed is not None
        finding = Finding(Verdict.AUTHENTIC, Action.LEAVE, "none", note="my neighbour")
        decide(tx, claimed.lease.token, finding)
    request_erasure(
        desk.engine, item.id, reason="gdpr_article_17", actor="admin:a", at=desk.clock()
    )
    assert erase(desk) == 1
    assert open_requests(desk.engine) == ()
    with reading(desk.engine) as connection:
        gone = find_item(connection, item.id)
        assert [one.finding.note for one in decided(connection)] == [""]
    assert (gone.uploader, gone.declared_name, gone.state) == (None, "", ItemState.ERASED)
    assert not desk.blobs.has(item.sha256)
    found = verify_store(desk.engine)
    assert (found.chain.is_whole, found.texts_kept, found.texts_erased) == (True, 0, 1)


def test_what_is_erased_before_its_score_is_never_scored(desk: ScoringDesk) -> None:
    item, queued = send(desk, "5 early"), send(desk, "5 late")
    request_erasure(desk.engine, item.id, reason="user", actor="admin:a", at=desk.clock())
    assert erase(desk) == 1
    assert work_off(desk) == 1
    assert state(desk, item) is ItemState.ERASED
    request_erasure(desk.engine, queued.id, reason="user", actor="admin:a", at=desk.clock())
    assert erase(desk) == 1
    with reading(desk.engine) as connection:
        assert waiting(connection, Desk.GENERAL) == []


def test_the_command_erases_what_is_asked_for(tmp_path: Path, database_url: str) -> None:
    engine = open_engine(database_url)
    desk = make_desk(engine, tmp_path / "data")
    item = send(desk, "9")
    work_off(desk)
    engine.dispose()
    environment = {
        "MODERATION_DATABASE_URL": database_url,
        "MODERATION_DATA_DIR": str(tmp_path / "data"),
    }
    keep = ("--allowed-days", "99999")
    done = moderation("audit", "erase", "--item", item.id, *keep, "--json", **environment)
    assert json.loads(done.stdout) == {"erased": 1}, done.stderr
    assert not desk.blobs.has(item.sha256)
    unknown = moderation("audit", "erase", "--item", "0" * 32, **environment)
    assert unknown.returncode != 0
    assert "no item" in unknown.stderr


def test_a_golden_item_is_kept_until_it_is_retired_or_asked_for(desk: ScoringDesk) -> None:
    kept, asked = send(desk, "9 a"), send(desk, "9 b")
    work_off(desk)
    ids = []
    with CaseReview(desk.engine, RULES, desk.deployment.namespace).at(desk.clock()) as tx:
        for item in (kept, asked):
            golden_id = make_golden(
                tx,
                desk.deployment,
                item.id,
                Verdict.AUTHENTIC,
                clause_id=None,
                is_harmful=False,
                name="lea",
                actor="lead:lea",
            )
            ids.append(golden_id)
    wait(desk, 300)
    assert erase(desk) == 0
    request_erasure(desk.engine, asked.id, reason="data-subject", actor=ACTOR, at=desk.clock())
    assert erase(desk) == 1
    with reading(desk.engine) as connection:
        assert active_golden(connection, [kept.id, asked.id]) == {kept.id}
    with CaseReview(desk.engine, RULES, desk.deployment.namespace).at(desk.clock()) as tx:
        unmake_golden(tx, ids[0], actor="lead:lea")
    assert erase(desk) == 1
