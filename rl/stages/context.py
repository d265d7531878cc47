"""What every stage is given besides its own table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console

from rl.data import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class StageContext:
    """folder: the stage's own, for checkpoints and logs. seed: the recipe's.

    train, validation: the examples of these splits. untrained: trainable state of the judge before
    the first stage. console: where progress is shown.
    """

    folder: Path
    seed: int
    train: Sequence[Example]
    validation: Sequence[Example]
    untrained: Mapping[str, torch.Tensor]
    console: Console
