"""The console with one item that has real materials."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import pytest

from moderation.casework.scoring import ScoringDesk
from moderation.database import open_engine
from moderation.intake.types import Item
from moderation.policy.schema import Reveal, Reviewing
from tests.browser.conftest import Site, serve
from tests.contract.casework.scripted import Clock, deployment, make_desk, policy
from tests.shown_items import FILM, HOSTILE, send_sample


@pytest.fixture
def sample() -> str:
    """What waits; tests ask for another by parameter."""
    return FILM


@pytest.fixture
def reveal() -> Reveal:
    """When the judge is heard."""
    return Reveal.AT_ONCE


@pytest.fixture
def has_materials() -> bool:
    """Whether they are there when the item waits."""
    return True


@pytest.fixture
def desk(migrated: Path, tmp_path: Path, reveal: Reveal) -> Iterator[ScoringDesk]:
    """Takes in what waits. It has no calibrator: everything goes to a person."""
    file = tmp_path / "moderation.sqlite"
    copyfile(migrated, file)
    engine = open_engine(f"sqlite:///{file}")
    live = policy().model_copy(update={"review": Reviewing(reveal=reveal)})
    found = deployment(live=live, calibrators={})
    yield make_desk(engine, tmp_path, clock=Clock(), deployment=found)
    engine.dispose()


@pytest.fixture
def item(desk: ScoringDesk, sample: str, has_materials: bool) -> Item:
    """It waits, with real materials."""
    return send_sample(desk, sample, name=HOSTILE, with_materials=has_materials)


@pytest.fixture
def site(desk: ScoringDesk, tmp_path: Path, item: Item) -> Iterator[Site]:
    """The console with one item that waits."""
    found = deployment(live=desk.deployment.live)
    with serve(desk.engine, tmp_path, lambda: found) as served:
        yield served
