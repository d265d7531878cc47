"""A dispatcher that reads real files and scores their bytes; the command as a process."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from encoders.types import Modality
from moderation.types import ItemError, ItemResult, Judgment, Mode

ROOT = Path(__file__).parents[3]


class ByteDispatcher:
    """Scores a file by its first byte (an ASCII digit); anything else is unsupported."""

    judge_id = "first-byte/1"

    def __init__(self, pause_seconds: float = 0.0, setup: str = "usual") -> None:
        self.setup = setup
        self.limits = "wide"
        self.asked: list[str] = []
        self.is_closed = False
        self._pause_seconds = pause_seconds

    def score(
        self, paths: Iterable[Path], mode: Mode, *, rationales: int = 1
    ) -> Iterator[ItemResult]:
        seen: dict[str, str] = {}
        try:
            for path in paths:
                time.sleep(self._pause_seconds)
                self.asked.append(path.name)
                yield self._one(path, mode, seen)
        finally:
            self.is_closed = True

    def _one(self, path: Path, mode: Mode, seen: dict[str, str]) -> ItemResult:
        try:
            content = path.read_bytes()
        except OSError as error:
            found = ItemError("unreadable_file", str(error), "a file", "Check it.", False)
            return ItemResult(str(path), None, None, None, None, found)
        digest = hashlib.sha256(content).hexdigest()
        if not content[:1].isdigit():
            found = ItemError("unsupported_media", "no media", "media", "Convert it.", False)
            return ItemResult(str(path), digest, None, None, None, found)
        digit = int(content[:1])
        digits = tuple(float(k == digit) for k in range(10))
        judgment = Judgment(digits, 1.0, float(digit), mode, self.judge_id)
        first = seen.setdefault(digest, str(path))
        return ItemResult(
            str(path),
            digest,
            Modality.AUDIO,
            2.0,
            judgment,
            None,
            duplicate_of=None if first == str(path) else first,
        )


def moderation(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MODERATION_")}
    return subprocess.run(
        [sys.executable, "-m", "moderation", *map(str, arguments)],
        cwd=ROOT,
        env=clean | {"NO_COLOR": "1", "COLUMNS": "160"} | environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
