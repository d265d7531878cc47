"""A training process killed in the middle of its stages, and started again."""

import json
import multiprocessing
import signal
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from rl.stages.run import FINISHED, stage_folder
from rl.stages.stage_log import LOG
from tests.faults.training_run import RECIPE, train
from tests.unit.judge.builders import write_backbone

_UNLIKE = ("step_time", "runtime", "_per_second", "total_flos", "train_loss")


def run(backbone: Path, out: Path, killed_stage: int = 0, killed_step: int = 0) -> int | None:
    """The exit code of a process that trains."""
    # Forked of one that has imported everything and computed nothing.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([train.__module__])
    process = context.Process(target=train, args=(backbone, out, killed_stage, killed_step))
    process.start()
    process.join()
    return process.exitcode


def log(out: Path, number: int) -> list[dict[str, Any]]:
    path = stage_folder(out, number, RECIPE.stages[number - 1]) / LOG
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [{k: v for k, v in line.items() if not any(u in k for u in _UNLIKE)} for line in lines]


def test_killed_in_two_stages_and_resumed_all_losses_are_the_same(tmp_path: Path) -> None:
    """The first kill leaves more than a hundred steps of regression."""
    backbone = write_backbone(tmp_path)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert run(backbone, whole) == 0
    assert run(backbone, cut, 1, 27) == -signal.SIGKILL
    assert len(log(cut, 1)) == 27
    assert run(backbone, cut, 2, 8) == -signal.SIGKILL
    assert len(log(cut, 2)) == 8
    assert run(backbone, cut) == 0
    regression = log(whole, 1)
    assert sum("squared_error" in line for line in regression) == 130
    assert log(cut, 1) == regression
    # transformers ends its log with a summary of what this process did.
    assert log(cut, 2)[:-1] == log(whole, 2)[:-1]
    assert any(line.get("grad_norm", 0.0) > 0 for line in log(whole, 2))
    for number, stage in enumerate(RECIPE.stages, start=1):
        expected = load_file(stage_folder(whole, number, stage) / FINISHED)
        found = load_file(stage_folder(cut, number, stage) / FINISHED)
        assert all(torch.equal(value, found[name]) for name, value in expected.items())
