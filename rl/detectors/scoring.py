"""A detector's scores of files, recorded as those of a judge are."""

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from encoders.types import DecodedMedia, MediaFeatures
from moderation.atomic import write_bytes
from moderation.errors import ConfigurationError, JudgeError, TypedError
from moderation.extraction import Extractor
from moderation.pipeline import failure
from moderation.result_files import check_writable, write_rows
from moderation.results import RunContext, to_row
from moderation.types import LEVELS_K, ItemResult, Judgment, Mode
from rl.detectors.artefact import DetectorArtefact
from rl.detectors.types import Detection

PROBABILITY_COLUMN = "p_manipulated"
BATCH_ITEMS = 16


@dataclass(frozen=True, slots=True)
class Scored:
    """One file's row, and P(manipulated) where it was scored."""

    result: ItemResult
    p_manipulated: float | None


def digit_probabilities(score: float) -> tuple[float, ...]:
    """The two digits around a score, weighted so that their mean is the score.

    A point score has no distribution of its own; this is the narrowest with its mean.
    """
    lower = min(int(score), LEVELS_K - 2)
    share = score - lower
    return tuple(
        1.0 - share if k == lower else share if k == lower + 1 else 0.0 for k in range(LEVELS_K)
    )


@dataclass(frozen=True, slots=True)
class Encoded:
    """One file's features, or why there are none; the frames and samples are let go."""

    path: Path
    features: MediaFeatures | TypedError


def encode_files(
    paths: Sequence[Path], extractor: Extractor, *, workers: int = 2
) -> Iterator[Encoded]:
    """Features of each file, in order."""
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        for start in range(0, len(paths), BATCH_ITEMS):
            chunk = paths[start : start + BATCH_ITEMS]
            media = list(pool.map(lambda path: _decode(extractor, path), chunk))
            encoded = iter(extractor.encode([m for m in media if isinstance(m, DecodedMedia)]))
            for path, item in zip(chunk, media, strict=True):
                yield Encoded(path, item if isinstance(item, TypedError) else next(encoded))


def _decode(extractor: Extractor, path: Path) -> DecodedMedia | TypedError:
    try:
        return extractor.decode(path)
    except TypedError as error:
        return error


def score_encoded(
    encoded: Sequence[Encoded], artefact: DetectorArtefact, extractor: Extractor
) -> list[Scored]:
    """One row a file, in order; what cannot be read or scored has its error.

    Raises:
        ConfigurationError: the extractor's encoders are not those that the detector was fitted on.
    """
    here = {encoder.name: encoder.version for encoder in extractor.encoders}
    fitted = dict(artefact.provenance.encoders)
    if here != fitted:
        raise ConfigurationError(
            f"{artefact.detector_id} was fitted on {fitted}",
            expected=f"the encoders in use: {here}",
            remedy="Fit the detector again with `moderation detectors fit`.",
        )
    readable = [item.features for item in encoded if isinstance(item.features, MediaFeatures)]
    answers = iter(artefact.detector.detect(readable))
    return [_scored(item, answers, artefact.detector_id) for item in encoded]


def _scored(item: Encoded, answers: Iterator[Detection | JudgeError], detector_id: str) -> Scored:
    if isinstance(item.features, TypedError):
        return Scored(failure(item.path, item.features), None)
    answer = next(answers)
    if isinstance(answer, JudgeError):
        described = failure(item.path, answer)
        metadata = item.features.metadata
        return Scored(
            replace(described, sha256=metadata.sha256, modality=item.features.modality), None
        )
    result = ItemResult(
        path=str(item.path),
        sha256=item.features.metadata.sha256,
        modality=item.features.modality,
        duration_seconds=item.features.duration_seconds,
        judgment=to_judgment(answer, detector_id),
        error=None,
        unusual_signals=tuple(s.name for s in item.features.signals if s.is_unusual),
        notes=item.features.metadata.notes,
    )
    return Scored(result, answer.p_manipulated)


def to_judgment(detection: Detection, detector_id: str) -> Judgment:
    """A detection in the form of a judge's fast answer."""
    return Judgment(
        digit_probabilities_K=digit_probabilities(detection.score),
        digit_mass=1.0,
        expected_score=detection.score,
        mode=Mode.FAST,
        judge_id=detector_id,
    )


def write_scores(scored: Sequence[Scored], detector_id: str, out: Path) -> None:
    """Write the rows of `moderation score --out`, and the column `p_manipulated` after them.

    Raises:
        ConfigurationError: `out` is no writable Parquet file.
    """
    if out.suffix.lower() != ".parquet":
        raise ConfigurationError(
            f"output file {out}",
            expected="a name that ends in .parquet",
            remedy="Name another output.",
        )
    check_writable(out)
    context = RunContext(Mode.FAST, detector_id)
    write_rows([to_row(entry.result, context) for entry in scored], out)
    probability_N = np.array(
        [np.nan if entry.p_manipulated is None else entry.p_manipulated for entry in scored]
    )
    table = pq.read_table(out).append_column(PROBABILITY_COLUMN, [probability_N])
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    write_bytes(out, buffer.getvalue())
