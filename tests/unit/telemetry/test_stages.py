"""Stages are timed and counted, whatever comes of them, and observers stop nothing."""

import urllib.request

import pytest
from prometheus_client import CollectorRegistry

from encoders.errors import CorruptMedia
from moderation.telemetry import observers
from moderation.telemetry.exposition import measured
from moderation.telemetry.measures import ProcessMeasures
from moderation.telemetry.stages import Stage, stage


def test_stages_and_their_errors_are_counted() -> None:
    registry = CollectorRegistry()
    with observers.observing(ProcessMeasures(registry)):
        with stage(Stage.DECODE):
            pass
        with pytest.raises(CorruptMedia), stage(Stage.DECODE):
            raise CorruptMedia("a", expected="b", remedy="c")
        with pytest.raises(ZeroDivisionError), stage(Stage.JUDGE):
            raise ZeroDivisionError
        with stage(Stage.DECODE) as watch:
            watch.fail("decode_timeout")
        observers.tell(lambda one: one.item_settled("REVIEW", "fast", 4.2))
        observers.tell(lambda one: one.item_settled("REVIEW", "fast", None))
        observers.tell(lambda one: one.job_retried("score", "transient"))
    with stage(Stage.DECODE):  # nobody counts this one
        pass

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    failures = "moderation_stage_failures_total"
    assert value("moderation_stage_seconds_count", stage="decode") == 3
    assert value(failures, stage="decode", code="corrupt_media") == 1
    assert value(failures, stage="decode", code="decode_timeout") == 1
    assert value(failures, stage="judge", code="internal") == 1
    assert value("moderation_items_settled_total", disposition="REVIEW") == 2
    assert value("moderation_score_bucket", mode="fast", le="3.5") == 0
    assert value("moderation_score_bucket", mode="fast", le="4.5") == 1
    assert value("moderation_job_retries_total", kind="score", code="transient") == 1


def test_an_observer_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def stage_ended(self, stage: str, seconds: float, error_code: str | None) -> None:
            raise RuntimeError("broken")

    with observers.observing(Broken()), stage(Stage.DECODE):  # type: ignore[arg-type]
        pass
    assert "an observer failed" in caplog.text


def test_a_process_without_the_api_shows_its_measures() -> None:
    with measured(0, host="127.0.0.1") as port:
        with stage(Stage.ENCODE):
            pass
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()
    assert 'moderation_stage_seconds_count{stage="encode"} 1.0' in text
