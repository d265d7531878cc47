"""Scores files as a stream: decode ahead in children, judge in batches, answer in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, replace
from pathlib import Path

from encoders.errors import LimitExceeded
from encoders.provenance.types import Provenance
from encoders.types import DecodedMedia, FrameBatch, MediaFeatures
from moderation.errors import InternalError, PermanentError, TransientError, TypedError
from moderation.extraction import Extractor, isolate
from moderation.file_identity import file_sha256, stat_identity
from moderation.judge.timeline import authenticity_over_time
from moderation.ports import JudgeBackend
from moderation.repeats import Repeats, repeated
from moderation.telemetry.stages import Stage, stage
from moderation.telemetry.tracing import parent_of, parents
from moderation.types import Examination, ItemError, ItemResult, Judgment, Mode


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that gave no media. sha256: of its bytes; None where they were not read to the end."""

    error: TypedError
    sha256: str | None = None


Decoded = tuple[Path, DecodedMedia | Refusal]
PictureHashes = Callable[[FrameBatch], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Read:
    """One file as it came from disk. picture_hashes: see `moderation.types.ItemResult`."""

    path: Path
    media: DecodedMedia | Refusal
    provenance: Provenance | None = None
    picture_hashes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScoringPipeline:
    """One process's worth of scoring.

    workers: files decoded at the same time. batch_items: items judged at once; decoded media
    held in memory never exceeds `workers + batch_items` items. provenance: reads what a file
    says of its own origin; None: nobody looks. It never raises. picture_hashes: perceptual hashes
    of frames, such as `encoders.pdq.frame_hashes`; None: nobody hashes.
    """

    extractor: Extractor
    judge: JudgeBackend
    workers: int = 2
    batch_items: int = 16
    provenance: Callable[[Path], Provenance] | None = None
    picture_hashes: PictureHashes | None = None

    def score(
        self, paths: Iterable[Path], mode: Mode, *, rationales: int = 1
    ) -> Iterator[ItemResult]:
        """One result a path, in order. The same bytes are scored once.

        Closing the iterator begins no further file, and does not wait for those under way:
        closing their source (the sandbox) ends these.
        """
        seen = Repeats()
        with _abandoned(ThreadPoolExecutor(self.workers, thread_name_prefix="decode")) as pool:
            ahead = _read_ahead(self._read, paths, pool, self.workers)
            for chunk in _chunks(ahead, self.batch_items):
                for result in self._judge_chunk(chunk, mode, rationales, seen):
                    seen.note(result)
                    yield result
                del chunk  # or its pictures would stay while the next batch fills

    def examine(
        self, path: Path, media: DecodedMedia, mode: Mode, *, rationales: int = 1
    ) -> Examination:
        """One decoded file with all that led to its score.

        Raises:
            TypedError: it cannot be scored.
        """
        with stage(Stage.ENCODE, {"items": 1}, linked=parents()):
            features = self.extractor.encode([media])[0]
        if isinstance(features, TypedError):
            raise features
        with stage(Stage.JUDGE, {"items": 1}, linked=parents()):
            judgment = self.judge.judge([features], mode, rationales=rationales)[0]
            timeline = authenticity_over_time(self.judge, features)
        provenance = None if self.provenance is None else self.provenance(path)
        hashes: tuple[str, ...] = ()
        if self.picture_hashes is not None and media.frames is not None:
            hashes = self.picture_hashes(media.frames)
        return Examination(str(path), media, features, judgment, provenance, timeline, hashes)

    def _read(self, path: Path) -> Read:
        parent = parent_of(str(path))
        with stage(Stage.DECODE, parent=parent) as watch:
            _, media = decode(self.extractor.decode, path)
            if isinstance(media, Refusal):
                watch.fail(media.error.code)
        if isinstance(media, Refusal):
            return Read(path, media)
        provenance = None
        if self.provenance is not None:
            with stage(Stage.PROVENANCE, parent=parent):
                provenance = self.provenance(path)
        if self.picture_hashes is None or media.frames is None:
            return Read(path, media, provenance)
        return Read(path, media, provenance, self.picture_hashes(media.frames))

    def _judge_chunk(
        self,
        chunk: Sequence[Read],
        mode: Mode,
        rationales: int,
        seen: Repeats,
    ) -> list[ItemResult]:
        unique: dict[str, DecodedMedia] = {}
        for one in chunk:
            if isinstance(one.media, DecodedMedia) and not seen.first(one.media.metadata.sha256):
                unique.setdefault(one.media.metadata.sha256, one.media)
        with stage(Stage.ENCODE, {"items": len(unique)}, linked=parents()):
            encoded = dict(zip(unique, self.extractor.encode(list(unique.values())), strict=True))
        ready = {k: v for k, v in encoded.items() if isinstance(v, MediaFeatures)}
        with stage(Stage.JUDGE, {"items": len(ready)}, linked=parents()):
            outcomes = isolate(
                lambda batch: self.judge.judge(batch, mode, rationales=rationales),
                list(ready.values()),
            )
        judged: dict[str, Judgment | TypedError] = dict(zip(ready, outcomes, strict=True))
        results: list[ItemResult] = []
        first: dict[str, ItemResult] = {}
        for one in chunk:
            path, media = one.path, one.media
            if isinstance(media, Refusal):
                results.append(failure(path, media.error, sha256=media.sha256))
                continue
            sha256 = media.metadata.sha256
            earlier = seen.first(sha256) or first.get(sha256)
            if earlier is not None:
                results.append(repeated(earlier, str(path)))
                continue
            features = encoded[sha256]
            outcome = features if isinstance(features, TypedError) else judged[sha256]
            result = (
                failure(path, outcome, media)
                if isinstance(outcome, TypedError)
                else replace(
                    success(path, media, ready[sha256], outcome),
                    provenance=one.provenance,
                    picture_hashes=one.picture_hashes,
                )
            )
            first[sha256] = result
            results.append(result)
        return results


def success(
    path: Path, media: DecodedMedia, features: MediaFeatures, judgment: Judgment
) -> ItemResult:
    """The row of a scored item."""
    return ItemResult(
        path=str(path),
        sha256=media.metadata.sha256,
        modality=media.modality,
        duration_seconds=media.duration_seconds,
        judgment=judgment,
        error=None,
        unusual_signals=tuple(s.name for s in features.signals if s.is_unusual),
        notes=media.metadata.notes,
    )


def examined(examination: Examination) -> ItemResult:
    """The row of an examined item: what `ScoringPipeline.score` says of the same file."""
    row = success(
        Path(examination.path), examination.media, examination.features, examination.judgment
    )
    return replace(
        row, provenance=examination.provenance, picture_hashes=examination.picture_hashes
    )


def failure(
    path: Path,
    error: TypedError,
    media: DecodedMedia | None = None,
    *,
    sha256: str | None = None,
) -> ItemResult:
    """The row of an item that could not be scored; never a score of its own.

    sha256: of the bytes, where nothing was decoded.
    """
    return ItemResult(
        path=str(path),
        sha256=media.metadata.sha256 if media else sha256,
        modality=media.modality if media else None,
        duration_seconds=media.duration_seconds if media else None,
        judgment=None,
        error=ItemError(
            type(error).code,
            error.found,
            error.expected,
            error.remedy,
            isinstance(error, TransientError),
        ),
    )


@contextmanager
def _abandoned(pool: ThreadPoolExecutor) -> Iterator[ThreadPoolExecutor]:
    """The pool; at the end nothing more is begun, and nobody waits for what is under way."""
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _read_ahead(
    read: Callable[[Path], Read], paths: Iterable[Path], pool: ThreadPoolExecutor, depth: int
) -> Iterator[Read]:
    """Items read in order, at most `depth` ahead of the one asked for."""
    waiting: deque[Future[Read]] = deque()
    for path in paths:
        # What the caller is doing, and for which items, is known in the thread as well.
        waiting.append(pool.submit(copy_context().run, read, path))
        if len(waiting) > depth:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def decode(read: Callable[[Path], DecodedMedia], path: Path) -> Decoded:
    """One file read, or why not; never raises."""
    before = stat_identity(path)
    try:
        return path, read(path)
    except PermanentError as error:
        # A file that is refused for its size is not read just to be named.
        is_vast = isinstance(error, LimitExceeded) and error.limit == "file_bytes"
        sha256 = None if is_vast else file_sha256(path)
        # Only what the decoder itself saw may stand for the file when a later run resumes.
        is_same = before is not None and before == stat_identity(path)
        return path, Refusal(error, sha256 if is_same else None)
    except TypedError as error:
        return path, Refusal(error)
    except Exception as error:
        return path, Refusal(InternalError.of(error))


def _chunks(items: Iterator[Read], size: int) -> Iterator[list[Read]]:
    chunk: list[Read] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
