"""How long something took, over all the times that it was gone on with."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moderation.atomic import write_bytes

NAME = "seconds.json"


@contextmanager
def timed(folder: Path) -> Iterator[None]:
    """Add the wall time of the block to the folder's, also when it ends by an exception.

    A killed process adds nothing.
    """
    start = time.monotonic()
    try:
        yield
    finally:
        seconds = elapsed_seconds(folder) + time.monotonic() - start
        write_bytes(folder / NAME, json.dumps({"seconds": round(seconds, 3)}).encode())


def elapsed_seconds(folder: Path) -> float:
    """Wall time so far; 0 where nothing was timed."""
    path = folder / NAME
    return float(json.loads(path.read_bytes())["seconds"]) if path.exists() else 0.0
