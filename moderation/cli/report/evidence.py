"""What the report says in words and bars: signals against their ranges, claims along time."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from encoders.types import Modality, Signal, Span
from moderation.cli.text import quantity, span
from moderation.types import Claim, ScoredSpan, Strength

SCORE_MAX = 9.0


@dataclass(frozen=True, slots=True)
class SignalRow:
    """One signal and its strip; positions are per cent of the strip's width."""

    name: str
    modality: str
    value: str
    typical: str
    when: str
    explanation: str
    direction: str
    is_unusual: bool
    value_position: float | None
    typical_start: float
    typical_width: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of the time axis; positions are per cent of its width."""

    start: float
    width: float
    label: str
    strength: str


@dataclass(frozen=True, slots=True)
class TimelinePoint:
    """The score of one stretch; position of its middle and score are per cent of their axes."""

    position: float
    height: float
    label: str


@dataclass(frozen=True, slots=True)
class Lane:
    """The claims about one modality, in order of time."""

    modality: str
    marks: tuple[Mark, ...]


def signal_rows(signals: Iterable[Signal]) -> tuple[SignalRow, ...]:
    """Unusual signals first, then in the order given."""
    rows = [_signal_row(signal) for signal in signals]
    return tuple(sorted(rows, key=lambda row: not row.is_unusual))


def _signal_row(signal: Signal) -> SignalRow:
    low, high, value = signal.typical_low, signal.typical_high, signal.value
    position, start, width = None, 0.0, 0.0
    if all(map(math.isfinite, (low, high, value))):
        left, right = min(low, value), max(high, value)
        # A margin on both sides; never a strip of no width.
        margin = 0.15 * (right - left) or 1.0
        left, right = left - margin, right + margin
        position = 100 * (value - left) / (right - left)
        start = 100 * (low - left) / (right - left)
        width = 100 * (high - low) / (right - left)
    return SignalRow(
        name=signal.name,
        modality=str(signal.modality),
        value=quantity(value, signal.unit),
        typical=f"{quantity(low)} … {quantity(high)}",
        when=span(signal.span),
        explanation=signal.explanation,
        direction=str(signal.direction),
        is_unusual=signal.is_unusual,
        value_position=position,
        typical_start=start,
        typical_width=width,
    )


def _mark(stretch: Span, label: str, strength: str, seconds: float) -> Mark:
    # Claims are generated text: they may name times beyond the end.
    start = min(stretch.start_seconds / seconds, 1.0)
    end = min(stretch.end_seconds / seconds, 1.0)
    return Mark(100 * start, 100 * (end - start), label, strength)


def lanes(claims: Sequence[Claim], seconds: float) -> tuple[Lane, ...]:
    """Claims by modality along `seconds` > 0; modalities without a claim have no lane."""
    by_modality = {
        modality: [claim for claim in claims if claim.modality is modality] for modality in Modality
    }
    return tuple(
        Lane(
            str(modality),
            tuple(
                _mark(c.span, f"{c.cue}, {span(c.span)}", str(c.strength), seconds)
                for c in sorted(own, key=lambda c: c.span.start_seconds)
            ),
        )
        for modality, own in by_modality.items()
        if own
    )


def timeline_points(timeline: Sequence[ScoredSpan], seconds: float) -> tuple[TimelinePoint, ...]:
    """Authenticity along `seconds` > 0; none where there is but one stretch."""
    if len(timeline) < 2:
        return ()
    return tuple(
        TimelinePoint(
            50 * (one.span.start_seconds + one.span.end_seconds) / seconds,
            100 * one.expected_score / SCORE_MAX,
            f"{one.expected_score:.2f}, {span(one.span)}",
        )
        for one in timeline
    )


def sound_marks(
    claims: Iterable[Claim], signals: Iterable[Signal], seconds: float
) -> tuple[Mark, ...]:
    """Stretches of the sound that a claim or an unusual signal points at.

    One mark a stretch, in order of time; what speaks of nearly the whole sound marks nothing.
    """
    found = [
        (claim.span, f"{claim.cue} ({claim.strength})")
        for claim in claims
        if claim.modality is Modality.AUDIO and claim.strength is not Strength.CLEAN
    ]
    found += [
        (signal.span, signal.name)
        for signal in signals
        if signal.modality is Modality.AUDIO and signal.is_unusual
    ]
    by_span: dict[Span, list[str]] = {}
    for stretch, label in found:
        by_span.setdefault(stretch, []).append(label)
    marks = (
        _mark(stretch, f"{', '.join(labels)}, {span(stretch)}", "", seconds)
        for stretch, labels in sorted(by_span.items(), key=lambda item: item[0].start_seconds)
    )
    return tuple(mark for mark in marks if mark.width < 95)
