"""A desk that scores by script, and reviewers at it, on a database of each kind."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from moderation.casework.reviewing import CaseReview
from moderation.casework.scoring import ScoringDesk
from tests.contract.casework.scripted import make_desk, with_reviewers


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> ScoringDesk:
    return make_desk(engine, tmp_path / "data")


@pytest.fixture
def review(desk: ScoringDesk) -> CaseReview:
    return with_reviewers(desk)
