"""What a fit leaves behind: an immutable JSON file that says everything, named by its content."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from moderation.atomic import write_bytes
from moderation.errors import CalibrationError, OutputError
from moderation.types import LEVELS_K, Mode

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]

_NAME = re.compile(r"^(?:fast|full)-(?P<id>[\w.-]+-[0-9a-f]{12})\.json$")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CellRecord(_Frozen):
    """One conformal quantile: of how many items, and how far a label may be."""

    quantile: Annotated[float, Field(le=LEVELS_K - 1.0)]
    items: Count


class IntervalRecord(_Frozen):
    """One interval method's quantiles at `coverage`, by modality and by generator family."""

    method: str
    coverage: Annotated[float, Field(gt=0.0, lt=1.0)]
    everything: CellRecord
    by_modality: Mapping[str, CellRecord]
    by_family: Mapping[str, CellRecord]


class RiskRecord(_Frozen):
    """Probabilities of held-out items by class, rising, and their weights."""

    manipulated: tuple[Probability, ...]
    manipulated_weights: tuple[float, ...]
    genuine: tuple[Probability, ...]
    genuine_weights: tuple[float, ...]


class FigureRecord(_Frozen):
    """Metrics of probabilities for items that they were not fitted on."""

    brier: float
    nll: float
    ece: float
    adaptive_ece: float


class Provenance(_Frozen):
    """Where the artefact comes from.

    splits: of the labels that were used. setup, rationales: how the judge was run.
    items: by group, such as `manipulated` or `modality/audio`. candidates: cross-fitted NLL of
    each method that was tried, on the fitting half. before: of the score read as 1 - score / 9.
    after: cross-fitted between the two halves.
    """

    scores_sha256: Digest
    labels_sha256: Digest
    splits: tuple[str, ...]
    setup: str | None
    rationales: Count
    fitted_on: date
    code_version: str
    seed: int
    items: Mapping[str, Count]
    candidates: Mapping[str, float]
    before: FigureRecord
    after: FigureRecord


class CalibrationArtefact(_Frozen):
    """A fitted calibrator of one judge in one mode.

    method: plugin of `moderation.calibrators`, from `method_version`. served: the interval method
    that scores are given. reference_scores: expected scores of the fit, rising, for the monitor.
    """

    format: Literal[1] = 1
    judge_id: Annotated[str, Field(min_length=1)]
    mode: Mode
    method: Annotated[str, Field(pattern=r"^[\w.-]+$")]
    method_version: str
    parameters: Mapping[str, float | tuple[float, ...]]
    intervals: tuple[IntervalRecord, ...]
    served: str
    risk: RiskRecord
    reference_scores: tuple[Annotated[float, Field(ge=0.0, le=LEVELS_K - 1.0)], ...]
    provenance: Provenance

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.served not in {interval.method for interval in self.intervals}:
            raise ValueError(f"no interval of the served method {self.served!r}")
        return self

    @property
    def interval(self) -> IntervalRecord:
        """The quantiles of the served method."""
        return next(one for one in self.intervals if one.method == self.served)

    def canonical(self) -> bytes:
        """The one way to write it down."""
        content = self.model_dump(mode="json")
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode() + b"\n"

    def without_routes(self) -> Self:
        """The same map and intervals, for a machine that never acts alone.

        For whoever hands on a calibrator: bounds hold for items like those of the fit, and not for
        the uploads of somebody else.
        """
        nothing = RiskRecord(manipulated=(), manipulated_weights=(), genuine=(), genuine_weights=())
        return self.model_copy(update={"risk": nothing})

    @property
    def calibrator_id(self) -> str:
        """The method and the first digits of the content's SHA-256."""
        return f"{self.method}-{hashlib.sha256(self.canonical()).hexdigest()[:12]}"

    def write(self, folder: Path) -> Path:
        """Write it into `folder` as `MODE-ID.json`, whole or not at all; returns the path.

        Raises:
            OutputError: the disk does not take it.
        """
        path = folder / f"{self.mode}-{self.calibrator_id}.json"
        try:
            write_bytes(path, self.canonical())
        except OSError as error:
            raise OutputError.of(error, str(path), remedy="Name another folder.") from error
        return path


def read_artefact(path: Path) -> CalibrationArtefact:
    """The artefact in the file `path`.

    Raises:
        CalibrationError: no such file, something else in it, or another content than its name says.
    """
    try:
        artefact = CalibrationArtefact.model_validate_json(path.read_bytes())
    except OSError as error:
        raise CalibrationError(
            f"{path} does not open: {error.strerror}",
            expected="a calibrator written by `moderation calibrate fit`",
            remedy="Name another file.",
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise CalibrationError(
            f"{path} holds no calibrator: {where}: {first['msg']}",
            expected="a calibrator written by `moderation calibrate fit`",
            remedy="Name another file, or fit anew.",
        ) from error
    named = _NAME.match(path.name)
    if named and named["id"] != artefact.calibrator_id:
        raise CalibrationError(
            f"{path} holds the calibrator {artefact.calibrator_id}",
            expected=f"the content that its name says, {named['id']}",
            remedy="It was altered: restore it, or fit anew.",
        )
    return artefact
