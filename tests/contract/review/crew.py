"""Many reviewers at once: processes with threads, each claiming and deciding until none is left."""

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection

from moderation.database import open_engine
from moderation.review.claims import claim
from moderation.review.decisions import decide
from moderation.review.rules import ReviewRules
from moderation.review.transaction import Review
from moderation.review.types import Action, Finding, Verdict

# Children of a server that has imported what they need, and has no threads or connections.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.contract.review.crew"])
RULES = ReviewRules(second_rate=0.0, golden_rate=0.0, salt="crew")
_FINDING = Finding(Verdict.AUTHENTIC, Action.LEAVE, reason_code="none")


@dataclass(frozen=True)
class Taken:
    """A claim; the times are of the machine's monotonic clock, the same in every process."""

    task_id: str
    reviewer_id: str
    started: float
    ended: float


def work_off(url: str, reviewers: Sequence[str], second_rate: float = 0.0) -> list[Taken]:
    """What `reviewers`, a thread each, take until there is nothing for them."""
    engine = open_engine(url, connections=len(reviewers))
    review = Review(engine, replace(RULES, second_rate=second_rate))

    def one(reviewer_id: str) -> list[Taken]:
        taken = []
        while True:
            started = time.monotonic()
            with review.at(datetime.now(UTC)) as tx:
                claimed = claim(tx, reviewer_id)
            if claimed is None:
                return taken
            taken.append(Taken(claimed.task.id, reviewer_id, started, time.monotonic()))
            with review.at(datetime.now(UTC)) as tx:
                decide(tx, claimed.lease.token, _FINDING)

    with ThreadPoolExecutor(len(reviewers)) as threads:
        found = [each for part in threads.map(one, reviewers) for each in part]
    engine.dispose()
    return found


def stop_at(url: str, reviewer_id: str, point: str, ready: Connection) -> None:
    """Claim a task and wait at `point` for ever, to be killed there."""
    review = Review(open_engine(url), RULES)

    def wait(now_at: str) -> None:
        if now_at == point:
            ready.send(point)
            time.sleep(3600)

    with review.at(datetime.now(UTC)) as tx:
        claimed = claim(tx, reviewer_id)
        assert claimed is not None
        wait("in claim")
    wait("after claim")
    with review.at(datetime.now(UTC)) as tx:
        decide(tx, claimed.lease.token, _FINDING)
        wait("in decide")
    wait("after decide")


def crew(url: str, reviewers: Sequence[str], processes: int) -> list[Taken]:
    """The same with the reviewers spread over `processes`."""
    shares = [(url, reviewers[start::processes]) for start in range(processes)]
    with FORKS.Pool(processes) as pool:
        return [taken for part in pool.starmap(work_off, shares) for taken in part]


def out_of_order(order: Sequence[str], taken: Sequence[Taken]) -> list[Taken]:
    """Claims that came too early: that had ended when the claim of a better task began.

    order: all tasks, best first. A task that a running claim holds is passed over by others,
    rightly; so only claims that do not overlap can be told apart.
    """
    by_id = {each.task_id: each for each in taken}
    latest_start = 0.0
    early = []
    for task_id in order:
        if by_id[task_id].ended < latest_start:
            early.append(by_id[task_id])
        latest_start = max(latest_start, by_id[task_id].started)
    return early
