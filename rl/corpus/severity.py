"""How bad a forgery is, as one number, and the score that follows from it.

A splice of 5 % of a file must still cost points, so the score falls steeply near m = 0.
"""

from collections.abc import Iterable

from encoders.types import Span
from moderation.types import Strength

SCORE_MAX = 9.0
GAMMA = 0.3


def covered_seconds(spans: Iterable[Span]) -> float:
    """Length of the union of `spans`, seconds."""
    total = 0.0
    reached = 0.0
    for span in sorted(spans, key=lambda span: span.start_seconds):
        start = max(span.start_seconds, reached)
        total += max(0.0, span.end_seconds - start)
        reached = max(reached, span.end_seconds)
    return total


def temporal_fraction(spans: Iterable[Span], duration_seconds: float) -> float:
    """Share of the file that `spans` cover, in [0, 1]; 1 for a still (duration 0) with a span."""
    spans = tuple(spans)
    if not spans:
        return 0.0
    if duration_seconds <= 0.0:
        return 1.0
    return min(1.0, covered_seconds(spans) / duration_seconds)


def modality_severity(fraction: float, area: float, strength: float) -> float:
    """Severity within one modality: temporal fraction x area^(1/2) x strength, all in [0, 1].

    area: share of the picture (1 for sound); its root, because a forged face fills little of it.

    Raises:
        ValueError: an argument is outside [0, 1].
    """
    for name, value in (("fraction", fraction), ("area", area), ("strength", strength)):
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name} is {value}, not in [0, 1]")
    return float(fraction * area**0.5 * strength)


def severity(modality_severities: Iterable[float]) -> float:
    """Severity m of a file: that of its worst modality; 0 where nothing was changed."""
    return max(modality_severities, default=0.0)


def score(m: float, gamma: float = GAMMA) -> float:
    """Authenticity label y = 9 (1 - m^gamma) in [0, 9]; 9 where m = 0.

    Raises:
        ValueError: m is outside [0, 1], or gamma is not positive.
    """
    if not 0.0 <= m <= 1.0 or gamma <= 0.0:
        raise ValueError(f"severity {m} is not in [0, 1], or gamma {gamma} is not positive")
    return float(SCORE_MAX * (1.0 - m**gamma))


def strength_word(m: float) -> Strength:
    """The word a rationale uses for severity m; the bounds are where y crosses 5.3 and 3.1."""
    if m <= 0.0:
        return Strength.CLEAN
    if m < 0.05:
        return Strength.WEAK
    return Strength.CLEAR if m < 0.25 else Strength.STRONG
