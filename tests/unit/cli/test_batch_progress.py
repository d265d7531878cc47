"""Progress of a batch counts new results only, and moves with every file taken up."""

import io
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from moderation.cli.batch import Watch, run_batch
from moderation.cli.batch_progress import batch_progress
from moderation.cli.score import ModeChoice, score_files
from moderation.journal import Journal
from moderation.results import RunContext
from moderation.types import ItemResult, Mode
from tests.unit.cli.byte_dispatcher import ByteDispatcher


class Recorder(Watch):
    def __init__(self) -> None:
        self.events: list[str] = []

    def start(self, items: int) -> None:
        self.events.append(f"start {items}")

    def loaded(self) -> None:
        self.events.append("loaded")

    def begun(self) -> None:
        self.events.append("begun")

    def made(self) -> None:
        self.events.append("made")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / str(digit) for digit in range(5)]
    for path in paths:
        path.write_text(path.name)
    return paths


def test_rows_kept_from_before_are_no_progress(files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "r.csv"
    score_files(ByteDispatcher(), files[:3], mode=ModeChoice.FAST, out=out)
    dispatcher, recorder = ByteDispatcher(), Recorder()
    context = RunContext(Mode.FAST, dispatcher.judge_id, 1, dispatcher.setup, dispatcher.limits)
    with Journal(out, context, resume=True) as journal:
        outcome = run_batch(dispatcher, files, Mode.FAST, journal=journal, watch=recorder)
    assert (outcome.kept, outcome.made) == (3, 2)
    assert recorder.events == ["start 2", "begun", "made", "loaded", "begun", "made"]


def test_the_pace_leaves_out_what_came_before_the_second_file(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0

    class Timed(ByteDispatcher):
        """Loads for 100 s, and takes 2 s a file."""

        def score(
            self, paths: Iterable[Path], mode: Mode, *, rationales: int = 1
        ) -> Iterator[ItemResult]:
            nonlocal now
            ahead = iter(paths)
            first = next(ahead)
            now += 100.0
            for result in super().score([first, *ahead], mode):
                now += 2.0
                yield result

    monkeypatch.setattr(time, "monotonic", lambda: now)
    outcome = run_batch(Timed(), files, Mode.FAST)
    assert outcome.seconds == 10.0
    assert outcome.items_per_second == 0.5


def test_the_bar_moves_when_a_file_is_taken_up_and_when_it_is_done() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with batch_progress(console) as bar:
        bar.start(4)
        (task,) = bar.progress.tasks
        seen = [(task.description, task.completed, task.fields["made"])]
        for step in (bar.begun, bar.loaded, bar.begun, bar.begun, bar.made, bar.made):
            step()
            seen.append((task.description, task.completed, task.fields["made"]))
        assert task.total == 8
    assert seen == [
        ("loading", 0, 0),
        ("loading", 1, 0),
        ("scoring", 1, 0),
        ("scoring", 2, 0),
        ("scoring", 3, 0),
        ("scoring", 4, 1),
        ("scoring", 5, 2),
    ]


def test_nothing_is_drawn_where_there_is_no_terminal() -> None:
    drawn = io.StringIO()
    with batch_progress(Console(file=drawn)) as bar:
        bar.start(1)
        bar.begun()
        bar.made()
    assert drawn.getvalue() == ""
