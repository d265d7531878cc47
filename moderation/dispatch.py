"""Dispatchers decide where items are scored; this one does it here, in this process."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from moderation.pipeline import ScoringPipeline
from moderation.types import Examination, ItemResult, Mode


class InlineDispatcher:
    """Scores in this process. Closing it closes what `resources` holds (the sandbox)."""

    def __init__(self, pipeline: ScoringPipeline, resources: ExitStack) -> None:
        self._pipeline = pipeline
        self._resources = resources
        self.judge_id = pipeline.judge.judge_id

    def score(
        self, paths: Iterable[Path], mode: Mode, *, rationales: int = 1
    ) -> Iterator[ItemResult]:
        """See `moderation.ports.Dispatcher`."""
        return self._pipeline.score(paths, mode, rationales=rationales)

    def examine(self, path: Path, mode: Mode, *, rationales: int = 1) -> Examination:
        """See `moderation.ports.Dispatcher`."""
        return self._pipeline.examine(path, mode, rationales=rationales)

    def close(self) -> None:
        """Stop the sandbox; its children are gone when this returns."""
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
