"""`moderation score --engine celery`: a real client, broker and workers; scripted scores."""

import json
import os
import signal
import subprocess
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil
import pytest

from moderation.journal import journal_path
from moderation.result_files import read_rows
from tests.contract.workers.deployment import Deployment
from tests.service_processes import ServiceProcesses, until

pytestmark = [
    pytest.mark.weights,
    pytest.mark.parametrize("deployed", [{"batch_items_max": 2}], indirect=True),
]


def write(folder: Path, *scripts: str) -> list[str]:
    """Files that say what happens to them and are named by their digest, as uploads are."""
    folder.mkdir(exist_ok=True)
    paths = []
    for number, script in enumerate(scripts):
        content = f"{script} #{number}"
        path = folder / sha256(content.encode()).hexdigest()
        path.write_text(content)
        paths.append(str(path))
    return paths


def worker(processes: ServiceProcesses, *more: str) -> "subprocess.Popen[bytes]":
    return processes.start("worker", "--queues", "batch", *more)


def score(processes: ServiceProcesses, *arguments: object) -> list[dict[str, Any]]:
    """Rows of a run that ended, whatever it says of single files."""
    run = processes.run("score", "--engine", "celery", "--json", *map(str, arguments))
    assert run.returncode in (0, 3), run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def begun(processes: ServiceProcesses) -> Counter[str]:
    """How often each file was, by its content."""
    return Counter(note.split(" ", 2)[2] for note in processes.notes())


def test_rows_are_those_of_the_local_engine(deployed: Deployment, tmp_path: Path) -> None:
    processes = deployed.processes
    worker(processes, "--concurrency", "2")
    files = write(tmp_path / "files", "5", "corrupt", "6", "later", "7", "8", "9")
    [copy] = write(tmp_path / "copies", "5")
    relative = os.path.relpath(files[2], Path(__file__).parents[3])
    inputs = [*files[:2], relative, *files[3:], copy]
    found = score(processes, *inputs)
    local = processes.run("score", "--engine", "scripted", "--json", *inputs)
    assert found[-1].pop("duplicate_of") == files[0]
    expected = [json.loads(line) for line in local.stdout.splitlines()]
    assert expected[-1].pop("duplicate_of") is None  # the script knows of no other files
    assert found == expected


def test_a_file_that_kills_its_worker_is_the_only_one_without_a_score(
    deployed: Deployment, tmp_path: Path
) -> None:
    worker(deployed.processes)
    files = write(tmp_path / "files", *"5555", "kill", *"5555")
    rows = score(deployed.processes, *files)
    assert [row["error_code"] for row in rows] == [None] * 4 + ["worker_lost"] + [None] * 4
    assert begun(deployed.processes)["kill #4"] == 2


def test_a_killed_worker_costs_no_row(deployed: Deployment, tmp_path: Path) -> None:
    """Its parent as well, so that nobody is left to say that it is gone."""
    first = worker(deployed.processes)
    files = write(tmp_path / "files", "5", "slow 600 5", "6", "7")
    client = deployed.processes.start(
        "score", "--engine", "celery", "--out", str(tmp_path / "out.jsonl"), *files
    )
    until(lambda: begun(deployed.processes)["slow 600 5 #1"])
    Path(files[1]).write_text("5")  # the next try does not wait as long
    family = [psutil.Process(first.pid), *psutil.Process(first.pid).children(recursive=True)]
    for process in family:
        process.kill()
    worker(deployed.processes)
    assert client.wait(120) == 0
    assert [row["score"] for row in read_rows(tmp_path / "out.jsonl")] == [5, 5, 6, 7]


def test_a_worker_that_is_told_to_stop_hands_the_rest_on(
    deployed: Deployment, tmp_path: Path
) -> None:
    first = worker(deployed.processes)
    files = write(tmp_path / "files", "slow 5 5", "6", "7", "8")
    out = tmp_path / "out.jsonl"
    client = deployed.processes.start("score", "--engine", "celery", "--out", str(out), *files)
    until(lambda: begun(deployed.processes)["slow 5 5 #0"])
    first.terminate()
    assert first.wait(60) == 0
    assert begun(deployed.processes) == {"slow 5 5 #0": 1}
    worker(deployed.processes)
    assert client.wait(120) == 0
    assert begun(deployed.processes) == {"slow 5 5 #0": 1, "6 #1": 1, "7 #2": 1, "8 #3": 1}


