"""Two processes take batches of their own, average gradients, and hold the same weights."""

import multiprocessing
import os
import socket
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from rl.recipe import Recipe
from tests.unit.judge.builders import write_backbone
from tests.unit.rl.stages.stage_runs import REGRESSION, ROLLOUTS, log, recipe, run

PLANS = {
    "supervised": recipe(REGRESSION | {"steps": 3, "validate_steps": 3, "full_share": 0.0}),
    "rollouts": recipe(ROLLOUTS | {"steps": 3, "checkpoint_steps": 3}),
}
# Validation, and the summary that transformers writes at the end, have the last step's number.
LINES = [1, 2, 3, 3]


def work(rank: int, port: int, backbone: Path, folder: Path, plan: Recipe) -> None:
    torch.set_num_threads(1)
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "ACCELERATE_USE_CPU": "true",
    }
    state = run(backbone, plan, folder / "run").trainable_state()
    save_file({n: v.contiguous() for n, v in state.items()}, folder / f"{rank}.safetensors")
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_two_processes_hold_the_same_weights_and_write_one_log(
    plan: Recipe, tmp_path: Path
) -> None:
    backbone = write_backbone(tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([work.__module__])
    shared = (port, backbone, tmp_path, plan)
    both = [context.Process(target=work, args=(rank, *shared)) for rank in (0, 1)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    first, second = (load_file(tmp_path / f"{rank}.safetensors") for rank in (0, 1))
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert [line["step"] for line in log(tmp_path / "run", plan)] == LINES
    alone = run(backbone, plan, tmp_path / "alone").trainable_state()
    assert any(not torch.equal(value, first[name]) for name, value in alone.items())
