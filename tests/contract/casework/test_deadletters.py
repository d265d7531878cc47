"""Dead jobs are put back on demand; explanations come beside routes."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from moderation.audit.check import verify_store
from moderation.audit.store import Search, search
from moderation.casework.deadletters import find_dead, retry
from moderation.casework.running import explain_next, work_off
from moderation.casework.scoring import ScoringDesk
from moderation.database import reading, writing
from moderation.intake.errors import UnknownJob
from moderation.intake.listings import dead_jobs, dispositions_of, jobs_of
from moderation.intake.results import find_result
from moderation.intake.types import JobKind, JobState
from moderation.types import Disposition, Mode
from tests.contract.casework.scripted import ScriptedDispatcher, make_desk, send


class Mended(ScriptedDispatcher):
    """Scores what broke the other one down."""

    def _script(self, path: Path) -> str:
        return path.read_text().split()[0].replace("break", "9")


def test_a_job_that_is_tried_again_is_scored_and_keeps_its_route(
    desk: ScoringDesk, tmp_path: Path
) -> None:
    item = send(desk, "break")
    assert work_off(desk) == 1
    with reading(desk.engine) as connection:
        [dead] = dead_jobs(connection)
        assert find_dead(connection, dead.id)[1].id == item.id
    with writing(desk.engine) as connection:
        again = retry(connection, dead.id, actor="admin:test", now=desk.clock())
    assert (again.state, again.deliveries, again.error) == (JobState.WAITING, 0, None)
    mended = make_desk(desk.engine, tmp_path / "data", dispatcher=Mended())
    assert work_off(mended) == 1
    with reading(desk.engine) as connection:
        assert [job.state for job in jobs_of(connection, item.id)] == [JobState.DONE]
        result = find_result(connection, item.sha256, desk.deployment.context(Mode.FAST))
        [route] = dispositions_of(connection, item.id)
        [told] = search(connection, Search(item=item.id, kind="job_retried"))
    assert result is not None
    assert result.judgment is not None
    assert route.disposition is Disposition.REVIEW
    assert told["actor"] == "admin:test"
    assert told["body"] == {"job": dead.id, "kind": "score", "error": "internal"}
    assert verify_store(desk.engine).chain.is_whole


def test_only_a_dead_job_is_put_back(desk: ScoringDesk) -> None:
    item = send(desk, "9")
    with reading(desk.engine) as connection:
        [waiting] = jobs_of(connection, item.id)
    for job_id in (waiting.id, "0" * 32):
        with pytest.raises(UnknownJob), writing(desk.engine) as connection:
            retry(connection, job_id, actor="admin:test", now=desk.clock())


def test_what_goes_to_review_is_explained_and_nothing_else(desk: ScoringDesk) -> None:
    sent = {script: send(desk, script) for script in ("0", "5", "9", "corrupt")}
    work_off(desk)
    with reading(desk.engine) as connection:
        before = {script: dispositions_of(connection, one.id) for script, one in sent.items()}
    assert explain_next(desk)
    assert not explain_next(desk)
    context = desk.deployment.context(Mode.FULL)
    with reading(desk.engine) as connection:
        found = {s: find_result(connection, one.sha256, context) for s, one in sent.items()}
        after = {script: dispositions_of(connection, one.id) for script, one in sent.items()}
        kinds = [job.kind for job in jobs_of(connection, sent["5"].id)]
    assert [script for script, result in found.items() if result is not None] == ["5"]
    assert found["5"] is not None
    assert found["5"].judgment is not None
    assert found["5"].judgment.mode is Mode.FULL
    assert after == before
    assert sorted(kinds) == [JobKind.EXPLAIN, JobKind.SCORE]
    assert verify_store(desk.engine).chain.is_whole


@pytest.mark.parametrize(("error", "state"), [("busy", "waiting"), ("break", "dead")])
def test_an_explanation_that_fails_is_tried_again_or_dead(
    engine: Engine, tmp_path: Path, error: str, state: str
) -> None:
    class Failing(ScriptedDispatcher):
        def _script(self, path: Path) -> str:
            return error

    desk = make_desk(engine, tmp_path / "data")
    item = send(desk, "5")
    work_off(desk)
    assert explain_next(make_desk(engine, tmp_path / "data", dispatcher=Failing()))
    with reading(engine) as connection:
        [job] = [one for one in jobs_of(connection, item.id) if one.kind is JobKind.EXPLAIN]
        [route] = dispositions_of(connection, item.id)
    assert job.state == state
    assert job.error is not None
    assert route.disposition is Disposition.REVIEW
