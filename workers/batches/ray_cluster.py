"""A Ray cluster: that of RAY_ADDRESS, or one on this machine that ends with this process."""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ray
from ray._private import services, utils, worker

from moderation.settings import cores

_log = logging.getLogger(__name__)
_STORE_BYTES = 256 * 2**20
_ON_THIS_MACHINE = {
    # It would end actors, again and again, for the memory that others take.
    "RAY_memory_monitor_refresh_ms": "0",
    # A process that imports for longer on a busy machine would be ended, and begun anew.
    "RAY_worker_register_timeout_seconds": "300",
}
START_SECONDS_MAX = 300.0
_TALKATIVE = ("ray.data", "ray.data._internal.progress")


def connect() -> None:
    """Nothing is told to the makers of Ray, and signals stay whose they were."""
    if ray.is_initialized():
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    here: dict[str, Any] = {
        "num_cpus": cores(),
        "object_store_memory": _STORE_BYTES,
        "include_dashboard": False,
    }
    where = {} if "RAY_ADDRESS" in os.environ else here
    if where:
        for name, value in _ON_THIS_MACHINE.items():
            os.environ.setdefault(name, value)
    # Ray tells on standard output, where rows may go, what befalls its processes.
    worker.print_to_stdstream = _log_lines
    with _keeping_signals(), _without_arguments(), _patiently():
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **where)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)


def _log_lines(said: Mapping[str, Any], **_: Any) -> None:
    for line in said["lines"]:
        _log.warning("%s", line)


@contextmanager
def _keeping_signals() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def _without_arguments() -> Iterator[None]:
    """Ray keeps the command line where all of a cluster can read it, and fails over a file name
    in it that is no UTF-8; there is no public way to name a job."""
    before = utils.get_entrypoint_name
    utils.get_entrypoint_name = lambda: "moderation score"
    try:
        yield
    finally:
        utils.get_entrypoint_name = before


@contextmanager
def _patiently() -> Iterator[None]:
    """Ray gives its own processes 30 seconds to come up, which a busy machine does not have, and
    has no setting for it; so the question whether they are there is asked until they are."""
    before = services.get_node

    def get_node(*arguments: Any) -> Any:
        end = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                return before(*arguments)
            except RuntimeError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    services.get_node = get_node
    try:
        yield
    finally:
        services.get_node = before
