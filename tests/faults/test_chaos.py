"""A short run of the chaos that `python -m tests.faults.chaos` makes at length."""

from pathlib import Path

import pytest

from moderation.types import Disposition
from tests.faults.chaos import run
from tests.faults.chaos_parts import Target


@pytest.mark.weights
@pytest.mark.timeout(1800)
def test_whatever_is_killed_each_upload_has_one_route(tmp_path: Path) -> None:
    outcome = run(tmp_path, uploads=24, seed=7, kills=len(Target) - 2)
    assert outcome.faults == []
    assert len(outcome.accepted) == 24
    assert outcome.dead["score: deliveries_exhausted"] >= 1
    assert set(outcome.routes) == {str(one) for one in Disposition}
