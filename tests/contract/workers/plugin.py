"""The scripted dispatcher of the casework tests, as the plugin that real processes load."""

import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from encoders.types import Modality
from moderation.casework.failures import item_error
from moderation.dispatch import ScoringParts
from moderation.errors import TypedError
from moderation.types import ItemError, ItemResult, Mode
from tests.contract.casework.scripted import ScriptedDispatcher

_SCRIPT = re.compile(rb"(\d|slow|corrupt|later|break|busy|kill)( |$)")
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
        if (media := self._media(path)) is not None:
            return media
        script, *rest = path.read_text().split()
        if script == "slow":
            time.sleep(float(rest[0]))
        return super()._one(path, mode)

    def _media(self, path: Path) -> ItemResult | None:
        """What is no script is decoded in the real sandbox, and has no score: it abstains."""
        if _SCRIPT.match(path.read_bytes()):
            return None
        try:
            self._parts.read(path)
        except TypedError as error:
            return ItemResult(str(path), path.name, None, None, None, item_error(error))
        error = ItemError("no_script", "media that were decoded", "a script", "-", False)
        return ItemResult(str(path), path.name, Modality.IMAGE, None, None, error)

    def _script(self, path: Path) -> str:
        script, *rest = path.read_text().split()
        return rest[1] if script == "slow" else script

    def _note(self, what: str, path: Path, mode: Mode) -> None:
        if LOG in os.environ:
            with Path(os.environ[LOG]).open("a") as file:
                script = path.read_bytes()[:40].decode("ascii", "replace")
                file.write(f"{what} {mode} {os.getpid()} {script}\n")

    def __exit__(self, *_: object) -> None:
        self._parts.resources.close()
