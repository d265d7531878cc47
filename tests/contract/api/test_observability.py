"""What `/metrics` tells, what is logged, and one trace from the request to the decoder child."""

import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, update

from encoders.base import ReadRequest
from encoders.forensic import ForensicEncoder
from encoders.sampling import Uniform
from encoders.types import MediaFeatures
from moderation.access.keys import AccessRole
from moderation.app import build_sandbox
from moderation.casework.reviewing import CaseReview
from moderation.casework.running import work_off
from moderation.casework.surveillance import random_sample_error
from moderation.database import reading, writing
from moderation.extraction import Extractor
from moderation.intake.tables import dispositions
from moderation.pipeline import ScoringPipeline
from moderation.review.claims import claim
from moderation.review.decisions import decide
from moderation.review.reviewers import enrol
from moderation.review.types import Action, Finding, Reviewer, Verdict
from moderation.settings import Settings
from moderation.types import Disposition, ItemResult, Judgment, Mode
from tests.api_application import Clock as ApiClock
from tests.api_application import application, client_of, make_keys
from tests.contract.casework.scripted import (
    RULES,
    T0,
    Clock,
    ScriptedDispatcher,
    deployment,
    make_desk,
    policy,
    send,
)
from tests.spans import collected


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Value by name and labels, the labels in the order of their names."""
    return {
        (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_queues_failures_scores_and_times_are_told(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock = ApiClock(T0)
    app = application(engine, tmp_path / "api", clock=clock)
    lead = client_of(app, make_keys(engine)[AccessRole.LEAD])
    with lead:  # so that what this process does is counted
        desk = make_desk(engine, tmp_path / "data")
        for script in ("5 one", "9 two", "corrupt three", "later four", "8 five"):
            send(desk, script)
        before = samples(lead.get("/metrics").text)
        work_off(desk)
        clock.now = T0 + timedelta(days=40)
        after = samples(lead.get("/metrics").text)
    assert before["moderation_jobs", "score", "waiting"] == 5
    assert before["moderation_job_due_seconds", "score"] == 0
    assert ("moderation_dead_letters", "corrupt_media", "score") not in before
    assert after["moderation_jobs", "score", "waiting"] == 1
    assert after["moderation_jobs", "score", "retrying"] == 1
    assert after["moderation_job_due_seconds", "score"] > 39 * 86_400
    assert after["moderation_dead_letters", "corrupt_media", "score"] == 1
    assert after["moderation_job_retries_total", "later_media", "score"] >= 1
    assert after["moderation_stage_seconds_count", "settle"] == 4
    assert after["moderation_score_count", "fast"] == 3
    assert after["moderation_score_sum", "fast"] == 22
    routes = [value for key, value in after.items() if key[0] == "moderation_items_settled_total"]
    assert sum(routes) == 4
    overdue = [value for key, value in after.items() if key[0] == "moderation_review_overdue"]
    assert sum(overdue) >= 1
    assert after["moderation_review_age_seconds", "100"] > 39 * 86_400
    assert after[("moderation_random_sample_items",)] == 0
    assert ("moderation_random_sample_calibration_error",) not in after

    settled = [one for one in caplog.records if one.getMessage() == "settled"]
    assert len(settled) == 4
    assert {one.disposition for one in settled} <= set(Disposition)
    assert all(len(one.item_id) == 32 for one in settled)
    assert "three" not in caplog.text.replace("later_media", "")


def test_the_error_on_the_random_sample_is_that_of_its_probabilities(
    engine: Engine, tmp_path: Path
) -> None:
    """Six items in one bin: all are said to be manipulated with .15, one is."""
    clock = Clock()
    desk = make_desk(
        engine, tmp_path, deployment=deployment(live=policy(random_share=0.999)), clock=clock
    )
    items = [send(desk, f"5 {k}") for k in range(7)]
    work_off(desk)
    cases = CaseReview(engine, RULES, desk.deployment.namespace)
    with cases.at(clock()) as tx:
        enrol(tx, Reviewer("ann"))
    manipulated = items[0].id
    for _ in items:
        with cases.at(clock()) as tx:
            claimed = claim(tx, "ann")
            assert claimed is not None
            is_bad = claimed.task.item_id == manipulated
            finding = (
                Finding(Verdict.MANIPULATED, Action.REMOVE, "deceptive-person")
                if is_bad
                else Finding(Verdict.AUTHENTIC, Action.LEAVE, "none")
            )
            decide(tx, claimed.lease.token, finding)
    with writing(engine) as connection:
        connection.execute(update(dispositions).values(probability=0.15))
    later = clock() + timedelta(hours=1)
    with reading(engine) as connection:
        found = random_sample_error(connection, RULES, since=T0, now=later)
        nothing = random_sample_error(connection, RULES, since=later, now=later)
    assert found.items == 7
    assert found.expected_error == pytest.approx(abs(0.15 - 1 / 7))
    assert (nothing.items, np.isnan(nothing.expected_error)) == (0, True)


class Digits:
    """A judge that says 5 of everything; the media behind it are real."""

    judge_id = ScriptedDispatcher.judge_id

    def judge(
        self, batch: Sequence[MediaFeatures], mode: Mode, *, rationales: int = 1
    ) -> list[Judgment]:
        digits = tuple(float(k == 5) for k in range(10))
        return [Judgment(digits, 1.0, 5.0, mode, self.judge_id) for _ in batch]


class Pipelined(ScriptedDispatcher):
    """Scores by the real pipeline, over the real sandbox."""

    def __init__(self, pipeline: ScoringPipeline) -> None:
        super().__init__()
        self._pipeline = pipeline

    def score(
        self, paths: Sequence[Path], mode: Mode, *, rationales: int = 1
    ) -> Iterator[ItemResult]:
        return self._pipeline.score(paths, mode)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    with collected(monkeypatch) as exporter:
        yield exporter


def test_one_trace_goes_from_the_request_to_the_decoder_child(
    engine: Engine, tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    app = application(engine, tmp_path)
    sender = client_of(app, make_keys(engine)[AccessRole.UPLOADER])
    parent = f"00-{'ab' * 16}-{'cd' * 8}-01"
    content = Path("docs/samples/photo-genuine.jpg").read_bytes()
    name = {"name": "anna-schmidt.jpg"}
    sender.post("/v1/items", content=content, params=name, headers={"traceparent": parent})
    with build_sandbox(Settings.load()) as sandbox:
        extractor = Extractor(sandbox, (ForensicEncoder(),), ReadRequest(Uniform()), "plan")
        pipeline = ScoringPipeline(extractor, Digits())
        desk = make_desk(engine, tmp_path, dispatcher=Pipelined(pipeline))
        # As after a restart: nothing but the database knows of the request.
        assert trace.get_current_span() is trace.INVALID_SPAN
        assert work_off(desk) == 1
    by_name: dict[str, ReadableSpan] = {one.name: one for one in spans.get_finished_spans()}
    ours = {n for n, one in by_name.items() if one.context.trace_id == int("ab" * 16, 16)}
    assert ours == {"POST /v1/items", "decode", "settle"}
    request = by_name["POST /v1/items"]
    for of_item in (by_name["decode"], by_name["settle"]):
        assert of_item.parent is not None
        assert of_item.parent.span_id == request.context.span_id
    (ended,) = by_name["decode"].events
    assert ended.attributes is not None
    assert ended.attributes["exit_code"] == 0
    assert int(str(ended.attributes["max_rss_bytes"])) > 0
    for of_batch in (by_name["score"], by_name["encode"], by_name["judge"]):
        assert [link.context.span_id for link in of_batch.links] == [request.context.span_id]
    assert "anna" not in "".join(one.to_json() for one in by_name.values())
