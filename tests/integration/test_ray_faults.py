"""Ray on this machine: an actor that is killed, and a client that is told to stop."""

import json
import signal
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from moderation.result_files import read_rows
from tests.integration.killing_judge import EVERY, HANGS, KILLS, NOTED, install
from tests.service_processes import ServiceProcesses, service_processes, until
from workers.batches.errors import LOST_AT_FIRST_MAX

# Processes that load torch one after the other; on a busy machine that takes minutes.
pytestmark = [pytest.mark.weights, pytest.mark.timeout(600)]
RAYS_OWN_PATIENCE_SECONDS = 30.0
pytest.importorskip("ray", reason="the extra `ray` is not installed")


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[ServiceProcesses]:
    settings = {
        "dispatcher": "ray",
        "encoders": "forensic",
        "judge_plugin": "killing",
        "batch_items_max": 2,
    }
    with service_processes(tmp_path, f"sqlite:///{tmp_path}/none", **settings) as started:
        install(tmp_path / "site")
        started.environment[NOTED] = str(tmp_path / "noted")
        yield started


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    noise = np.random.default_rng(2)
    files = [tmp_path / f"{k}.png" for k in range(6)]
    for file in files:
        Image.fromarray(noise.integers(0, 256, (96, 96, 3), np.uint8)).save(file)
    return files


def digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def noted(processes: ServiceProcesses) -> list[str]:
    file = Path(processes.environment[NOTED])
    return [line.split()[1] for line in file.read_text().splitlines()] if file.exists() else []


def test_a_file_that_kills_its_actor_is_the_only_one_without_a_score(
    processes: ServiceProcesses, pictures: list[Path]
) -> None:
    poison = digest(pictures[2])
    processes.environment[KILLS] = poison
    run = processes.run("score", "--json", *map(str, pictures), seconds=280)
    assert run.returncode == 3, run.stderr
    rows = [json.loads(line) for line in run.stdout.splitlines()]  # Ray's own words are elsewhere
    assert [row["error_code"] for row in rows] == [None, None, "worker_lost", None, None, None]
    assert noted(processes).count(poison) == 2


def test_actors_that_all_end_are_given_up(
    processes: ServiceProcesses, pictures: list[Path]
) -> None:
    processes.environment |= {KILLS: EVERY, "MODERATION_BATCH_ITEMS_MAX": "6"}
    run = processes.run("score", *map(str, pictures), seconds=500)
    assert (run.returncode, "worker_unfit" in run.stderr) == (2, True), run.stderr
    assert "actors ended over each of the first 5 tries" in run.stderr
    assert len(noted(processes)) == LOST_AT_FIRST_MAX


def test_memory_that_others_take_ends_no_actor(
    processes: ServiceProcesses, pictures: list[Path]
) -> None:
    """Ray's monitor would end whatever it runs: more than this share is always in use."""
    processes.environment["RAY_memory_usage_threshold"] = "0.01"
    run = processes.run("score", "--json", *map(str, pictures[:2]), seconds=280)
    assert run.returncode == 0, run.stderr
    assert len(noted(processes)) == 2


def test_a_machine_that_is_slow_to_start_ray_is_waited_for(
    processes: ServiceProcesses, pictures: list[Path]
) -> None:
    """What Ray starts stands still for longer than it waits for it, as on a busy machine."""
    client = processes.start("score", *map(str, pictures[:2]))

    def raylets() -> list[psutil.Process]:
        family = psutil.Process(client.pid).children(recursive=True)
        return [process for process in family if process.name() == "raylet"]

    until(raylets, seconds=280)
    [raylet] = raylets()
    raylet.suspend()
    time.sleep(RAYS_OWN_PATIENCE_SECONDS + 5)
    raylet.resume()
    assert client.wait(280) == 0, processes.log.read_text()[-4000:]


def test_an_interrupted_batch_saves_its_rows_and_leaves_no_process(
    processes: ServiceProcesses, pictures: list[Path], tmp_path: Path
) -> None:
    out, hanging = tmp_path / "out.jsonl", digest(pictures[2])
    processes.environment[HANGS] = hanging
    client = processes.start("score", "--out", str(out), *map(str, pictures))
    until(lambda: hanging in noted(processes), seconds=280)
    until(lambda: (tmp_path / "out.jsonl.partial.jsonl").read_bytes().count(b"\n") == 2)
    family = psutil.Process(client.pid).children(recursive=True)
    assert any("raylet" in process.name() for process in family)
    client.send_signal(signal.SIGTERM)
    assert client.wait(60) == 130
    until(lambda: not any(process.is_running() for process in family))
    assert [Path(row["path"]).name for row in read_rows(out)] == ["0.png", "1.png"]
