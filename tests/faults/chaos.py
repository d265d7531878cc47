"""Uploads over HTTP while every part is killed and started again at random; then all is counted.

`python -m tests.faults.chaos --uploads 500 --seed 1` prints what happened as JSON, and exits 1 if
an accepted upload has not exactly one route, or is dead and not in review, or is decided twice,
or if the audit chain does not hold, or a process is left.
"""

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, func, select

from moderation.access.enrolment import issue_key
from moderation.access.keys import AccessRole
from moderation.audit.check import verify_store
from moderation.audit.store import Search, search
from moderation.casework.scoring import utc_now
from moderation.client import ApiError, ModerationClient, ServerUnreachable
from moderation.database import DatabaseBusy, reading, writing
from moderation.intake.tables import IS_OPEN, dispositions, items, jobs
from moderation.intake.types import JobKind, JobState
from moderation.review.tables import tasks
from moderation.types import Disposition
from tests.faults.chaos_parts import Parts, Target, processes_in

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
SENDERS = 3
SETTLE_SECONDS = 1200.0


@dataclass
class Outcome:
    """What came of a run. revived: parts that ended by themselves. faults: must never happen."""

    seed: int
    uploads: int
    kills_wanted: int
    accepted: set[str] = field(default_factory=set)
    kills: Counter[str] = field(default_factory=Counter)
    revived: Counter[str] = field(default_factory=Counter)
    routes: Counter[str] = field(default_factory=Counter)
    dead: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def awaits_a_kill(self) -> bool:
        """Whether uploads are ahead of the kills: they come as long as these do, so that parts are
        killed while they work."""
        share = min(1.0, (self.kills.total() + 1) / max(self.kills_wanted, 1))
        return len(self.accepted) >= share * self.uploads

    def as_json(self) -> str:
        """One object."""
        shown = vars(self) | {"accepted": len(self.accepted)}
        return json.dumps(shown, indent=2)


