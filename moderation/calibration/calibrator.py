"""A fitted calibrator at work: judgments to calibrated scores, alphas to bounds. NumPy alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from encoders.types import Modality
from moderation import registry
from moderation.calibration.artefact import (
    CalibrationArtefact,
    CellRecord,
    IntervalRecord,
    read_artefact,
)
from moderation.calibration.conformal import METHODS, IntervalMethod
from moderation.calibration.draws import Floats
from moderation.calibration.mondrian import Cell, Cells
from moderation.calibration.risk_control import RiskSample, route_bounds
from moderation.errors import CalibrationError
from moderation.ports import Calibrator
from moderation.registry import PluginGroup
from moderation.types import CalibratedScore, Judgment, Mode, RouteBounds


@dataclass(frozen=True, slots=True, eq=False)
class FittedCalibrator:
    """An artefact with the map that it holds. One judge, one mode."""

    artefact: CalibrationArtefact
    calibrator_id: str
    method: Calibrator
    intervals: IntervalMethod
    cells: Cells

    @classmethod
    def load(cls, path: Path) -> Self:
        """The calibrator in the file `path`.

        Raises:
            CalibrationError: it is not there, altered or damaged.
            PluginError: its method is not installed.
        """
        return cls.of(read_artefact(path))

    @classmethod
    def of(cls, artefact: CalibrationArtefact) -> Self:
        """The calibrator that `artefact` describes.

        Raises:
            CalibrationError: its parameters are not those of its method.
            PluginError: its method is not installed.
        """
        plugin: type[Calibrator] = registry.load(PluginGroup.CALIBRATORS, artefact.method)
        try:
            method = plugin.from_parameters(artefact.parameters)
        except (ValueError, KeyError, TypeError) as error:
            raise CalibrationError(
                f"parameters of {artefact.calibrator_id}: {type(error).__name__}: {error}",
                expected=f"those of {artefact.method} {artefact.method_version}",
                remedy="Install the version that fitted it, or fit anew.",
            ) from error
        served = artefact.interval
        intervals = interval_method(served.method)
        cells = cells_of(served, served.by_modality)
        return cls(artefact, artefact.calibrator_id, method, intervals, cells)

    @property
    def judge_id(self) -> str:
        return self.artefact.judge_id

    @property
    def mode(self) -> Mode:
        return self.artefact.mode

    def require(self, judge_id: str, mode: Mode) -> None:
        """Refuse scores of anything but the judge and mode that this was fitted on.

        Raises:
            CalibrationError: they are of another.
        """
        if (judge_id, mode) != (self.judge_id, self.mode):
            raise CalibrationError(
                f"scores of the judge {judge_id} in {mode} mode",
                expected=f"{self.judge_id} in {self.mode} mode, as {self.calibrator_id} "
                "was fitted on",
                remedy="Use the calibrator of that judge and mode: `moderation calibrate fit`.",
            )

    def calibrate(
        self, judgments: Sequence[Judgment], modalities: Sequence[Modality | None]
    ) -> list[CalibratedScore]:
        """One calibrated score a judgment, in order.

        Raises:
            CalibrationError: a judgment is of another judge or mode.
        """
        for judgment in judgments:
            self.require(judgment.judge_id, judgment.mode)
        if not judgments:
            return []
        digit_NK = digit_rows(judgments)
        coverage = self.artefact.interval.coverage
        names = [None if modality is None else str(modality) for modality in modalities]
        low_N, high_N = self.intervals.interval(digit_NK, self.cells.quantiles(names), coverage)
        return [
            CalibratedScore(
                probability=float(p),
                score_lower=float(low),
                score_upper=float(high),
                coverage=coverage,
                group=self.cells.group(name),
                calibrator_id=self.calibrator_id,
            )
            for p, low, high, name in zip(
                self.method.probability(digit_NK), low_N, high_N, names, strict=True
            )
        ]

    def route_bounds(
        self, *, false_allow_max: float | None, false_enforce_max: float | None
    ) -> RouteBounds:
        """How far the machine may act alone at these risks, see `risk_control`."""
        return route_bounds(
            self.risk_sample,
            false_allow_max=false_allow_max,
            false_enforce_max=false_enforce_max,
        )

    @property
    def risk_sample(self) -> RiskSample:
        risk = self.artefact.risk
        return RiskSample(
            *(
                np.array(column, dtype=np.float64)
                for column in (
                    *(risk.manipulated, risk.manipulated_weights),
                    *(risk.genuine, risk.genuine_weights),
                )
            )
        )


def digit_rows(judgments: Sequence[Judgment]) -> Floats:
    """Digit distributions, (N, K); recorded in single precision, they sum to 1 only nearly."""
    digit_NK = np.array([one.digit_probabilities_K for one in judgments], dtype=np.float64)
    total_NK: Floats = digit_NK / digit_NK.sum(axis=1, keepdims=True)
    return total_NK


def interval_method(name: str) -> IntervalMethod:
    """The interval method of a name.

    Raises:
        CalibrationError: there is none of that name.
    """
    for method in METHODS:
        if method.name == name:
            return method
    raise CalibrationError(
        f"no interval method is named {name!r}",
        expected=f"one of: {', '.join(method.name for method in METHODS)}",
        remedy="Correct the name.",
    )


def cells_of(record: IntervalRecord, by_group: Mapping[str, CellRecord]) -> Cells:
    """The recorded quantiles by modality or by family."""
    return Cells(
        Cell(record.everything.quantile, record.everything.items),
        {name: Cell(one.quantile, one.items) for name, one in by_group.items()},
    )
