"""The Celery application. The broker is a doorbell: a lost or doubled message does no harm."""

import math
from typing import Any

from celery import Celery
from kombu import Queue as BrokerQueue

from moderation.errors import ConfigurationError
from moderation.settings import Settings
from workers.queues import Queue

VISIBILITY_MARGIN_SECONDS = 60.0
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 10.0
RESULT_SECONDS = 3600


def make_app(settings: Settings, *, has_results: bool = False) -> Celery:
    """The application without tasks, which is all that ringing takes.

    has_results: keep what tasks return, in the broker, for whoever sent them.

    Raises:
        ConfigurationError: no broker is named, or one of another kind than Redis.
    """
    app = Celery("moderation")
    app.conf.update(configuration(settings))
    if has_results:
        app.conf.update(results(settings))
    return app


def results(settings: Settings) -> dict[str, Any]:
    """Celery's settings for results that somebody waits for.

    Raises:
        ConfigurationError: see `make_app`.
    """
    return {
        "result_backend": broker_url(settings),
        # Who waits looks every moment; it may have been stopped for a while.
        "result_expires": RESULT_SECONDS,
        "redis_socket_connect_timeout": CONNECT_SECONDS,
        "redis_socket_timeout": ANSWER_SECONDS,
        "redis_backend_health_check_interval": 10,
    }


def configuration(settings: Settings) -> dict[str, Any]:
    """Celery's settings; docs/workers.md says why for each.

    Raises:
        ConfigurationError: see `make_app`.
    """
    return {
        "broker_url": broker_url(settings),
        "broker_transport_options": transport_options(settings),
        "broker_connection_retry_on_startup": True,
        # For ever: a worker outlives its broker.
        "broker_connection_max_retries": None,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "result_backend": None,
        "result_expires": 60,
        "result_backend_transport_options": transport_options(settings),
        "task_queues": [BrokerQueue(name, durable=True) for name in Queue],
        "task_default_queue": Queue.MAINTENANCE,
        "task_create_missing_queues": False,
        "task_acks_late": True,
        # No loop: the job's own counter ends it, see `moderation.casework.scoring`.
        "task_reject_on_worker_lost": True,
        "task_time_limit": settings.task_seconds_max,
        "worker_prefetch_multiplier": 1,
        "worker_proc_alive_timeout": 120.0,
        # What is under way holds its leases, so that the message that comes again finds nothing
        # to do; to cancel it would kill a process with loaded models, and count as a delivery.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # `workers.stopping` has asked the pool to stop before, and waited.
        "worker_soft_shutdown_timeout": 0.0,
        "worker_send_task_events": True,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "timezone": "UTC",
    }


def broker_url(settings: Settings) -> str:
    """Where the broker is; holds its password.

    Raises:
        ConfigurationError: no broker is named, or one of another kind than Redis.
    """
    url = "" if settings.broker_url is None else settings.broker_url.get_secret_value()
    kind = url.partition("://")[0]
    if kind not in ("redis", "rediss", "sentinel"):
        # The file system's and SQLAlchemy's lose the message of a worker that is killed.
        raise ConfigurationError(
            f"a broker of kind {kind!r}" if url else "no broker",
            expected="redis://HOST:PORT/NUMBER",
            remedy="Set MODERATION_BROKER_URL; `moderation up` starts a server of its own.",
        )
    return url


def transport_options(settings: Settings) -> dict[str, Any]:
    """Of Redis. A task ends, one way or the other, before its message is handed out again."""
    return {
        "visibility_timeout": math.ceil(settings.task_seconds_max + VISIBILITY_MARGIN_SECONDS),
        # With kombu's own, what a killed worker held comes back after minutes.
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
