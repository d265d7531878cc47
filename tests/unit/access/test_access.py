"""Keys and rates."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from moderation.access.enrolment import issue_key
from moderation.access.errors import KeyRefused, TooManyRequests
from moderation.access.keys import AccessRole, authenticate, create_key, list_keys, revoke_key
from moderation.access.rate_limit import Rate, RateLimiter
from moderation.access.tables import keys
from moderation.database import open_engine, reading, writing
from moderation.errors import ConfigurationError
from moderation.review.reviewers import find_reviewer
from moderation.review.types import Role

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def file_engine(migrated: Path, tmp_path: Path) -> Iterator[Engine]:
    """A database of the test's own."""
    file = tmp_path / "moderation.sqlite"
    file.write_bytes(migrated.read_bytes())
    engine = open_engine(f"sqlite:///{file}")
    yield engine
    engine.dispose()


def test_a_key_is_known_by_its_secret_which_is_kept_nowhere(file_engine: Engine) -> None:
    with writing(file_engine) as connection:
        made = create_key(connection, name="ann", role=AccessRole.LEAD, now=NOW)
        other = create_key(connection, name="ann", role=AccessRole.LEAD, now=NOW)
    secret = made.secret_text.rpartition("_")[2][-20:]
    assert secret not in repr(made)
    with reading(file_engine) as connection:
        assert authenticate(connection, made.secret_text, NOW) == made.key
        assert made.key.actor == "lead:ann"
        swapped = made.secret_text[:17] + other.secret_text[17:]
        for wrong in (swapped, made.secret_text[:-1], made.secret_text + "A", "", "rmk__"):
            with pytest.raises(KeyRefused):
                authenticate(connection, wrong, NOW)
        rows = connection.execute(select(keys)).all()
        assert secret not in repr(rows)
        assert rows[0].salt != rows[1].salt


def test_keys_end(file_engine: Engine) -> None:
    with writing(file_engine) as connection:
        short = create_key(
            connection,
            name="ann",
            role=AccessRole.UPLOADER,
            now=NOW,
            expires_at=NOW + timedelta(days=1),
        )
        authenticate(connection, short.secret_text, NOW + timedelta(hours=23))
        with pytest.raises(KeyRefused, match="expired"):
            authenticate(connection, short.secret_text, NOW + timedelta(days=1))
        long = create_key(connection, name="ben", role=AccessRole.ADMIN, now=NOW)
        first = revoke_key(connection, long.key.id, NOW)
        assert revoke_key(connection, long.key.id, NOW + timedelta(days=1)) == first
        with pytest.raises(KeyRefused, match="revoked"):
            authenticate(connection, long.secret_text, NOW)
        with pytest.raises(KeyRefused, match="no key"):
            revoke_key(connection, "none", NOW)
        assert {key.name for key in list_keys(connection)} == {"ann", "ben"}


@pytest.mark.parametrize("name", ["", "a b", "ann@example.org", "x" * 65, "ä"])
def test_names_are_pseudonyms(file_engine: Engine, name: str) -> None:
    with writing(file_engine) as connection, pytest.raises(ConfigurationError):
        create_key(connection, name=name, role=AccessRole.LEAD, now=NOW)


def test_whoever_reviews_is_enrolled(file_engine: Engine) -> None:
    with writing(file_engine) as connection:
        for role in AccessRole:
            issue_key(connection, name=role, role=role, now=NOW)
        assert find_reviewer(connection, "lead").role is Role.LEAD
        issue_key(connection, name="lead", role=AccessRole.REVIEWER, now=NOW, is_automated=True)
        again = find_reviewer(connection, "lead")
        assert (again.role, again.is_automated) == (Role.REVIEWER, True)


def test_a_bucket_empties_and_fills() -> None:
    seconds = [0.0]
    limiter = RateLimiter(Rate(per_second=2.0, burst=3), clock=lambda: seconds[0])
    for _ in range(3):
        limiter.take("a")
    with pytest.raises(TooManyRequests) as refused:
        limiter.take("a")
    assert refused.value.retry_after_seconds == pytest.approx(0.5)
    limiter.take("b")
    seconds[0] = 0.5
    limiter.take("a")
    with pytest.raises(TooManyRequests):
        limiter.take("a")
    seconds[0] = 100.0
    for _ in range(3):
        limiter.take("a")
    with pytest.raises(TooManyRequests):
        limiter.take("a")


def test_a_rate_lets_something_through() -> None:
    with pytest.raises(ValueError, match="nothing"):
        Rate(per_second=0.0, burst=1)
