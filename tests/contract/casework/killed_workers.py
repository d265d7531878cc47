"""Workers that are killed by SIGKILL at a random statement, one after another; then one is not.

`python -m tests.contract.casework.killed_workers URL FOLDER SEED KILLS`. Each worker's clock is an
hour after that of the one before, so that leases of the dead have run out.
"""

import os
import random
import signal
import sys
from datetime import timedelta
from pathlib import Path

from sqlalchemy import event

from moderation.casework.running import explain_next, work_off
from moderation.database import open_engine
from moderation.intake.jobs import JobRules
from tests.contract.casework.scripted import T0, calibrator, make_desk

STATEMENTS_MAX = 150


def work(url: str, folder: Path, hour: int, die_after: int | None) -> None:
    engine = open_engine(url)
    done = 0

    def count(*_: object) -> None:
        nonlocal done
        done += 1
        if done == die_after:
            os.kill(os.getpid(), signal.SIGKILL)

    for moment in ("after_cursor_execute", "commit"):
        event.listen(engine, moment, count)
    desk = make_desk(
        engine,
        folder,
        clock=lambda: T0 + timedelta(hours=hour),
        batch_max=3,
        job_rules=JobRules(deliveries_max=3),
    )
    work_off(desk)
    while explain_next(desk):
        pass


def in_a_child(url: str, folder: Path, hour: int, die_after: int | None) -> int:
    """How it ended; negative: the signal."""
    child = os.fork()
    if child == 0:
        try:
            work(url, folder, hour, die_after)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(url: str, folder: str, seed: str, kills: str) -> None:
    calibrator()  # fitted once, before the forks
    numbers = random.Random(seed)
    hour, killed = 0, 0
    for _ in range(int(kills)):
        killed += in_a_child(url, Path(folder), hour, numbers.randint(1, STATEMENTS_MAX)) != 0
        hour += 1
    # What is left: the item that kills its worker does so until it has been begun too often.
    while in_a_child(url, Path(folder), hour, None) != 0:
        hour += 1
    print(killed)


if __name__ == "__main__":
    main(*sys.argv[1:])
