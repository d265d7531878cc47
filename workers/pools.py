"""A pool of processes for one queue."""

import logging
import os
import signal
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from moderation.settings import Settings, cores
from moderation.telemetry.logs import log_to_stderr
from workers.queues import LOADS_MODELS, Queue

PORTS_A_QUEUE = 10
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def processes_of(queue: Queue, concurrency: int | None) -> int:
    """One where each process loads the models, or as many as asked for; a few elsewhere."""
    if concurrency is not None:
        return concurrency
    return 1 if queue in LOADS_MODELS else min(cores(), 2)


def limit_threads(processes: int) -> None:
    """Share the cores among the processes. Counts only before NumPy and PyTorch are imported."""
    for name in THREADS:
        os.environ.setdefault(name, str(max(1, cores() // processes)))


def _log(settings: Settings) -> None:
    log_to_stderr(settings.log_format)
    # What migrations find in order is of no interest each time.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def run_pool(settings: Settings, queue: Queue, *, concurrency: int | None = None) -> int:
    """Work `queue` until SIGTERM or SIGINT; the exit code.

    Processes are forked from a parent that has loaded no model and opened no connection. Each
    holds its own, from its first task on; one that is killed is replaced.

    Raises:
        ConfigurationError: no broker, or packages that are not installed.
    """
    processes = processes_of(queue, concurrency)
    limit_threads(processes)
    from celery import signals
    from celery.exceptions import CPendingDeprecationWarning

    from moderation.telemetry.tracing import exporting
    from workers.app import make_app
    from workers.batches.gauges import BatchCollector
    from workers.batches.pool import BatchPool
    from workers.heartbeat import Heart
    from workers.processes import PoolProcess
    from workers.record_keeping import RecordKeeping
    from workers.stopping import StopRequest, stop_on_signal
    from workers.tasks import Tasks

    _log(settings)
    telling = ExitStack()
    stop, is_watched = StopRequest(), threading.Event()
    app = make_app(settings, has_results=queue is Queue.BATCH)
    process = PoolProcess(settings, stop.is_made)
    tasks = Tasks(app, process, RecordKeeping(settings, lambda: process.engine))
    tasks.register()
    batches = BatchPool(app, settings, stop.is_made)
    batches.register()
    gauges = [BatchCollector(lambda: app.backend.client)] if queue is Queue.BATCH else []

    def begin(**_: Any) -> None:
        tasks.heart = Heart(settings.run_dir, queue)
        if queue is Queue.BATCH:
            batches.begin(tasks.heart)
        telling.enter_context(exporting(f"moderation-{queue}"))
        telling.enter_context(showing_measures(settings, queue, *gauges))

    def end(**_: Any) -> None:
        process.close()
        if queue is Queue.BATCH:
            batches.end()
        telling.close()
        if tasks.heart is not None:
            tasks.heart.close()

    def ready(**_: Any) -> None:
        # Sent again with each new connection to the broker.
        if not is_watched.is_set():
            is_watched.set()
            stop_on_signal(stop, settings.stop_seconds_max)

    # Chosen: see `workers.app`.
    warnings.simplefilter("ignore", CPendingDeprecationWarning)
    _connect(signals.worker_process_init, begin)
    _connect(signals.worker_process_shutdown, end)
    _connect(signals.worker_ready, ready)
    worker = app.Worker(
        hostname=f"{queue}-{os.getpid()}@{socket.gethostname()}",
        queues=[str(queue)],
        pool="prefork",
        concurrency=processes,
        # A free process takes the next message, instead of one behind a long task.
        optimization="fair",
        loglevel="INFO",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        no_color=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


@contextmanager
def showing_measures(settings: Settings, queue: Queue, *others: Any) -> Iterator[None]:
    """Have this pool process scraped: ten ports for each queue, behind the API's ten.

    others: collectors that are shown beside what the process counts.
    """
    if settings.metrics_port == 0:
        yield
        return
    from billiard import current_process

    from moderation.telemetry.exposition import measured

    index = getattr(current_process(), "index", 0) % PORTS_A_QUEUE
    port = settings.metrics_port + PORTS_A_QUEUE * (1 + list(Queue).index(queue)) + index
    with ExitStack() as shown:
        try:
            shown.enter_context(measured(port, *others))
        except OSError as error:
            # The one before may still be ending; what scores matters more than who counts.
            logging.getLogger(__name__).warning("no measures at port %d: %s", port, error)
        yield


def run_beat(settings: Settings) -> None:
    """Send the maintenance tasks when they are due, until SIGTERM or SIGINT. One is enough.

    Raises:
        ConfigurationError: no broker, or packages that are not installed.
    """
    from celery import signals

    from workers.app import make_app
    from workers.schedule import schedule

    _log(settings)
    app = make_app(settings)
    app.conf.beat_schedule = schedule(settings)
    # In place of Celery's own handlers, which raise SystemExit wherever beat is: a client of the
    # broker may lose it on the way, and beat goes on for ever.
    _connect(signals.beat_init, _end_at_once)
    # In memory: what is due is in the database, and a file that is cut off would stop the start.
    app.Beat(scheduler="celery.beat:Scheduler", quiet=True, loglevel="INFO").run()


def _end_at_once(**_: Any) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        # Beat keeps nothing that would have to be written.
        signal.signal(number, lambda *_: os._exit(0))


def _connect(sent: Any, receiver: Callable[..., None]) -> None:
    sent.connect(receiver, weak=False)
