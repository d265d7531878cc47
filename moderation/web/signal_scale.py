"""A signal's value on its typical range: plain numbers for a small drawing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moderation.web.timeline import stretch

_MARGIN = 0.12


@dataclass(frozen=True, slots=True)
class ScaledSignal:
    """A signal in words, and where its value and its range lie on a scale of 100.

    low, high: of the typical range; value: None where it is not finite. has_span: whether it was
    measured at a place in time.
    """

    name: str
    modality: str
    told: str
    range_told: str
    is_unusual: bool
    explanation: str
    low: float
    high: float
    value: float | None
    start_seconds: float
    when: str
    has_span: bool


def scaled(signal: Mapping[str, Any]) -> ScaledSignal:
    """`signal`: as in an item's materials. A range that is open on a side ends at the edge."""
    value, low, high = signal["value"], signal["typical_low"], signal["typical_high"]
    known = [one for one in (value, low, high) if one is not None]
    least, most = min(known, default=0.0), max(known, default=1.0)
    room = (most - least) * _MARGIN or 1.0
    least, most = least - room, most + room

    def place(number: float) -> float:
        return 100 * (number - least) / (most - least)

    span = signal["span"]
    return ScaledSignal(
        name=signal["name"],
        modality=signal["modality"],
        told="not measurable" if value is None else f"{value:.4g} {signal['unit']}",
        range_told=_range(low, high),
        is_unusual=signal["is_unusual"],
        explanation=signal["explanation"],
        low=0.0 if low is None else place(low),
        high=100.0 if high is None else place(high),
        value=None if value is None else place(value),
        start_seconds=span["start_seconds"],
        when=stretch(span),
        has_span=span["end_seconds"] > 0,
    )


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return "no range"
    if low is None:
        return f"up to {high:.4g}"
    return f"from {low:.4g}" if high is None else f"{low:.4g} to {high:.4g}"
