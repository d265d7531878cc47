"""A Ray cluster: that of RAY_ADDRESS, or one on this machine that ends with this process."""

import logging
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ray
from ray._private import utils, worker

from moderation.settings import cores

_log = logging.getLogger(__name__)
_STORE_BYTES = 256 * 2**20
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
        # It ends actors, again and again, for the memory that others of this machine take.
        os.environ.setdefault("RAY_memory_monitor_refresh_ms", "0")
    # Ray tells on standard output, where rows may go, what befalls its processes.
    worker.print_to_stdstream = _log_lines
    with _keeping_signals(), _without_arguments():
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
