"""What a forgery returns."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from encoders.types import FloatArray, Span

STILL = Span(0.0, 0.0)
T = TypeVar("T", bound=npt.NDArray[Any])


@dataclass(frozen=True, slots=True)
class Forged(Generic[T]):
    """Forged media and the truth about it; `media` has the original's shape and type.

    spans: the stretches of time that differ. mask_HW: float32 in [0, 1], where in the picture;
    None for the whole of it, and for sound. strength: distance to the original there, [0, 1].
    cue: a short lower-case phrase for what gives it away. generator: the engine behind it.
    """

    media: T
    spans: tuple[Span, ...]
    strength: float
    cue: str
    generator: str
    mask_HW: FloatArray | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength <= 1.0:
            raise ValueError(f"strength is {self.strength}, not in [0, 1]")
        if not self.spans:
            raise ValueError("a forgery needs at least one span")

    @property
    def area(self) -> float:
        """Share of the picture that was touched, in [0, 1]."""
        return 1.0 if self.mask_HW is None else float(np.mean(self.mask_HW))
