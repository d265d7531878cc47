"""The statistics that probes and detectors share, imported in this one place."""

from moderation.calibration.draws import Floats
from moderation.calibration.estimate import Estimate
from rl.evaluation.point import auc, bootstrap, estimate_auc, estimate_mean, spearman

__all__ = ["Estimate", "Floats", "auc", "bootstrap", "estimate_auc", "estimate_mean", "spearman"]
