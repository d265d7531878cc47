"""Which timestamps to look at. Pure arithmetic: a plan is a tuple of seconds."""

from dataclasses import dataclass

from encoders.types import Span


@dataclass(frozen=True, slots=True)
class Uniform:
    """Centres of equal slices of the whole file, at most `rate_hz` a second and `frames_max`."""

    frames_max: int = 16
    rate_hz: float = 4.0


@dataclass(frozen=True, slots=True)
class ByScene:
    """The centre of each scene first, then of its halves; long scenes get more frames."""

    frames_max: int = 16
    coarse_rate_hz: float = 2.0
    threshold: float = 0.3


@dataclass(frozen=True, slots=True)
class Dense:
    """Every 1 / `rate_hz` seconds within `span`, at most `frames_max`."""

    span: Span
    rate_hz: float = 25.0
    frames_max: int = 128


Sampling = Uniform | ByScene | Dense
