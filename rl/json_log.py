"""A JSON line for every logged step of a transformers trainer."""

import json
import math
from pathlib import Path
from typing import Any

from transformers import TrainerCallback


class JsonLog(TrainerCallback):  # type: ignore[misc]
    """Appends what the trainer logs to `path`, with its step.

    A resumed run takes the steps after its checkpoint again; their old lines are dropped first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Forget what comes after the step that training starts from."""
        if not state.is_world_process_zero:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lines = self._path.read_text("utf-8").splitlines() if self._path.exists() else []
        kept = [line for line in lines if _step(line) <= state.global_step]
        self._path.write_text("".join(f"{line}\n" for line in kept), "utf-8")

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Write one line."""
        if state.is_world_process_zero and logs:
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"step": state.global_step, **logs}) + "\n")


def _step(line: str) -> float:
    """The step of a line; infinite for one that a killed run left half written."""
    try:
        return int(json.loads(line)["step"])
    except ValueError:
        return math.inf
