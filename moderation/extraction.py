"""From paths to features: read in the sandbox, encode in batches, remember by content.

The order of stages is known here and in the pipeline, nowhere else.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from encoders.base import Encoder, ReadRequest
from encoders.types import (
    DecodedMedia,
    Encoding,
    FeatureSequence,
    MediaFeatures,
    Signal,
    Transcript,
)
from moderation.errors import InternalError, TypedError

Item = TypeVar("Item")
Result = TypeVar("Result")


class MediaSource(Protocol):
    """Opens files; `encoders.sandbox.Sandbox` does it in a child process."""

    def read(self, path: Path, request: ReadRequest) -> DecodedMedia:
        """See `encoders.base.MediaReader.read`."""
        ...


class EncodingStore(Protocol):
    """Remembers encodings; `encoders.cache.FeatureCache` does it on disk."""

    def get(
        self, sha256: str, encoder_id: str, encoder_version: str, plan_id: str
    ) -> Encoding | None:
        """The stored encoding, or None."""
        ...

    def put(
        self,
        sha256: str,
        encoder_id: str,
        encoder_version: str,
        plan_id: str,
        encoding: Encoding,
    ) -> None:
        """Store it; the same key always means the same encoding."""
        ...


@dataclass(frozen=True, slots=True)
class Extractor:
    """Decodes and encodes items.

    plan_id: names `request`, as part of the cache key. store: None computes everything anew.
    """

    source: MediaSource
    encoders: tuple[Encoder, ...]
    request: ReadRequest
    plan_id: str
    store: EncodingStore | None = None

    def decode(self, path: Path) -> DecodedMedia:
        """Read one file.

        Raises:
            MediaError: the file cannot be scored.
        """
        return self.source.read(path, self.request)

    def encode(self, batch: Sequence[DecodedMedia]) -> list[MediaFeatures | TypedError]:
        """Features of each item, in order; an item that an encoder refuses gives its error.

        A refusal never touches the neighbours: the batch is then repeated item by item. Encoders
        run side by side: the forensic one keeps to one core, and the others release the lock.
        """
        pool = ThreadPoolExecutor(max(1, len(self.encoders)), thread_name_prefix="encode")
        try:
            columns = list(pool.map(lambda encoder: self._encodings(encoder, batch), self.encoders))
        finally:
            # Nobody waits for the encoders of a batch that was interrupted.
            pool.shutdown(wait=False, cancel_futures=True)
        return [
            _combine(media, parts)
            for media, parts in zip(batch, zip(*columns, strict=True), strict=True)
        ]

    def _encodings(
        self, encoder: Encoder, batch: Sequence[DecodedMedia]
    ) -> list[Encoding | TypedError]:
        known = [self._recall(encoder, media) for media in batch]
        wanted = [i for i, encoding in enumerate(known) if encoding is None]
        results: list[Encoding | TypedError | None] = [*known]
        fresh = isolate(encoder.encode, [batch[i] for i in wanted])
        for i, encoding in zip(wanted, fresh, strict=True):
            results[i] = encoding
            if self.store is not None and isinstance(encoding, Encoding):
                sha256 = batch[i].metadata.sha256
                self.store.put(sha256, encoder.name, encoder.version, self.plan_id, encoding)
        return [result for result in results if result is not None]

    def _recall(self, encoder: Encoder, media: DecodedMedia) -> Encoding | None:
        if self.store is None:
            return None
        sha256 = media.metadata.sha256
        return self.store.get(sha256, encoder.name, encoder.version, self.plan_id)


def isolate(
    work: Callable[[Sequence[Item]], Sequence[Result]], batch: Sequence[Item]
) -> list[Result | TypedError]:
    """Run `work` over a batch; where it raises, run it item by item, so that one fails alone."""
    if not batch:
        return []
    try:
        return [*work(batch)]
    except Exception as error:
        if len(batch) == 1:
            return [error if isinstance(error, TypedError) else InternalError.of(error)]
        return [result for item in batch for result in isolate(work, [item])]


def _combine(
    media: DecodedMedia, parts: Sequence[Encoding | TypedError]
) -> MediaFeatures | TypedError:
    sequences: list[FeatureSequence] = []
    signals: list[Signal] = []
    transcript: Transcript | None = None
    for part in parts:
        if isinstance(part, TypedError):
            return part
        sequences += part.sequences
        signals += part.signals
        transcript = transcript or part.transcript
    return MediaFeatures(
        media.metadata,
        media.modality,
        media.duration_seconds,
        tuple(sequences),
        tuple(signals),
        transcript,
    )
