"""Items come in with a job each; jobs are handed out with leases, on either database."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import Engine

from moderation.database import reading, writing
from moderation.intake.errors import UnknownItem
from moderation.intake.jobs import JobRules, claim_jobs, finish, put_off, release_jobs, renew_jobs
from moderation.intake.listings import (
    After,
    count_jobs,
    dead_jobs,
    find_item,
    jobs_of,
    list_items,
    reports_on,
)
from moderation.intake.submission import add_report, submit, update_views
from moderation.intake.types import Item, Job, JobKind, JobState, NewItem, Views
from moderation.types import ItemError

T0 = datetime(2026, 5, 4, 9, tzinfo=UTC)
RULES = JobRules(lease=timedelta(minutes=1))
ERROR = ItemError("database_busy", "no answer", "an answer", "Wait.", True)


def take(engine: Engine, name: str, now: datetime = T0, **changes: object) -> Item:
    digest = sha256(name.encode(errors="surrogatepass")).hexdigest()
    new = NewItem(sha256=digest, size_bytes=1, surface="feed", declared_name=name, **changes)
    with writing(engine) as connection:
        return submit(connection, new, now=now)


def claim(engine: Engine, now: datetime = T0, limit: int = 8) -> list[Job]:
    with writing(engine) as connection:
        return claim_jobs(connection, JobKind.SCORE, worker="w", limit=limit, now=now, rules=RULES)


def test_an_item_comes_back_as_it_was_sent(engine: Engine) -> None:
    views = Views(reach=10.0, remaining=7.5, an_hour=2.0)
    sent = take(engine, "a\0\x1b[31m/../\ud800é.mp4", views=views, uploader="u-1")
    with reading(engine) as connection:
        found = find_item(connection, sent.id)
        assert found == sent
        assert [job.state for job in jobs_of(connection, sent.id)] == [JobState.WAITING]
        with pytest.raises(UnknownItem):
            find_item(connection, "none")
    assert found.views == views
    assert found.declared_name == "a��[31m/../\\ud800é.mp4"
    with writing(engine) as connection:
        assert update_views(connection, sent.id, Views(99.0), now=T0).views == Views(99.0)
        add_report(connection, sent.id, "intimate", now=T0)
        add_report(connection, sent.id, "paid", now=T0 + timedelta(seconds=1))
        assert [one.clause_id for one in reports_on(connection, sent.id)] == ["intimate", "paid"]
        assert find_item(connection, sent.id).reported_clause == "intimate"


def test_items_are_listed_page_by_page(engine: Engine) -> None:
    sent = [take(engine, f"{k}", T0 + timedelta(seconds=k // 2)) for k in range(7)]
    found: list[Item] = []
    with reading(engine) as connection:
        while page := list_items(
            connection,
            limit=3,
            after=After(found[-1].created_at, found[-1].id) if found else None,
        ):
            found += page
    assert found == sorted(sent, key=lambda one: (one.created_at, one.id))


def test_a_job_is_held_by_one_until_its_lease_ends(engine: Engine) -> None:
    take(engine, "a")
    [job] = claim(engine)
    assert claim(engine, T0 + timedelta(seconds=59)) == []
    with writing(engine) as connection:
        assert renew_jobs(connection, [job], now=T0 + timedelta(seconds=50), rules=RULES) == 1
    assert claim(engine, T0 + timedelta(seconds=100)) == []
    [again] = claim(engine, T0 + timedelta(seconds=110))
    assert (again.id, again.deliveries) == (job.id, 2)
    with writing(engine) as connection:
        assert renew_jobs(connection, [job], now=T0, rules=RULES) == 0
        assert not finish(connection, job, now=T0)
        assert finish(connection, again, now=T0)
        assert not finish(connection, again, now=T0)
        assert count_jobs(connection)[JobState.DONE] == 1


def test_what_was_begun_before_comes_alone(engine: Engine) -> None:
    for name in "abc":
        take(engine, name)
    assert len(claim(engine)) == 3
    take(engine, "d", T0 + timedelta(minutes=1))
    later = T0 + timedelta(minutes=2)
    sizes = [[job.deliveries for job in claim(engine, later)] for _ in range(5)]
    assert sizes == [[2], [2], [2], [1], []]


def test_released_jobs_count_as_never_handed_out(engine: Engine) -> None:
    take(engine, "a")
    held = claim(engine)
    with writing(engine) as connection:
        assert release_jobs(connection, held) == 1
    assert [job.deliveries for job in claim(engine)] == [1]


def test_a_failure_that_may_pass_waits_for_its_time(engine: Engine) -> None:
    take(engine, "a")
    [job] = claim(engine)
    with writing(engine) as connection:
        assert put_off(connection, job, ERROR, until=T0 + timedelta(seconds=9))
    assert claim(engine, T0 + timedelta(seconds=8)) == []
    [again] = claim(engine, T0 + timedelta(seconds=9))
    assert (again.error, again.deliveries) == (ERROR, 2)
    with writing(engine) as connection:
        finish(connection, again, now=T0, error=ERROR)
        assert [one.error for one in dead_jobs(connection)] == [ERROR]


def test_pauses_double_and_are_spread() -> None:
    rules = JobRules(backoff=timedelta(seconds=4), backoff_max=timedelta(seconds=20))
    assert [rules.pause(k, 0.0).total_seconds() for k in (1, 2, 3, 4, 90)] == [2, 4, 8, 10, 10]
    assert rules.pause(2, 0.5) == timedelta(seconds=6)
