"""What a stage logs: JSON lines, and the same for TensorBoard."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from torch.utils.tensorboard import SummaryWriter

from rl.json_log import append, forget_after

LOG = "log.jsonl"
BOARD = "tensorboard"


def board(folder: Path, *, start: int) -> Any:
    """TensorBoard's writer for a stage that begins, or goes on, behind step `start`."""
    return SummaryWriter(str(folder / BOARD), purge_step=start + 1)


class StageLog:
    """Both logs of a stage's folder, without what comes after step `start`.

    is_main: the one process that writes.
    """

    def __init__(self, folder: Path, *, start: int, is_main: bool) -> None:
        self._path = folder / LOG
        self._board = None
        if is_main:
            forget_after(self._path, start)
            self._board = board(folder, start=start)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._board is not None:
            self._board.close()

    def write(self, step: int, figures: Mapping[str, float | str]) -> None:
        """One line, and a point of each curve; step: how many are done."""
        if self._board is None:
            return
        append(self._path, step, figures)
        for name, value in figures.items():
            if not isinstance(value, str):
                self._board.add_scalar(f"train/{name}", value, step)
