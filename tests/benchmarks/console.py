"""`make bench`: the console in a real Chromium, on SQLite.

    python -m tests.benchmarks.console [--waiting 100000] [--rounds 60] [--hours 2]
                                       [--out FILE.json]

From the key of a decision to the next item drawn, with a long queue against one of 100, in turns;
what each page weighs; and how much of a long video is sent when its task is opened and sought in.
Only ratios and bytes are results: times are of the machine at hand.
"""

import argparse
import json
import multiprocessing
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from shutil import copyfile, which

from playwright.sync_api import Browser, Page, sync_playwright

from tests.benchmarks.pages import Weight, media_bytes, press_and_draw, weigh

SHORT = 100
SAMPLE = Path(__file__).parents[2] / "docs" / "samples" / "photo-genuine.jpg"
_WARM_UP = 5


@dataclass(frozen=True, slots=True)
class Served:
    """A console in a process of its own. film_task: whose media is the long video, if there."""

    address: str
    keys: dict[str, str]
    film_task: str | None


def serve(folder: Path, real: int, waiting: int, film: Path | None, ready: Connection) -> None:
    """A queue of `waiting` tasks, of which the first `real` have items with a picture."""
    import socket

    import uvicorn

    from moderation.access.enrolment import issue_key
    from moderation.access.keys import AccessRole
    from moderation.casework.running import work_off
    from moderation.database import open_engine, reading, upgrade, writing
    from moderation.intake.listings import dispositions_of
    from moderation.intake.types import Views
    from moderation.web.application import add_console
    from tests.api_application import application
    from tests.benchmarks.review import multiply
    from tests.contract.casework.scripted import deployment, make_desk, policy, send

    engine = open_engine(f"sqlite:///{folder}/moderation.sqlite")
    upgrade(engine)
    deployed = deployment(live=policy(), calibrators={})
    desk = make_desk(engine, folder, deployment=deployed, clock=lambda: datetime.now(UTC))
    views = Views(1e6, 5e5, 100.0)
    items = [send(desk, f"5 {number}", uploader="sue", views=views) for number in range(real)]
    work_off(desk)
    for item in items:
        copyfile(SAMPLE, desk.blobs.path(item.sha256))
    multiply(engine, max(1, waiting // real))
    film_task = None
    if film is not None:
        item = send(desk, "5 film video", uploader="sue")
        work_off(desk)
        copyfile(film, desk.blobs.path(item.sha256))
        with reading(engine) as connection:
            film_task = dispositions_of(connection, item.id)[0].task_id
    roles = {"ann": AccessRole.REVIEWER, "lea": AccessRole.LEAD}
    with writing(engine) as connection:
        now = datetime.now(UTC)
        keys = {
            name: issue_key(connection, name=name, role=role, now=now).secret_text
            for name, role in roles.items()
        }
    app = application(engine, folder, clock=lambda: datetime.now(UTC))  # type: ignore[arg-type]
    add_console(app, app.state.services)
    # With the protocol named, asyncio switches Nagle's algorithm off: see tests.benchmarks.api.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    ready.send(Served(address, keys, film_task))
    config = uvicorn.Config(app, log_level="error", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def served(folder: Path, real: int, waiting: int, film: Path | None) -> Iterator[Served]:
    """Gone at the end."""
    spawn = multiprocessing.get_context("spawn")
    folder.mkdir()
    here, there = spawn.Pipe()
    process = spawn.Process(target=serve, args=(folder, real, waiting, film, there))
    process.start()
    there.close()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def make_film(path: Path, hours: float) -> None:
    """A frame a second of noise that does not compress well, as a phone's film would not."""
    picture = f"testsrc2=s=320x240:r=1:d={round(3600 * hours)},noise=alls=25:allf=t"
    encode = (
        "-c:v libx264 -preset ultrafast -crf 32 -g 10 -pix_fmt yuv420p -movflags +faststart".split()
    )
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", picture, *encode]
    subprocess.run([*command, str(path)], check=True)


def logged_in(chromium: Browser, site: Served, name: str) -> Page:
    """In a browser of their own, at the queue."""
    page = chromium.new_context(base_url=site.address).new_page()
    page.goto("/console")
    page.get_by_label("Key").fill(site.keys[name])
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Log out").wait_for()
    return page


def decision_times(chromium: Browser, sites: list[Served], rounds: int) -> list[list[float]]:
    """Milliseconds from the key to the next item drawn, at each site, in turns."""
    pages = [logged_in(chromium, site, "ann") for site in sites]
    found: list[list[float]] = [[] for _ in sites]
    for page in pages:
        press_and_draw(page, "c")
    for number in range(_WARM_UP + rounds):
        for page, times in zip(pages, found, strict=True):
            taken = press_and_draw(page, "a")
            if number >= _WARM_UP:
                times.append(taken)
    return found


def page_weights(chromium: Browser, site: Served) -> dict[str, Weight]:
    """Each as a browser loads it that has nothing yet."""
    from moderation.web.permissions import MATRIX

    lead = logged_in(chromium, site, "lea")
    places = {
        "queue": "/console/queue",
        "waiting list": "/console/queue/tasks",
        "uploads": "/console/uploads",
        "settings": "/console/settings",
        "lead": "/console/lead",
    }
    weights = {
        name: weigh(lead, place) for name, place in places.items() if ("GET", place) in MATRIX
    }
    lead.goto("/console/queue/tasks")
    task = lead.locator("tbody a").first.get_attribute("href")
    assert task is not None
    weights["item"] = weigh(lead, task)
    return weights


def run(waiting: int, rounds: int, hours: float) -> dict[str, object]:
    """Everything, as JSON."""
    path = which("chromium") or which("chromium-browser") or which("google-chrome")
    if path is None:
        raise RuntimeError("no Chromium: run deploy/setup-system.sh")
    real = rounds + _WARM_UP + SHORT
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        film = folder / "film.mp4"
        make_film(film, hours)
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        with (
            served(folder / "short", real, real, None) as short,
            served(folder / "long", real, waiting, film) as long,
        ):
            times = decision_times(chromium, [short, long], rounds)
            weights = page_weights(chromium, long)
            opened, sought = media_bytes(
                logged_in(chromium, long, "lea"), f"/console/tasks/{long.film_task}", 1800 * hours
            )
        chromium.close()
        size = film.stat().st_size
    return {
        "short_ms": _told(times[0]),
        "long_ms": _told(times[1]),
        "ratio": {name: _told(times[1])[name] / _told(times[0])[name] for name in ("p50", "p95")},
        "pages": {name: one.as_json() for name, one in weights.items()},
        "film": {"bytes": size, "opened_bytes": opened, "sought_bytes": sought},
    }


def _told(times: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=20)
    return {"p50": statistics.median(times), "p95": cuts[18]}


def main() -> None:
    """Measure, and say so."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--waiting", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    found = run(given.waiting, given.rounds, given.hours)
    print(json.dumps(found, indent=2))
    if given.out is not None:
        given.out.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
