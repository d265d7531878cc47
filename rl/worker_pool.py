"""A pool of processes that ends with the process that began it, however that one ends."""

import os
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process


def worker_pool(workers: int) -> ProcessPoolExecutor:
    """Spawned, not forked: forked children would inherit the locks of native libraries.

    A killed parent closes nothing, and its workers would wait for work for ever: each watches it.
    """
    return ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_end_with_parent
    )


def _end_with_parent() -> None:
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    assert parent is not None  # noqa: S101 - a spawned process has one
    parent.join()
    os._exit(1)
