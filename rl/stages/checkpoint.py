"""Where a supervised stage has come to, in one file that is there whole or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import torch

from rl.stages.validation import Patience

CHECKPOINT = "checkpoint.pt"


class Trainable(Protocol):
    """A judge of media or of texts."""

    @property
    def device(self) -> torch.device: ...

    def trainable_state(self) -> dict[str, torch.Tensor]:
        """Everything that training changes, by name."""
        ...

    def load_trainable_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take over what `trainable_state` gave."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """step: how many are done. best_state: weights of the best validation, None before it."""

    step: int = 0
    patience: Patience = field(default_factory=Patience)
    best_state: Mapping[str, torch.Tensor] | None = None

    def at(self, step: int) -> "Progress":
        """After one more step."""
        return replace(self, step=step)

    def validated(self, spearman: float, judge: Trainable) -> "Progress":
        """After a validation of the judge as it is."""
        patience = self.patience.after(spearman)
        if patience.misses:
            return replace(self, patience=patience)
        state = {name: value.detach().clone() for name, value in judge.trainable_state().items()}
        return replace(self, patience=patience, best_state=state)


def save(
    folder: Path,
    judge: Trainable,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    progress: Progress,
) -> None:
    """Replace the folder's checkpoint."""
    path = folder / CHECKPOINT
    unfinished = path.with_suffix(".new")
    state = {
        "model": judge.trainable_state(),
        "optimiser": optimiser.state_dict(),
        "schedule": schedule.state_dict(),
        "step": progress.step,
        "best": progress.patience.best,
        "misses": progress.patience.misses,
        "best_state": progress.best_state,
    }
    torch.save(state, unfinished)
    unfinished.replace(path)


def load(
    folder: Path,
    judge: Trainable,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> Progress:
    """Take over the folder's checkpoint; the beginning, where there is none."""
    path = folder / CHECKPOINT
    if not path.exists():
        return Progress()
    state = torch.load(path, weights_only=True, map_location=judge.device)
    judge.load_trainable_state(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict(state["schedule"])
    return Progress(state["step"], Patience(state["best"], state["misses"]), state["best_state"])
