"""A deployment on a database of the test's own; the broker runs, the rest is up to the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from moderation.database import open_engine
from tests.contract.workers.deployment import Deployment
from tests.service_processes import service_processes


@pytest.fixture
def deployed(
    request: pytest.FixtureRequest, tmp_path: Path, migrated: Path
) -> Iterator[Deployment]:
    file = tmp_path / "moderation.sqlite"
    file.write_bytes(migrated.read_bytes())
    settings = getattr(request, "param", {})
    with service_processes(tmp_path, f"sqlite:///{file}", **settings) as processes:
        processes.start_redis()
        engine = open_engine(f"sqlite:///{file}")
        yield Deployment(processes, engine)
        engine.dispose()
