"""A console of the test's own, on a database of each kind."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.contract.web.consoles import Console


@pytest.fixture
def console(engine: Engine, tmp_path: Path) -> Console:
    return Console(engine, tmp_path)
