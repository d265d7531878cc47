"""Values and the protocol of baseline detectors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from encoders.types import MediaFeatures
from moderation.errors import JudgeError
from moderation.types import LEVELS_K
from rl.probes.statistics import Floats

SCORE_MAX = float(LEVELS_K - 1)
Tensors = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Detection:
    """What a detector says of one item.

    score: expected authenticity in [0, 9]. p_manipulated: probability in [0, 1].
    """

    score: float
    p_manipulated: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.score <= SCORE_MAX:
            raise ValueError(f"score {self.score} is off the scale 0..9")
        if not 0.0 <= self.p_manipulated <= 1.0:
            raise ValueError(f"{self.p_manipulated} is no probability")


@dataclass(frozen=True, slots=True)
class LabelledItem:
    """What detectors learn from: features, graded label y in [0, 9], and whose item it is."""

    features: MediaFeatures
    y: float
    is_manipulated: bool
    source: str
    pair_id: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an artefact comes from.

    data_sha256: of the manifest. items: that it was fitted on. encoders: name -> version.
    metrics: of the fit, by cross-validation over groups.
    """

    data_sha256: str
    split: str
    items: int
    code_version: str
    date: str
    encoders: Mapping[str, str]
    metrics: Mapping[str, Any] = field(default_factory=dict)


class Detector(Protocol):
    """A fitted baseline. `to_parts` gives JSON and arrays from which `from_parts` restores it."""

    @property
    def kind(self) -> str:
        """The class that restores it."""
        ...

    @property
    def name(self) -> str:
        """Short, unique among the detectors of one corpus."""
        ...

    def detect(self, batch: Sequence[MediaFeatures]) -> list[Detection | JudgeError]:
        """One answer an item, in order; an error where the item has nothing that it reads."""
        ...

    def to_parts(self) -> tuple[dict[str, Any], Tensors]:
        """(JSON, arrays by name)."""
        ...


def nothing_to_read(name: str, found: str) -> JudgeError:
    """The answer for an item that a detector has no view of: an abstention, never a score."""
    return JudgeError(
        f"{name} has nothing to read: {found}",
        expected="an item of a modality that it was fitted on, with its features",
        remedy="Compare detectors on the items that both of them score.",
    )


def fractional_targets(y_N: Floats) -> Floats:
    """Severity in [0, 1] from authenticity labels in [0, 9]."""
    return 1.0 - y_N / SCORE_MAX
