"""What is usual on genuine media, as measured by `python -m encoders.forensic.typical`.

The result is `typical.json` beside this module: 5th and 95th percentiles of each signal, and
the middle and scale of each feature, by which the encoder standardises.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from encoders.types import FloatArray

NORMS_PATH = Path(__file__).with_name("typical.json")
_LIMIT = 8.0


@dataclass(frozen=True, slots=True)
class TypicalRange:
    """5th and 95th percentile over `count` genuine items."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Norms:
    """ranges: signal name -> modality -> range. scales: layer -> feature -> (middle, scale).

    fingerprint: changes with any figure.
    """

    ranges: Mapping[str, Mapping[str, TypicalRange]]
    scales: Mapping[str, Mapping[str, tuple[float, float]]]
    fingerprint: str

    def range(self, name: str, modality: str) -> TypicalRange:
        """The range for this modality, or the one there is (stills stand in for films)."""
        found = self.ranges[name]
        return found[modality] if modality in found else next(iter(found.values()))

    def standardised(
        self, layer: str, features: Mapping[str, npt.NDArray[np.float64]]
    ) -> FloatArray:
        """(N, D): each feature less its middle over its scale, limited to +-8, in name order."""
        scale = self.scales[layer]
        if scale.keys() != features.keys():
            raise ValueError(
                f"{NORMS_PATH.name} and {layer} disagree; measure typical ranges again"
            )
        names = sorted(features)
        raw = np.stack([features[name] for name in names], axis=1)
        middle, spread = np.array([scale[name] for name in names]).T
        out: FloatArray = np.clip((raw - middle) / spread, -_LIMIT, _LIMIT).astype(np.float32)
        return out


def parse(document: Mapping[str, Any], fingerprint: str) -> Norms:
    """From the JSON document."""
    return Norms(
        {
            name: {modality: TypicalRange(*entry) for modality, entry in by.items()}
            for name, by in document["signals"].items()
        },
        {
            layer: {name: (float(m), float(s)) for name, (m, s) in by.items()}
            for layer, by in document["features"].items()
        },
        fingerprint,
    )


@lru_cache(maxsize=1)
def load_norms() -> Norms:
    """The shipped figures, read once."""
    raw = NORMS_PATH.read_bytes()
    return parse(json.loads(raw), sha256(raw).hexdigest()[:12])


def percentile_range(values: list[float]) -> tuple[float, float, int]:
    """(5th, 95th percentile, count), rounded to four significant digits."""
    low, high = np.percentile(values, [5, 95])
    return _round(float(low)), _round(float(high)), len(values)


def robust_scale(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Median, and a standard deviation's worth of spread that outliers do not rule, never 0."""
    low, middle, high = np.percentile(values, [10, 50, 90])
    spread = max(float(high - low) / 2.563, 0.3 * float(values.std()), 0.01)
    return _round(float(middle)), _round(spread)


def _round(value: float, digits: int = 4) -> float:
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))
