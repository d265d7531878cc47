"""The scripted dispatcher of the casework tests, as the plugin that real processes load."""

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from moderation.dispatch import ScoringParts
from moderation.types import ItemResult, Mode
from tests.contract.casework.scripted import ScriptedDispatcher

LOG = "SCRIPTED_LOG"
"""Environment variable with the file that each begun score is noted in."""


class LoggingDispatcher(ScriptedDispatcher):
    """Also understands `slow SECONDS DIGIT`, and notes what it begins and what it has ended."""

    def __init__(self, parts: ScoringParts) -> None:
        super().__init__()
        self.judge_id, self.setup, self.limits = parts.judge_id, parts.setup, parts.limits
        self._parts = parts

    def score(
        self, paths: Iterable[Path], mode: Mode, *, rationales: int = 1
    ) -> Iterator[ItemResult]:
        for path in paths:
            self._note("begun", path, mode)
            yield self._one(path, mode)
            self._note("ended", path, mode)

    def _one(self, path: Path, mode: Mode) -> ItemResult:
        script, *rest = path.read_text().split()
        if script == "slow":
            time.sleep(float(rest[0]))
        return super()._one(path, mode)

    def _script(self, path: Path) -> str:
        script, *rest = path.read_text().split()
        return rest[1] if script == "slow" else script

    def _note(self, what: str, path: Path, mode: Mode) -> None:
        if LOG in os.environ:
            with Path(os.environ[LOG]).open("a") as file:
                file.write(f"{what} {mode} {os.getpid()} {path.read_text()}\n")

    def __exit__(self, *_: object) -> None:
        self._parts.resources.close()
