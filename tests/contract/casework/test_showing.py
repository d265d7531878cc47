"""Materials of items that wait for a person: made with the explanation, erased with the media."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from moderation.audit.erasure import request_erasure
from moderation.audit.retention import RetentionPolicy
from moderation.casework.media import erase_due
from moderation.casework.running import explain_next, work_off
from moderation.casework.scoring import ScoringDesk
from moderation.casework.showing import TRIES_MAX, ask_for_materials, materials_of, setup_of
from moderation.database import reading, writing
from moderation.intake.listings import dispositions_of, find_item, jobs_of
from moderation.intake.results import find_result
from moderation.intake.types import Item, JobKind, JobState
from moderation.materials.store import MaterialLimits
from moderation.types import Disposition, Mode
from tests.contract.casework.scripted import make_desk, send


def has_materials(desk: ScoringDesk, item: Item) -> bool:
    return materials_of(desk.blobs).has(item.sha256, setup_of(desk.deployment))


def ask(desk: ScoringDesk, item: Item) -> bool:
    with writing(desk.engine) as connection:
        return ask_for_materials(connection, find_item(connection, item.id), now=desk.clock())


def explained(desk: ScoringDesk, item: Item) -> bool:
    with reading(desk.engine) as connection:
        found = find_result(connection, item.sha256, desk.deployment.context(Mode.FULL))
        [route] = dispositions_of(connection, item.id)
    assert route.disposition is Disposition.REVIEW
    return found is not None and found.judgment is not None


def test_they_come_with_the_explanation_and_go_with_the_media(desk: ScoringDesk) -> None:
    item = send(desk, "5")
    work_off(desk)
    assert not has_materials(desk, item)
    assert explain_next(desk)
    facts = materials_of(desk.blobs).facts(item.sha256, setup_of(desk.deployment))
    assert facts is not None
    assert [one["picture"] for one in facts["frames"]] == ["frame-000.jpg"]
    request_erasure(desk.engine, item.id, reason="user", actor="admin:a", at=desk.clock())
    erase_due(desk.engine, desk.blobs, RetentionPolicy(), now=desk.clock(), actor="system:x")
    assert not has_materials(desk, item)
    assert not any(path.is_file() for path in desk.blobs.materials.rglob("*"))
    assert not ask(desk, item)


def test_what_is_missing_is_made_again_when_it_is_asked_for(desk: ScoringDesk) -> None:
    item = send(desk, "5")
    work_off(desk)
    explain_next(desk)
    materials_of(desk.blobs).drop(item.sha256)
    assert ask(desk, item)
    assert ask(desk, item)  # is under way by then
    assert explain_next(desk)
    assert has_materials(desk, item)
    with reading(desk.engine) as connection:
        kinds = [(job.kind, job.state) for job in jobs_of(connection, item.id)]
    assert kinds.count((JobKind.EXPLAIN, JobState.DONE)) == 2


@pytest.mark.parametrize("limits", [MaterialLimits(bytes_max=10), MaterialLimits(bytes_max=0)])
def test_an_explanation_stands_without_them(
    engine: Engine, tmp_path: Path, limits: MaterialLimits
) -> None:
    desk = make_desk(engine, tmp_path / "data", materials=limits)
    item = send(desk, "5")
    work_off(desk)
    assert explain_next(desk)
    assert explained(desk, item)
    assert not has_materials(desk, item)


def test_nobody_asks_for_ever(engine: Engine, tmp_path: Path) -> None:
    desk = make_desk(engine, tmp_path / "data", materials=MaterialLimits(bytes_max=10))
    item = send(desk, "5")
    work_off(desk)
    explain_next(desk)
    asked = 0
    while ask(desk, item):
        asked += 1
        assert explain_next(desk)
    assert asked == TRIES_MAX - 1
