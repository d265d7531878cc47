"""A JSON line for every logged step of training.

A resumed run takes the steps after its checkpoint again; their old lines are dropped first.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback


def forget_after(path: Path, step: int) -> None:
    """Drop the lines of later steps, and one that a killed run left half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    kept = [line for line in lines if _step(line) <= step]
    path.write_text("".join(f"{line}\n" for line in kept), "utf-8")


def append(path: Path, step: int, figures: Mapping[str, Any]) -> None:
    """Write one line."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({"step": step, **figures}) + "\n")


class JsonLog(TrainerCallback):  # type: ignore[misc]
    """Appends what a transformers trainer logs to `path`, with its step."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Forget what comes after the step that training starts from."""
        if state.is_world_process_zero:
            forget_after(self._path, state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Write one line."""
        if state.is_world_process_zero and logs:
            append(self._path, state.global_step, logs)


def _step(line: str) -> float:
    """The step of a line; infinite for one that is no JSON."""
    try:
        return int(json.loads(line)["step"])
    except ValueError:
        return math.inf
