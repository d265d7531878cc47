"""A detector on pooled features: one model a modality, options chosen by grouped validation."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from encoders.types import MediaFeatures, Modality
from moderation.errors import ConfigurationError, JudgeError
from rl.detectors import boosted, linear
from rl.detectors.boosted import BoostedPart
from rl.detectors.groups import groups_of, out_of_fold
from rl.detectors.linear import LinearPart
from rl.detectors.pooled import PooledLayout, pool
from rl.detectors.types import (
    Detection,
    LabelledItem,
    Tensors,
    fractional_targets,
    nothing_to_read,
)
from rl.probes.statistics import Floats, auc

ITEMS_MIN = 20


Part = BoostedPart | LinearPart

# kind -> (model, options to choose from)
FAMILIES: Mapping[str, tuple[Any, tuple[Any, ...]]] = {
    BoostedPart.kind: (BoostedPart, boosted.GRID),
    LinearPart.kind: (LinearPart, linear.GRID),
}


@dataclass(frozen=True, slots=True)
class PooledDetector:
    """Scores an item by its modality's model; abstains on a modality that it never saw."""

    kind: str
    parts: Mapping[Modality, Part]

    @property
    def name(self) -> str:
        return self.kind

    def detect(self, batch: Sequence[MediaFeatures]) -> list[Detection | JudgeError]:
        """See `Detector`."""
        answers: dict[int, Detection | JudgeError] = {}
        for modality in Modality:
            at = [i for i, features in enumerate(batch) if features.modality is modality]
            part = self.parts.get(modality)
            if part is None:
                answers |= {i: nothing_to_read(self.name, f"{modality} items") for i in at}
                continue
            pooled = [pool(batch[i]) for i in at]
            seen = [k for k, item in enumerate(pooled) if part.layout.widths.keys() & item.keys()]
            found = part.detect([pooled[k] for k in seen]) if seen else []
            answers |= {i: nothing_to_read(self.name, "no known features") for i in at}
            answers |= {at[k]: answer for k, answer in zip(seen, found, strict=True)}
        return [answers[i] for i in range(len(batch))]

    def to_parts(self) -> tuple[dict[str, Any], Tensors]:
        """See `Detector`."""
        data: dict[str, Any] = {}
        tensors: Tensors = {}
        for modality, part in self.parts.items():
            data[modality.value], arrays = part.to_parts()
            tensors |= {f"{modality.value}.{name}": array for name, array in arrays.items()}
        return {"parts": data}, tensors

    @classmethod
    def restore(cls, kind: str, data: Mapping[str, Any], tensors: Tensors) -> "PooledDetector":
        """Restore what `to_parts` gave."""
        model, _ = FAMILIES[kind]
        parts: dict[Modality, Part] = {}
        for name, part in data["parts"].items():
            prefix = f"{name}."
            mine = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            parts[Modality(name)] = model.from_parts(part, mine)
        return cls(kind, parts)


def fit_pooled(
    kind: str, items: Sequence[LabelledItem], *, grid: Sequence[Any] = ()
) -> tuple[PooledDetector, dict[str, Any]]:
    """Fit one model a modality; returns it with what cross-validation said of each option.

    grid: options to choose from, those of the family where it is empty.

    Raises:
        ConfigurationError: no modality has 20 items of both classes.
    """
    parts: dict[Modality, Part] = {}
    metrics: dict[str, Any] = {}
    for modality in Modality:
        mine = [item for item in items if item.features.modality is modality]
        forged = sum(item.is_manipulated for item in mine)
        if len(mine) >= ITEMS_MIN and 0 < forged < len(mine):
            parts[modality], metrics[modality.value] = _fit_part(kind, mine, grid)
    if not parts:
        raise ConfigurationError(
            f"{len(items)} items, of no modality {ITEMS_MIN} with both classes",
            expected="a corpus with genuine and forged items",
            remedy="Fit on a larger corpus.",
        )
    return PooledDetector(kind, parts), metrics


def _fit_part(
    kind: str, mine: Sequence[LabelledItem], grid: Sequence[Any]
) -> tuple[Part, dict[str, Any]]:
    model, usual = FAMILIES[kind]
    pooled = [pool(item.features) for item in mine]
    layout = PooledLayout.of(pooled)
    forged_N = np.array([item.is_manipulated for item in mine])
    severity_N = fractional_targets(np.array([item.y for item in mine]))
    groups_N = groups_of([item.source for item in mine], [item.pair_id for item in mine])

    def held_out(options: Any) -> float:
        def fit_predict(at: npt.NDArray[np.int64], to: npt.NDArray[np.int64]) -> Floats:
            part = model.fit(
                layout,
                [pooled[i] for i in at],
                forged_N[at].astype(np.float64),
                severity_N[at],
                options,
            )
            return np.array([found.p_manipulated for found in part.detect([pooled[i] for i in to])])

        return auc(-out_of_fold(fit_predict, forged_N, groups_N), forged_N)

    tried = [(held_out(options), options) for options in grid or usual]
    best, chosen = max(tried, key=lambda entry: entry[0])
    fitted = model.fit(layout, pooled, forged_N.astype(np.float64), severity_N, chosen)
    return fitted, {
        "items": len(mine),
        "groups": len(set(groups_N)),
        "cross_validated_auc": best,
        "options": asdict(chosen),
        "tried": [{"auc": value, **asdict(options)} for value, options in tried],
    }
