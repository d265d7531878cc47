"""Media files that several suites read, made once a session; databases of both kinds."""

import sys
from pathlib import Path

import pytest
from hypothesis import settings

# The helpers beside this file are imported as `tests.…`, whatever directory pytest starts in.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.databases import (  # noqa: F401 - fixtures
    database_url,
    empty_database_url,
    engine,
    kind_of_database,
    migrated,
    migrated_name,
    postgres,
)
from tests.media_factory import Broken, write_broken, write_good

# How long an example takes depends on what else runs here.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def good_media(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every kind of file that must be read, by a short name."""
    return write_good(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="session")
def broken_media(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    """Every kind of file that must be refused, with its error, by file name."""
    return write_broken(tmp_path_factory.mktemp("broken"))


# For hours of it: `pytest tests/unit/fuzzing --hypothesis-profile=long`.
settings.register_profile("long", max_examples=20_000, deadline=None, print_blob=True)
