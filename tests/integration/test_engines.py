"""The starter judge gives the same rows in this process, on a Celery worker and on Ray."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service_processes import ServiceProcesses, service_processes

# Each engine loads the judge anew, which takes minutes on a busy machine.
pytestmark = [pytest.mark.weights, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "docs" / "samples"
NUMBERS = ("score", "digit_mass", *(f"p{k}" for k in range(10)))
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcesses]:
    """A broker, and the settings of a worker with small orders."""
    folder = tmp_path_factory.mktemp("engines")
    url = f"sqlite:///{folder}/none.sqlite"
    with service_processes(folder, url, dispatcher="local", batch_items_max=3) as started:
        started.start_redis()
        yield started


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Each kind, one twice, a name that is no UTF-8, something else, and nothing at all."""
    folder = tmp_path_factory.mktemp("inputs")
    odd = Path(os.fsdecode(os.fsencode(folder) + b"/odd \xff.wav"))
    odd.write_bytes((SAMPLES / "voice-genuine.wav").read_bytes())
    media = sorted(SAMPLES.glob("*-*.*"))
    relative = [os.path.relpath(path, ROOT) for path in media]
    return [*relative, str(odd), "docs/samples/LICENSES.md", str(folder / "gone.mp4")]


def score(processes: ServiceProcesses, *arguments: str) -> tuple[int, Rows]:
    run = processes.run("score", "--json", *arguments, seconds=280)
    assert run.returncode in (0, 3), run.stderr
    return run.returncode, [json.loads(line) for line in run.stdout.splitlines()]


@pytest.fixture(scope="module")
def local(processes: ServiceProcesses, inputs: list[str]) -> Rows:
    return score(processes, *inputs)[1]


@pytest.mark.parametrize("engine", ["celery", "ray"])
def test_rows_are_the_same_and_a_resumed_run_makes_only_the_missing_ones(
    processes: ServiceProcesses, inputs: list[str], local: Rows, engine: str, tmp_path: Path
) -> None:
    if engine == "ray":
        pytest.importorskip("ray", reason="the extra `ray` is not installed")
    else:
        processes.start("worker", "--queues", "batch")
    out = tmp_path / "out.parquet"
    code, some = score(processes, "--engine", engine, "--out", str(out), *inputs[:2])
    assert (code, len(some)) == (0, 2)
    run = processes.run(
        "score", "--engine", engine, "--out", str(out), "--resume", *inputs, seconds=280
    )
    assert run.returncode == 3
    assert "2 kept from before" in run.stdout
    code, rows = score(processes, "--engine", "local", "--out", str(out), "--resume", *inputs)
    assert code == 3
    assert [row["path"] for row in rows] == [row["path"] for row in local]
    for row, expected in zip(rows, local, strict=True):
        for name in NUMBERS:
            assert row.pop(name) == pytest.approx(expected[name], abs=1e-4), name
        assert row == {name: expected[name] for name in row}
    assert sum(row["duplicate_of"] is not None for row in rows) == 1


def test_serving_refuses_an_engine_that_only_takes_batches(
    processes: ServiceProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(processes.environment, "MODERATION_DISPATCHER", "celery")
    for arguments in (("serve",), ("inspect", str(SAMPLES / "photo-genuine.jpg"))):
        broker = processes.environment.pop("MODERATION_BROKER_URL")
        run = processes.run(*arguments)
        processes.environment["MODERATION_BROKER_URL"] = broker
        assert run.returncode == 2
        assert "the dispatcher 'celery'" in run.stderr
        assert "--engine" in run.stderr