def mixed(numbers: random.Random, count: int) -> list[bytes]:
    """Scores of all kinds, copies, files that cannot be read, real media, and one that kills."""
    media = [path.read_bytes() for path in sorted(SAMPLES.glob("*.jpg"))[:2]]
    media += [path.read_bytes() for path in sorted(SAMPLES.glob("*.wav"))[:2]]
    media += [one[: len(one) // 3] for one in media]
    made = [b"kill"]
    for number in range(count - 1):
        kind = numbers.random()
        if kind < 0.1:
            made.append(numbers.choice(media))
        elif kind < 0.3:
            # Its own bytes behind the end: what is known already is not decoded again.
            made.append(numbers.choice(media) + b"%d" % number)
        elif kind < 0.35:
            made.append(b"corrupt %d" % number)
        elif kind < 0.5:
            made.append(b"%d copy" % numbers.randrange(10))
        elif kind < 0.6:
            made.append(b"slow 0.3 %d %d" % (numbers.randrange(10), number))
        else:
            made.append(b"%d %d" % (numbers.randrange(10), number))
    numbers.shuffle(made)
    return made


def send(parts: Parts, key: str, waiting: list[Path], outcome: Outcome) -> None:
    """Hand files in until none is left, each until it is accepted."""
    with ModerationClient(f"http://127.0.0.1:{parts.port}", key, timeout_seconds=60) as client:
        while waiting:
            if outcome.awaits_a_kill():
                time.sleep(0.05)
                continue
            path = waiting.pop()
            while True:
                try:
                    item = client.upload(path, facts={"surface": "feed"})
                except ServerUnreachable:
                    time.sleep(0.2)
                except ApiError as error:
                    if error.status < 500:
                        raise
                    time.sleep(0.2)
                else:
                    outcome.accepted.add(item.id)
                    break


def torment(
    parts: Parts, numbers: random.Random, outcome: Outcome, senders: list[threading.Thread]
) -> None:
    """Kill parts in random order, each kind as often as the others, while uploads come.

    What is not there, as a decoder between two files, is killed as soon as it is.
    """
    due: list[Target] = []
    while outcome.kills.total() < outcome.kills_wanted or any(one.is_alive() for one in senders):
        time.sleep(numbers.uniform(0.2, 2.0))
        target = next((one for one in due if parts.kill(one)), None)
        if target is None:
            due += numbers.sample(list(Target), len(Target))
            continue
        due.remove(target)
        outcome.kills[target] += 1
        if target is Target.API:
            parts.wait_until_up()
        outcome.revived.update(parts.revive())


def wait_for_the_end(parts: Parts, outcome: Outcome) -> None:
    """Until no job is open."""
    end = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < end:
        try:
            outcome.revived.update(parts.revive())
            with reading(parts.engine) as connection:
                if connection.scalar(select(func.count()).select_from(jobs).where(IS_OPEN)) == 0:
                    return
        except DatabaseBusy:
            pass
        time.sleep(0.5)
    outcome.faults.append("jobs are open after all that time")


def judge(engine: Engine, outcome: Outcome) -> None:
    """Count what must be one of each."""
    with reading(engine) as connection:
        taken = set(connection.scalars(select(items.c.id)))
        routes = connection.execute(select(dispositions)).all()
        dead = connection.execute(
            select(jobs.c.item_id, jobs.c.kind, jobs.c.error).where(jobs.c.state == JobState.DEAD)
        ).all()
        queued = Counter(connection.scalars(select(tasks.c.item_id)))
        told: dict[str, Counter[str]] = {"triaged": Counter(), "enqueued": Counter()}
        after = 0
        while page := search(connection, Search(after=after, limit=1000)):
            for one in page:
                if one["kind"] in told:
                    told[one["kind"]][one["item"]] += 1
            after = page[-1]["sequence"]
    outcome.routes = Counter(str(row.disposition) for row in routes)
    outcome.dead = Counter(f"{row.kind}: {row.error['code']}" for row in dead)
    route_of = {row.item_id: row.disposition for row in routes}
    reviews = {
        row.item_id
        for row in routes
        if row.disposition == Disposition.REVIEW and row.served_by is None
    }
    once, reviewed = Counter(dict.fromkeys(taken, 1)), Counter(dict.fromkeys(reviews, 1))
    checks = {
        "an accepted upload is not there": outcome.accepted <= taken,
        "an item has not exactly one route": Counter(row.item_id for row in routes) == once,
        "an item was triaged more or less than once": told["triaged"] == once,
        "a review is not queued exactly once": queued == reviewed == told["enqueued"],
        "a dead item is not in review": all(
            route_of.get(row.item_id) == Disposition.REVIEW
            for row in dead
            if row.kind == JobKind.SCORE
        ),
        "the audit chain is broken": verify_store(engine).chain.is_whole,
    }
    outcome.faults += [name for name, holds in checks.items() if not holds]


def run(folder: Path, *, uploads: int, seed: int, kills: int) -> Outcome:
    """The whole of it, in a folder that is empty."""
    numbers, outcome = random.Random(seed), Outcome(seed, uploads, kills)
    began = time.monotonic()
    files = []
    for number, content in enumerate(mixed(numbers, uploads)):
        files.append(folder / f"upload-{number}")
        files[-1].write_bytes(content)
    parts = Parts(folder)
    try:
        with writing(parts.engine) as connection:
            key = issue_key(connection, name="c", role=AccessRole.ADMIN, now=utc_now()).secret_text
        parts.wait_until_up()
        senders = [
            threading.Thread(target=send, args=(parts, key, files, outcome), daemon=True)
            for _ in range(SENDERS)
        ]
        for sender in senders:
            sender.start()
        torment(parts, numbers, outcome, senders)
        wait_for_the_end(parts, outcome)
        judge(parts.engine, outcome)
        if len(outcome.accepted) != uploads:
            outcome.faults.append("an upload was not accepted")
    finally:
        parts.close()
    outcome.faults += [f"process {pid} is left" for pid in processes_in(folder)]
    outcome.seconds = round(time.monotonic() - began, 1)
    if outcome.faults:
        print(parts.service.log.read_text()[-40_000:], file=sys.stderr)
    return outcome


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, help="at least so many; default: one for 5 uploads")
    given = parser.parse_args()
    kills = given.uploads // 5 if given.kills is None else given.kills
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        outcome = run(Path(folder), uploads=given.uploads, seed=given.seed, kills=kills)
    print(outcome.as_json())
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
