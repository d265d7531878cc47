"""Selective prediction: what is gained by leaving the least sure items to people."""

from dataclasses import dataclass

import numpy as np

from moderation.calibration.draws import Draws, Floats, divide
from moderation.types import LEVELS_K
from rl.evaluation.roc import cumulate, ends_of_ties


@dataclass(frozen=True, slots=True, eq=False)
class RiskCoverage:
    """Mean loss of the items kept, (D, M), when the M confidences are thresholds in turn.

    share_DM: share of the items kept, rising to 1. risk_DM: NaN while a draw keeps none.
    """

    share_DM: Floats
    risk_DM: Floats

    @property
    def area_D(self) -> Floats:
        """AURC: the risk averaged over coverage (Geifman and El-Yaniv 2017, arXiv:1705.08500)."""
        step = np.diff(self.share_DM, axis=1, prepend=0)
        area: Floats = np.nansum(step * self.risk_DM, axis=1)
        return area


def risk_coverage(loss_N: Floats, confidence_N: Floats, draws: Draws) -> RiskCoverage:
    """Keep the surest items first; equally sure items come together."""
    order = np.argsort(-confidence_N, kind="stable")
    end_M = ends_of_ties(confidence_N[order])
    weight_DN = draws.weight(order)
    kept = cumulate(weight_DN, end_M)
    weight_DN *= loss_N[order]
    lost = cumulate(weight_DN, end_M)
    return RiskCoverage(divide(kept, kept[:, -1:]), divide(lost, kept))


def digit_spread(digit_NK: Floats) -> Floats:
    """Standard deviation of each digit distribution, in levels: how unsure the judge is."""
    level_K = np.arange(LEVELS_K)
    mean_N = digit_NK @ level_K
    variance_N = np.sum(digit_NK * (level_K - mean_N[:, None]) ** 2, axis=1)
    spread: Floats = np.sqrt(variance_N)
    return spread
