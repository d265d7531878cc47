"""Media are loaded ahead for whoever gets the task next, and shown to nobody else."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from moderation.access.keys import AccessRole
from moderation.database import reading
from moderation.review.listings import waiting
from moderation.review.types import Desk
from tests.contract.web.consoles import claimed
from tests.contract.web.item_console import ItemConsole
from tests.shown_items import PHOTO, VOICE

AHEAD = "/console/queue/ahead"


@pytest.fixture
def console(engine: Engine, tmp_path: Path) -> ItemConsole:
    """With three items that wait."""
    found = ItemConsole(engine, tmp_path)
    for sample in (PHOTO, VOICE, "photo-genuine.jpg"):
        found.send(sample, with_materials=False)
    return found


def waiting_media(console: ItemConsole) -> list[str]:
    """Where the media of all that waits are, in order."""
    with reading(console.engine) as connection:
        found = waiting(connection, Desk.GENERAL, limit=10)
    return [f"/console/tasks/{one.task.id}/media" for one in found]


def test_the_media_of_the_next_task_is_within_reach_of_whoever_has_one_in_hand(
    console: ItemConsole,
) -> None:
    ann = console.client(AccessRole.REVIEWER)
    assert ann.get(AHEAD).status_code == 204
    following = waiting_media(console)[1]
    assert ann.get(following).status_code == 404
    task = claimed(ann)
    assert ann.get(f"{task}/media").status_code == 200
    [following, after_it] = waiting_media(console)
    told = ann.get(AHEAD)
    assert told.json()["address"] == following
    assert told.json()["kind"] in ("image", "audio")
    ahead = ann.get(following)
    assert (ahead.status_code, ahead.headers["cache-control"]) == (200, "private, no-store")
    # Its evidence is not, nor is any task behind it.
    for closed in (after_it, following.removesuffix("/media"), f"{following[:-6]}/evidence"):
        assert ann.get(closed).status_code == 404


def test_nothing_is_claimed_by_looking_ahead(console: ItemConsole) -> None:
    ann = console.client(AccessRole.REVIEWER)
    claimed(ann)
    before = waiting_media(console)
    assert ann.get(AHEAD).json()["address"] == before[0]
    assert waiting_media(console) == before
    lea = console.client(AccessRole.LEAD)
    assert f"{claimed(lea)}/media" == before[0]
    assert ann.get(before[0]).status_code == 404
    assert ann.get(AHEAD).json()["address"] == before[1]


def test_a_desk_of_which_nothing_is_in_hand_shows_nothing_ahead(console: ItemConsole) -> None:
    ann = console.client(AccessRole.REVIEWER)
    claimed(ann)
    assert ann.get(f"{AHEAD}?desk=appeals").status_code == 204
