"""Labels of an imported file: severity, score and claims, from what its set says.

Sets that name spans are graded like our own forgeries: temporal fraction x area^(1/2) x strength.
They do not say how strong a forgery is, so strength is 1. Sets that only name a class give 9 to
the genuine and 0 to the manipulated, however small the manipulated region.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from encoders.types import Modality, Span
from moderation.errors import ManifestError
from moderation.types import Claim
from rl.corpus.severity import (
    GAMMA,
    SCORE_MAX,
    modality_severity,
    score,
    strength_word,
    temporal_fraction,
)
from rl.corpus.severity import severity as worst
from rl.corpus.truth import clean_claim
from rl.imports.label_files import wrong
from rl.imports.record import Forged, Record

STRENGTH = 1.0


class SpanOutside(ManifestError):
    """A set names a span that its file does not reach."""


@dataclass(frozen=True, slots=True)
class Label:
    """m: severity in [0, 1]. y: authenticity in [0, 9]. claims: the truth, clean ones too."""

    m: float
    y: float
    claims: tuple[Claim, ...]


def severity_of_score(y: float, gamma: float = GAMMA) -> float:
    """Severity m whose score is `y`: the inverse of `rl.corpus.severity.score`.

    Raises:
        ValueError: y is outside [0, 9].
    """
    if not 0.0 <= y <= SCORE_MAX:
        raise ValueError(f"score {y} is not in [0, 9]")
    return float((1.0 - y / SCORE_MAX) ** (1.0 / gamma))


def grade(
    record: Record, modality: Modality, duration_seconds: float, streams: Sequence[Modality]
) -> Label:
    """The labels of `record`; `streams` are those that the file has.

    Raises:
        SpanOutside: a span begins after the file's end.
        ManifestError: there are spans, and the duration is not known.
    """
    severities: list[float] = []
    claims: list[Claim] = []
    forged_streams: set[Modality] = set()
    for forged in record.forged:
        stream = forged.modality or modality
        forged_streams.add(stream)
        spans = _within(forged, duration_seconds, record.where)
        fraction = temporal_fraction(spans, duration_seconds) if forged.spans else 1.0
        m = modality_severity(fraction, forged.area, STRENGTH)
        severities.append(m)
        word = strength_word(m if record.y is None else severity_of_score(record.y))
        claims += [Claim(stream, span, forged.cue, word) for span in spans]
    seconds = 0.0 if math.isnan(duration_seconds) else duration_seconds
    claims += [clean_claim(s, seconds) for s in streams if s not in forged_streams]
    if record.y is not None:
        return Label(severity_of_score(record.y), record.y, tuple(claims))
    m = worst(severities)
    return Label(m, score(m), tuple(claims))


def _within(forged: Forged, duration_seconds: float, where: str) -> tuple[Span, ...]:
    """The spans cut to the file; all of it where none is named."""
    is_known = not math.isnan(duration_seconds)
    if not forged.spans:
        return (Span(0.0, round(duration_seconds, 3) if is_known else 0.0),)
    if not is_known:
        raise wrong(
            where, "spans, but no duration", "both", "Leave out --skip-inspection, to measure it."
        )
    for span in forged.spans:
        if duration_seconds > 0.0 and span.start_seconds >= duration_seconds:
            raise SpanOutside(
                f"{where}: span from {span.start_seconds} s",
                expected=f"one that begins within the {duration_seconds:.3f} s of the file",
                remedy="Correct that entry.",
            )
    # Durations in label files are rounded: a span may end a little after the file.
    return tuple(
        Span(min(span.start_seconds, end), end)
        for span in forged.spans
        for end in (min(span.end_seconds, duration_seconds),)
    )