def test_a_flushed_broker_costs_no_row(deployed: Deployment, tmp_path: Path) -> None:
    worker(deployed.processes)
    files = write(tmp_path / "files", "slow 5 5", "6", "7", "8", "9")
    out = tmp_path / "out.jsonl"
    client = deployed.processes.start("score", "--engine", "celery", "--out", str(out), *files)
    until(lambda: begun(deployed.processes)["slow 5 5 #0"])
    with deployed.processes.redis() as redis:
        redis.flushall()
    assert client.wait(180) == 0
    assert [row["score"] for row in read_rows(out)] == [5, 6, 7, 8, 9]
    assert begun(deployed.processes)["slow 5 5 #0"] == 1  # who was at it stayed at it


def test_an_interrupted_batch_ends_everywhere_and_is_resumed(
    deployed: Deployment, tmp_path: Path
) -> None:
    processes, out = deployed.processes, tmp_path / "out.jsonl"
    worker(processes)
    files = write(tmp_path / "files", "5", "6", "slow 4 7", "8", "5", "6", "7")
    client = processes.start("score", "--engine", "celery", "--out", str(out), *files)
    until(lambda: begun(processes)["slow 4 7 #2"])
    until(lambda: journal_path(out).read_bytes().count(b"\n") == 2)
    client.send_signal(signal.SIGINT)
    assert client.wait(60) == 130
    assert [row["score"] for row in read_rows(out)] == [5, 6]
    with processes.redis() as redis:
        until(lambda: not redis.llen("batch") and not redis.hlen("unacked"))
        assert not redis.keys("moderation:batch:wanted:*")
    assert set(begun(processes)) == {"5 #0", "6 #1", "slow 4 7 #2"}
    rows = score(processes, *files, "--out", out, "--resume")
    assert [row["score"] for row in rows] == [5, 6, 7, 8, 5, 6, 7]
    assert begun(processes)["5 #0"] == begun(processes)["6 #1"] == 1


def test_without_a_worker_it_says_how_to_start_one(deployed: Deployment, tmp_path: Path) -> None:
    files = write(tmp_path / "files", "5")
    run = deployed.processes.run("score", "--engine", "celery", *files)
    assert run.returncode == 2
    assert "no_workers" in run.stderr
    assert "moderation worker --queues batch" in run.stderr
    with deployed.processes.redis() as redis:
        assert not redis.llen("batch")


def test_without_a_broker_it_says_so(deployed: Deployment, tmp_path: Path) -> None:
    processes, files = deployed.processes, write(tmp_path / "files", "5")
    with processes.redis() as redis:
        redis.shutdown(nosave=True)
    run = processes.run("score", "--engine", "celery", *files)
    assert (run.returncode, "broker_silent" in run.stderr) == (2, True), run.stderr
    del processes.environment["MODERATION_BROKER_URL"]
    run = processes.run("score", "--engine", "celery", *files)
    assert (run.returncode, "MODERATION_BROKER_URL" in run.stderr) == (2, True), run.stderr


@pytest.mark.parametrize(
    ("setting", "differs"),
    [("FRAMES_MAX=5", "setup"), ("DECODE_CPU_SECONDS=3", "limits"), ("PROVENANCE=0", "provenance")],
)
def test_a_worker_with_other_settings_is_refused(
    deployed: Deployment, tmp_path: Path, setting: str, differs: str
) -> None:
    processes = deployed.processes
    worker(processes)
    name, _, value = setting.partition("=")
    processes.environment[f"MODERATION_{name}"] = value
    run = processes.run("score", "--engine", "celery", *write(tmp_path / "files", "5"))
    assert run.returncode == 2
    assert "worker_differs" in run.stderr
    assert f"it has {differs} " in run.stderr
    assert not processes.notes()


def test_a_worker_that_cannot_score_says_why(deployed: Deployment, tmp_path: Path) -> None:
    """Its settings send batches elsewhere, which would never end."""
    processes = deployed.processes
    processes.environment["MODERATION_DISPATCHER"] = "celery"
    worker(processes)
    run = processes.run("score", *write(tmp_path / "files", "5"))
    assert run.returncode == 2
    assert "worker_unfit" in run.stderr
    assert "the dispatcher 'celery'" in run.stderr


def test_logs_name_no_file(deployed: Deployment, tmp_path: Path) -> None:
    processes = deployed.processes
    worker(processes)
    [file] = write(tmp_path / "secret-folder", "5")
    assert [row["score"] for row in score(processes, file)] == [5]
    log = processes.log.read_text()
    assert "batch" in log
    assert "secret-folder" not in log
