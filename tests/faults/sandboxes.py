"""Sandboxes around a reader that misbehaves, and the processes that are theirs."""

import contextlib
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from encoders.base import ReadLimits, ReadRequest
from encoders.sampling import Uniform

HERE = Path(__file__).resolve().parent
READER = "misbehaving_reader:read"
REQUEST = ReadRequest(Uniform())
# Long enough for a starved machine: what must end earlier is stopped by another limit.
LIMITS = ReadLimits(
    wall_seconds=120.0, cpu_seconds=30, memory_bytes=700 * 2**20, output_bytes_max=128 * 2**20
)
IMPATIENT = dataclasses.replace(LIMITS, wall_seconds=1.0)
PATIENCE_SECONDS = 60.0
"""How long a test waits for what must happen; it goes on as soon as it has."""
MakeFile = Callable[..., Path]


def zygotes() -> list[psutil.Process]:
    """Of the sandboxes of this process, which has other children: a database's server, for one."""

    def is_one(child: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            return "encoders.sandbox_child" in child.cmdline()
        return False

    return [child for child in psutil.Process().children() if is_one(child)]


def zygote_pid(known: set[int]) -> int:
    (pid,) = {zygote.pid for zygote in zygotes()} - known
    return pid


def wait_for(fact: Callable[[], Any]) -> Any:
    """The first true value of `fact`."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not (value := fact()):
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)
    return value


def decoders(zygote: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return [child for child in psutil.Process(zygote).children() if child.status() != "zombie"]
    return []


def require_no_decoders(known: set[int] | None = None) -> None:
    """No zygote has a child; beyond those of `known`, there is no zygote either."""

    def are_gone() -> bool:
        left = [child for zygote in zygotes() for child in decoders(zygote.pid)]
        if known is not None:
            left += [zygote for zygote in zygotes() if zygote.pid not in known]
        return not left

    assert wait_for(are_gone)


def require_gone(pids: list[int]) -> None:
    assert wait_for(lambda: not any(psutil.pid_exists(pid) for pid in pids))
