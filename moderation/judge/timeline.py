"""Judged authenticity over time: the judge reads one stretch of an item after another.

A stretch is scored as if it were a file of its own, so that a score says what that stretch looks
and sounds like, whatever the rest does. Encoders do not run again, and all stretches go through
the judge together.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from encoders.types import FeatureSequence, MediaFeatures, Span, Transcript
from moderation.ports import JudgeBackend
from moderation.types import Mode, ScoredSpan

WINDOW_SECONDS = 2.0
HOP_SECONDS = 1.0
# Of a longer item the hop grows, so that an hour costs no more than this many forward passes.
WINDOWS_MAX = 240


def authenticity_over_time(
    judge: JudgeBackend,
    features: MediaFeatures,
    *,
    window_seconds: float = WINDOW_SECONDS,
    hop_seconds: float = HOP_SECONDS,
) -> tuple[ScoredSpan, ...]:
    """The fast score of each stretch, in order of time; empty for what has no length.

    window_seconds, hop_seconds: above 0. An item of one window or less is one stretch. A stretch
    that no encoder has looked at (a hole in the sound of a file without pictures) is left out.

    Raises:
        JudgeError: the item lacks what this judge reads.
    """
    stretches = windows(features.duration_seconds, window_seconds, hop_seconds)
    parts = [(span, excerpt(features, span)) for span in stretches]
    told = [(span, part) for span, part in parts if part.sequences]
    judged = judge.judge([part for _, part in told], Mode.FAST) if told else []
    return tuple(
        ScoredSpan(span, one.expected_score) for (span, _), one in zip(told, judged, strict=True)
    )


def windows(duration_seconds: float, window_seconds: float, hop_seconds: float) -> Sequence[Span]:
    """Stretches of one length that cover [0, duration] and reach to its end, evenly spaced."""
    if min(window_seconds, hop_seconds) <= 0.0:
        raise ValueError(f"window {window_seconds} and hop {hop_seconds} must be above 0")
    if duration_seconds <= 0.0:
        return ()
    left = duration_seconds - window_seconds
    if left <= 0.0:
        return (Span(0.0, duration_seconds),)
    count = min(1 + math.ceil(left / hop_seconds), WINDOWS_MAX)
    starts = np.linspace(0.0, left, count).tolist()
    # Beyond WINDOWS_MAX hops the stretches grow, or there would be holes between them.
    length = max(window_seconds, left / (count - 1))
    return [Span(start, min(start + length, duration_seconds)) for start in starts]


def excerpt(features: MediaFeatures, span: Span) -> MediaFeatures:
    """What was seen and heard in `span`, with times that start at its beginning.

    Positions count whose middle lies in it. Sequences without any are left out.
    """
    found = (_cut(sequence, span) for sequence in features.sequences)
    transcript = features.transcript
    if transcript is not None:
        spoken = (s for s in transcript.segments if _overlaps(s.span, span))
        transcript = Transcript(tuple(replace(s, span=_shifted(s.span, span)) for s in spoken))
    return replace(
        features,
        duration_seconds=span.end_seconds - span.start_seconds,
        sequences=tuple(one for one in found if one is not None),
        signals=(),
        transcript=transcript,
    )


def _cut(sequence: FeatureSequence, span: Span) -> FeatureSequence | None:
    middle_N = (sequence.start_seconds_N + sequence.end_seconds_N) / 2
    is_in_N = (middle_N >= span.start_seconds) & (middle_N <= span.end_seconds)
    if not is_in_N.any():
        return None
    return replace(
        sequence,
        layers={name: values[is_in_N] for name, values in sequence.layers.items()},
        start_seconds_N=np.maximum(sequence.start_seconds_N[is_in_N] - span.start_seconds, 0.0),
        end_seconds_N=sequence.end_seconds_N[is_in_N] - span.start_seconds,
    )


def _overlaps(one: Span, other: Span) -> bool:
    return one.start_seconds < other.end_seconds and other.start_seconds < one.end_seconds


def _shifted(one: Span, origin: Span) -> Span:
    start = max(one.start_seconds - origin.start_seconds, 0.0)
    return Span(start, max(one.end_seconds - origin.start_seconds, start))
