"""Which of the checkpoints that transformers' trainer wrote is to be gone on from."""

import json
from pathlib import Path

_STATE = "trainer_state.json"


def last_checkpoint(folder: Path) -> Path | None:
    """The latest one that is whole: its state is written last; None without any."""
    whole = [path for path in folder.glob("checkpoint-*") if _is_json(path / _STATE)]
    return max(whole, key=checkpoint_step, default=None)


def checkpoint_step(checkpoint: Path | None) -> int:
    """How many steps had been done; 0 without a checkpoint."""
    return 0 if checkpoint is None else int(checkpoint.name.rpartition("-")[2])


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
