"""The statistics that probes and detectors share, imported in this one place."""

from rl.metrics import Estimate, Floats, auc, bootstrap, spearman

__all__ = ["Estimate", "Floats", "auc", "bootstrap", "spearman"]
