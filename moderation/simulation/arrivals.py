"""Items that arrive, with what only the simulation knows of them."""

from dataclasses import dataclass

import numpy as np

from encoders.types import Modality
from moderation.policy.harm import Flags, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """N items in the order of their arrival; arrays are (N,).

    hour_N: of arrival, from the start. probability_N, score_N: NaN where there is none.
    views_N: in all; scale_hours_N: time scale of their curve. log_error_N: of the forecast of
    views at arrival. length_N: duration of a review, as a multiple of the expected one.
    mistake_N: uniform; the reviewer errs where it is below the error rate. draw_N2: of the random
    and the disagreement sample. disagreement_N: NaN where it was not measured.
    """

    hour_N: Floats
    is_manipulated_N: Flags
    probability_N: Floats
    score_N: Floats
    modality_N: tuple[Modality | None, ...]
    surface_N: tuple[str, ...]
    reported_N: tuple[str | None, ...]
    views_N: Floats
    scale_hours_N: Floats
    log_error_N: Floats
    length_N: Floats
    mistake_N: Floats
    draw_N2: Floats
    disagreement_N: Floats

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in self.__slots__}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of unequal lengths: {lengths}")
        if np.any(np.diff(self.hour_N) < 0.0):
            raise ValueError("arrivals are not in the order of time")

    def __len__(self) -> int:
        return len(self.hour_N)
