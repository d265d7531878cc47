"""A judge plugin for real pipelines that needs no model; one content ends its process, or each
does, and one hangs.

`NOTED` names the file in which it notes the contents that it judges.
"""

import os
import signal
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from encoders.types import MediaFeatures
from moderation.judge.artefact import read_description
from moderation.types import Judgment, Mode

KILLS, HANGS, NOTED = "KILLING_SHA256", "HANGING_SHA256", "NOTED_JUDGMENTS"
EVERY = "every"
_DIGITS = tuple(float(k == 5) for k in range(10))

_PLUGIN = "[moderation.judges]\nkilling = tests.integration.killing_judge:KillingJudge\n"


def install(site: Path) -> None:
    """Make it known as `killing` to processes that have this folder in their path."""
    (site / "killing-1.dist-info").mkdir()
    (site / "killing-1.dist-info" / "METADATA").write_text("Name: killing\nVersion: 1\n")
    (site / "killing-1.dist-info" / "entry_points.txt").write_text(_PLUGIN)


class KillingJudge:
    """Scores everything 5."""

    def __init__(self, judge_id: str) -> None:
        self.judge_id = judge_id

    @classmethod
    def from_folder(cls, folder: Path, **_: Any) -> Self:
        return cls(read_description(folder).judge_id)

    def require_encoders(self, versions: Mapping[str, str]) -> None:
        """It reads no features."""

    def judge(
        self, batch: Sequence[MediaFeatures], mode: Mode, *, rationales: int = 1
    ) -> list[Judgment]:
        return [self._one(item.metadata.sha256, mode) for item in batch]

    def _one(self, sha256: str, mode: Mode) -> Judgment:
        with Path(os.environ[NOTED]).open("a") as file:
            file.write(f"{os.getpid()} {sha256}\n")
        if os.environ.get(KILLS) in (sha256, EVERY):
            os.kill(os.getpid(), signal.SIGKILL)
        if sha256 == os.environ.get(HANGS):
            threading.Event().wait()
        return Judgment(_DIGITS, 1.0, 5.0, mode, self.judge_id)
