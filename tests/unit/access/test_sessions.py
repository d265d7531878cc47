"""Sessions of the console."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from moderation.access.errors import KeyRefused, SessionEnded
from moderation.access.keys import AccessRole, NewKey, create_key, revoke_key
from moderation.access.sessions import (
    SessionRules,
    begin_session,
    end_session,
    find_session,
    needs_touch,
    touch_session,
)
from moderation.access.tables import sessions
from moderation.database import open_engine, reading, writing

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RULES = SessionRules(idle=timedelta(minutes=30), lifetime=timedelta(hours=2))


@pytest.fixture
def file_engine(migrated: Path, tmp_path: Path) -> Iterator[Engine]:
    """A database of the test's own."""
    file = tmp_path / "moderation.sqlite"
    file.write_bytes(migrated.read_bytes())
    engine = open_engine(f"sqlite:///{file}")
    yield engine
    engine.dispose()


@pytest.fixture
def key(file_engine: Engine) -> NewKey:
    """Of Ann, who reviews."""
    with writing(file_engine) as connection:
        return create_key(connection, name="ann", role=AccessRole.REVIEWER, now=NOW)


def test_a_session_stands_for_its_key_and_its_token_is_kept_nowhere(
    file_engine: Engine, key: NewKey
) -> None:
    with writing(file_engine) as connection:
        begun = begin_session(connection, key.secret_text, RULES, NOW)
        [row] = connection.execute(select(sessions)).all()
    assert begun.token not in repr(begun)
    assert begun.token not in repr(row)
    with reading(file_engine) as connection:
        found = find_session(connection, begun.token, RULES, NOW)
        assert found == begun.session
        assert found.key == key.key
        with pytest.raises(SessionEnded):
            find_session(connection, begun.token + "x", RULES, NOW)


def test_it_ends_by_idleness_and_at_its_end_whatever_happens(
    file_engine: Engine, key: NewKey
) -> None:
    with writing(file_engine) as connection:
        token = begin_session(connection, key.secret_text, RULES, NOW).token
        with pytest.raises(SessionEnded):
            find_session(connection, token, RULES, NOW + RULES.idle)
        for minutes in range(20, 120, 20):
            later = NOW + timedelta(minutes=minutes)
            assert needs_touch(find_session(connection, token, RULES, later), later)
            touch_session(connection, token, later)
        with pytest.raises(SessionEnded):
            find_session(connection, token, RULES, NOW + RULES.lifetime)


def test_logging_out_and_revoking_the_key_end_it(file_engine: Engine, key: NewKey) -> None:
    with writing(file_engine) as connection:
        first = begin_session(connection, key.secret_text, RULES, NOW).token
        second = begin_session(connection, key.secret_text, RULES, NOW).token
        end_session(connection, first)
        with pytest.raises(SessionEnded):
            find_session(connection, first, RULES, NOW)
        find_session(connection, second, RULES, NOW)
        revoke_key(connection, key.key.id, NOW)
        with pytest.raises(KeyRefused):
            find_session(connection, second, RULES, NOW)
