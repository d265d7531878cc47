"""Signs of life, as probes read them."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from workers.heartbeat import Heart, Heartbeat, heartbeats


def test_a_process_says_that_it_lives_until_it_ends(tmp_path: Path) -> None:
    heart = Heart(tmp_path / "run", "score")
    [found] = heartbeats(tmp_path / "run")
    assert (found.queue, found.pid, found.busy_seconds) == ("score", os.getpid(), 0.0)
    assert found.is_well(age_seconds_max=30, task_seconds_max=30)
    heart.close()
    assert heartbeats(tmp_path / "run") == []


def test_a_long_task_shows(tmp_path: Path) -> None:
    heart = Heart(tmp_path, "score", seconds=0.01)
    pause = threading.Event()
    with heart.working():
        while heartbeats(tmp_path)[0].busy_seconds == 0.0:
            pause.wait(0.01)
    heart.close()


def test_silence_and_a_task_without_end_are_ill() -> None:
    bounds = {"age_seconds_max": 30.0, "task_seconds_max": 900.0}
    assert Heartbeat("score", 1, 29.0, 899.0).is_well(**bounds)
    assert not Heartbeat("score", 1, 31.0, 0.0).is_well(**bounds)
    assert not Heartbeat("score", 1, 1.0, 901.0).is_well(**bounds)


def test_what_killed_processes_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = {"queue": "score", "pid": gone.pid, "busy_seconds": 0.0}
    (tmp_path / f"score.{gone.pid}.json").write_text(json.dumps(left))
    (tmp_path / "torn.1.json").write_text('{"queue": "sc')
    heart = Heart(tmp_path, "score")
    assert [one.pid for one in heartbeats(tmp_path)] == [os.getpid()]
    heart.close()
