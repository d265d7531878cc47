"""One forensic signal alone, in the direction that its catalogue gives; D3 is one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from encoders.types import Direction, MediaFeatures, Modality, Signal
from moderation.errors import ConfigurationError, JudgeError
from rl.detectors.platt import Curve, fit_curve
from rl.detectors.types import (
    SCORE_MAX,
    Detection,
    LabelledItem,
    Tensors,
    fractional_targets,
    nothing_to_read,
)
from rl.probes.statistics import Floats

# Second difference of frame embeddings (arXiv:2508.00701), as the frame encoder reports it.
D3 = "video.second_difference"
ITEMS_MIN = 10


def suspicion(z: Floats, direction: Direction) -> Floats:
    """Higher is more suspect; `z` is the value in spreads from the middle of genuine items."""
    if direction is Direction.EITHER:
        return np.abs(z)
    return z if direction is Direction.HIGH else -z


def _worst(features: MediaFeatures, name: str) -> Signal | None:
    """The signal of this name; of several, the one that points furthest to tampering."""
    found = [signal for signal in features.signals if signal.name == name]
    if not found:
        return None
    if found[0].direction is Direction.LOW:
        return min(found, key=lambda signal: signal.value)
    return max(found, key=lambda signal: signal.value)


@dataclass(frozen=True, slots=True)
class SignalPart:
    """The signal on items of one modality.

    middle, spread: median and interquartile range over genuine items, in the signal's unit.
    probability, severity: curves from suspicion to P(manipulated) and to 1 - y / 9.
    """

    direction: Direction
    middle: float
    spread: float
    probability: Curve
    severity: Curve

    def detect(self, value: float) -> Detection:
        z = np.array([(value - self.middle) / self.spread])
        x = suspicion(z, self.direction)
        return Detection(
            SCORE_MAX * (1.0 - float(self.severity(x)[0])), float(self.probability(x)[0])
        )


@dataclass(frozen=True, slots=True)
class SignalDetector:
    """Scores an item by one signal; abstains where the item has none."""

    signal: str
    parts: Mapping[Modality, SignalPart]
    kind: ClassVar[str] = "signal"

    @property
    def name(self) -> str:
        return "d3" if self.signal == D3 else f"signal-{self.signal}"

    def detect(self, batch: Sequence[MediaFeatures]) -> list[Detection | JudgeError]:
        """See `Detector`."""
        answers: list[Detection | JudgeError] = []
        for features in batch:
            found = _worst(features, self.signal)
            part = self.parts.get(features.modality)
            if found is None or part is None:
                answers.append(nothing_to_read(self.name, f"{features.modality} without it"))
            else:
                answers.append(part.detect(found.value))
        return answers

    def to_parts(self) -> tuple[dict[str, Any], Tensors]:
        """See `Detector`; all of it is JSON."""
        parts = {modality.value: asdict(part) for modality, part in self.parts.items()}
        return {"signal": self.signal, "parts": parts}, {}

    @classmethod
    def from_parts(cls, data: Mapping[str, Any], _: Tensors) -> "SignalDetector":
        """Restore what `to_parts` gave."""
        parts = {
            Modality(modality): SignalPart(
                direction=Direction(part["direction"]),
                middle=part["middle"],
                spread=part["spread"],
                probability=Curve(**part["probability"]),
                severity=Curve(**part["severity"]),
            )
            for modality, part in data["parts"].items()
        }
        return cls(data["signal"], parts)


def signal_names(items: Sequence[LabelledItem]) -> list[str]:
    """Every signal that any of the items has, in order of name."""
    return sorted({signal.name for item in items for signal in item.features.signals})


def fit_signal(name: str, items: Sequence[LabelledItem]) -> SignalDetector:
    """Fit the curves of signal `name`, for each modality with ten genuine and ten forged items.

    Raises:
        ConfigurationError: no modality has that many.
    """
    parts: dict[Modality, SignalPart] = {}
    for modality in Modality:
        mine = [
            (item, signal)
            for item in items
            if item.features.modality is modality
            and (signal := _worst(item.features, name)) is not None
        ]
        forged = sum(item.is_manipulated for item, _ in mine)
        if min(forged, len(mine) - forged) >= ITEMS_MIN:
            parts[modality] = _fit_part(mine)
    if not parts:
        raise ConfigurationError(
            f"signal {name!r} is on fewer than {ITEMS_MIN} genuine or forged items",
            expected=f"one of: {', '.join(signal_names(items))}, on enough items",
            remedy="Fit on a larger corpus.",
        )
    return SignalDetector(name, parts)


def _fit_part(mine: Sequence[tuple[LabelledItem, Signal]]) -> SignalPart:
    value_N = np.array([signal.value for _, signal in mine])
    forged_N = np.array([item.is_manipulated for item, _ in mine])
    y_N = np.array([item.y for item, _ in mine])
    low, middle, high = np.percentile(value_N[~forged_N], [25, 50, 75])
    spread = float(max(high - low, 1e-6 * max(1.0, abs(middle))))
    direction = mine[0][1].direction
    x_N = suspicion((value_N - middle) / spread, direction)
    return SignalPart(
        direction,
        float(middle),
        spread,
        fit_curve(x_N, forged_N.astype(np.float64)),
        fit_curve(x_N, fractional_targets(y_N)),
    )
