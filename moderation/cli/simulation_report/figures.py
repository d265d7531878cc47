"""The figures of a simulation, each with its interval over seeds."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from moderation.simulation.estimate import Estimate
from moderation.simulation.experiment import Comparison
from moderation.simulation.measurement import PERCENTILES, Measurement

Measure = Callable[[Comparison, str], Estimate]


def _of(read: Callable[[Measurement], float]) -> Measure:
    return lambda comparison, label: comparison.of(label, read)


MEASURES: Mapping[str, Measure] = {
    "harm / FIFO": lambda comparison, label: comparison.harm_ratio(label),
    "SLA breaches": _of(lambda one: one.sla_breach_share),
    "legal breaches": _of(lambda one: one.legal_breach_share),
    "reviewed": _of(lambda one: one.reviewed_share),
    "worst tenth reviewed": _of(lambda one: one.top_reviewed_share),
    "sample reviewed": _of(lambda one: one.sampled_reviewed_share),
    "waiting p50 (h)": _of(lambda one: one.waiting_hours[50]),
    "p90": _of(lambda one: one.waiting_hours[90]),
    "p99": _of(lambda one: one.waiting_hours[99]),
}
"""What the table shows; waiting is that of reviews that took place."""

_KEYS: Mapping[str, Measure] = {
    "harm_to_first": MEASURES["harm / FIFO"],
    "harm": _of(lambda one: one.harm),
    "harm_by_manipulated": _of(lambda one: one.by_manipulated),
    "harm_to_genuine": _of(lambda one: one.to_genuine),
    "harm_prevented": _of(lambda one: one.prevented),
    "reviews": _of(lambda one: one.reviews),
    "reviewed_share": MEASURES["reviewed"],
    "worst_tenth_reviewed_share": MEASURES["worst tenth reviewed"],
    "sampled_reviewed_share": MEASURES["sample reviewed"],
    "deferred_share": _of(lambda one: one.deferred_share),
    "sla_breach_share": MEASURES["SLA breaches"],
    "legal_breach_share": MEASURES["legal breaches"],
    "utilisation": _of(lambda one: one.utilisation),
}


def figures(comparison: Comparison, about: Mapping[str, Any]) -> dict[str, Any]:
    """Everything, as JSON has it; what is not defined is null."""
    orders = {one.label: _figures_of(comparison, one.label) for one in comparison.disciplines}
    return {"about": dict(about), "first": comparison.disciplines[0].label, "orders": orders}


def _figures_of(comparison: Comparison, label: str) -> dict[str, Any]:
    return {
        **{key: _json(of(comparison, label)) for key, of in _KEYS.items()},
        "waiting_hours": {
            f"p{p}": _json(comparison.of(label, lambda one, p=p: one.waiting_hours[p]))  # type: ignore[misc]
            for p in PERCENTILES
        },
        "worst_tenth_waiting_hours": {
            f"p{p}": _json(comparison.of(label, lambda one, p=p: one.top_waiting_hours[p]))  # type: ignore[misc]
            for p in PERCENTILES
        },
        "harm_to_first_by_seed": comparison.harm_ratios(label),
    }


def _json(estimate: Estimate) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in asdict(estimate).items()
    }


def mean(comparison: Comparison, label: str, name: str) -> str:
    """`0.31`; `–` where it is not defined."""
    found = MEASURES[name](comparison, label)
    return "–" if math.isnan(found.value) else f"{found.value:.{_digits(found.value)}f}"


def cell(comparison: Comparison, label: str, name: str) -> str:
    """`0.31 [0.29, 0.33]`; the mean alone where there is no interval."""
    found = MEASURES[name](comparison, label)
    told = mean(comparison, label, name)
    if math.isnan(found.low) or found.low == found.high:
        return told
    digits = _digits(found.value)
    return f"{told} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def _digits(value: float) -> int:
    return 1 if value >= 10.0 else 2
