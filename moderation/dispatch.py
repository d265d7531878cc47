"""Dispatchers decide where items are scored; this one does it here, in this process."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

from encoders.errors import EmptyFile, MediaError
from encoders.sandbox_file import OpenedFile
from moderation.pipeline import ScoringPipeline, failure
from moderation.types import Examination, ItemResult, Mode

EMPTY = hashlib.sha256().hexdigest()


class InlineDispatcher:
    """Scores in this process. Models are loaded with the first file that opens, not before.

    load: builds the pipeline and puts what must be closed (the sandbox) on the stack.
    judge_id, setup, limits: see `moderation.results.RunContext`; known before anything is loaded.
    """

    def __init__(
        self,
        load: Callable[[ExitStack], ScoringPipeline],
        *,
        judge_id: str,
        setup: str,
        limits: str,
    ) -> None:
        self._load = load
        self._resources = ExitStack()
        self._pipeline: ScoringPipeline | None = None
        self.judge_id = judge_id
        self.setup = setup
        self.limits = limits

    def score(
        self, paths: Iterable[Path], mode: Mode, *, rationales: int = 1
    ) -> Iterator[ItemResult]:
        """See `moderation.ports.Dispatcher`."""
        ahead = iter(paths)
        for path in ahead:
            refused = None if self._pipeline else _refusal(path)
            if refused is None:
                rest = chain([path], ahead)
                yield from self._loaded().score(rest, mode, rationales=rationales)
            else:
                yield failure(path, refused, sha256=EMPTY if type(refused) is EmptyFile else None)

    def examine(self, path: Path, mode: Mode, *, rationales: int = 1) -> Examination:
        """See `moderation.ports.Dispatcher`."""
        refused = _refusal(path)
        if refused is not None:
            raise refused
        return self._loaded().examine(path, mode, rationales=rationales)

    def close(self) -> None:
        """Stop the sandbox; its children are gone when this returns."""
        self._resources.close()

    def _loaded(self) -> ScoringPipeline:
        if self._pipeline is None:
            self._pipeline = self._load(self._resources)
        return self._pipeline

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _refusal(path: Path) -> MediaError | None:
    """Why no decoder need see `path`: it is not there, not readable, no file, or empty."""
    try:
        with OpenedFile(path):
            return None
    except MediaError as error:
        return error
