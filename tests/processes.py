"""Child processes of a test run."""

import contextlib

import psutil


def children() -> set[int]:
    """Descendants of this process, without a database's: its server starts some when it likes."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.name() != "postgres":
                found.add(child.pid)
    return found
