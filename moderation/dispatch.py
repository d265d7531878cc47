"""Dispatchers decide where items are scored; this one does it here, in this process."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from encoders.types import DecodedMedia
from moderation.closing import Closing
from moderation.file_identity import is_filled_file
from moderation.pipeline import Refusal, ScoringPipeline, decode, failure
from moderation.settings import Settings
from moderation.telemetry.stages import Stage, stage
from moderation.telemetry.tracing import parent_of
from moderation.types import Examination, ItemResult, Mode


@dataclass(frozen=True, slots=True)
class ScoringParts:
    """What a dispatcher is built with; a plugin of `moderation.dispatchers` is called with it.

    load: builds the pipeline, which takes long. read: decodes one file, as that pipeline will.
    resources: what must be closed with the dispatcher (the sandbox).
    judge_id, setup, limits: see `moderation.results.RunContext`; known before anything is loaded.
    """

    settings: Settings
    load: Callable[[], ScoringPipeline]
    read: Callable[[Path], DecodedMedia]
    resources: ExitStack
    judge_id: str
    setup: str
    limits: str


class InlineDispatcher(Closing):
    """Scores in this process. Models are loaded with the first file that opens, not before."""

    def __init__(self, parts: ScoringParts) -> None:
        self._parts = parts
        self._pipeline: ScoringPipeline | None = None
        self.judge_id = parts.judge_id
        self.setup = parts.setup
        self.limits = parts.limits

    def score(
        self, paths: Iterable[Path], mode: Mode, *, rationales: int = 1
    ) -> Iterator[ItemResult]:
        """See `moderation.ports.Dispatcher`."""
        ahead = iter(paths)
        for path in ahead:
            refused = None if self._pipeline else self._refusal(path)
            if refused is None:
                rest = chain([path], ahead)
                yield from self._loaded().score(rest, mode, rationales=rationales)
            else:
                yield failure(path, refused.error, sha256=refused.sha256)

    def examine(self, path: Path, mode: Mode, *, rationales: int = 1) -> Examination:
        """See `moderation.ports.Dispatcher`."""
        with stage(Stage.DECODE, parent=parent_of(str(path))):
            media = self._parts.read(path)
        return self._loaded().examine(path, media, mode, rationales=rationales)

    def close(self) -> None:
        """Stop the sandbox; its children are gone when this returns."""
        self._parts.resources.close()

    def _loaded(self) -> ScoringPipeline:
        if self._pipeline is None:
            self._pipeline = self._parts.load()
        return self._pipeline

    def _refusal(self, path: Path) -> Refusal | None:
        """What `path` is refused for before any decoder sees it, if anything."""
        if is_filled_file(path):
            return None
        _, refused = decode(self._parts.read, path)
        return refused if isinstance(refused, Refusal) else None
