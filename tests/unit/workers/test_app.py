"""Celery's settings: those that are known to bite."""

import pytest

from moderation.errors import ConfigurationError
from moderation.settings import Settings
from workers.app import configuration, make_app
from workers.bells import ring
from workers.processes import PoolProcess
from workers.queues import Queue
from workers.record_keeping import RecordKeeping
from workers.redis_server import free_port
from workers.schedule import schedule
from workers.tasks import Tasks


def test_no_task_outlives_its_message() -> None:
    settings = Settings.load(broker_url="redis://localhost:1/0", task_seconds_max=77.5)
    found = configuration(settings)
    assert found["task_time_limit"] == 77.5
    assert found["broker_transport_options"]["visibility_timeout"] > 77.5
    assert found["result_backend_transport_options"] == found["broker_transport_options"]


@pytest.mark.parametrize("url", [None, "sqla+sqlite:///tasks", "filesystem://", "amqp://localhost"])
def test_brokers_that_lose_messages_are_refused(url: str | None) -> None:
    with pytest.raises(ConfigurationError, match="broker"):
        make_app(Settings.load(broker_url=url))


def test_a_broker_that_is_down_is_no_error() -> None:
    url = f"redis://:hidden@127.0.0.1:{free_port()}/0"
    settings = Settings.load(broker_url=url)
    assert "hidden" not in repr(settings)
    with make_app(settings) as app:
        assert not ring(app, Queue.SCORE, "0" * 64, "judge", "policy@1")


def test_every_beat_has_its_task() -> None:
    settings = Settings.load(broker_url="redis://localhost:1/0")
    with make_app(settings) as app:
        process = PoolProcess(settings, is_stopping=lambda: False)
        Tasks(app, process, RecordKeeping(settings, lambda: process.engine)).register()
        app.finalize()
        sent = {one["task"] for one in schedule(settings).values()}
        own = {name for name in app.tasks if not name.startswith("celery.")}
    assert own == sent | {"score", "explain"}
    assert {one["options"]["queue"] for one in schedule(settings).values()} <= set(Queue)
