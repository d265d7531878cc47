"""How triaged scores look: the queue with why each is where it is, then what needs nobody."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from moderation.calibration.calibrator import FittedCalibrator
from moderation.cli.results_view import output_console
from moderation.cli.text import printable
from moderation.priority.words import amount
from moderation.replay.ranking import Ranked
from moderation.replay.replaying import treatment
from moderation.types import Disposition


def as_row(place: int, one: Ranked, now: datetime) -> dict[str, Any]:
    """One value a column, for tables and for machines."""
    result, outcome, factors = one.result, one.outcome, one.factors
    calibrated, harm = result.calibrated, outcome.harm
    return {
        "place": place,
        "path": result.path,
        "sha256": result.sha256,
        "modality": result.modality,
        "score": None if result.judgment is None else result.judgment.expected_score,
        "probability": outcome.probability,
        "score_lower": None if calibrated is None else calibrated.score_lower,
        "score_upper": None if calibrated is None else calibrated.score_upper,
        "calibrator": outcome.calibrator_id,
        "disposition": outcome.disposition,
        "action": outcome.action,
        "clause": outcome.clause_id,
        "policy": outcome.policy_id,
        "surface": one.upload.surface,
        "remaining_views": one.upload.remaining_views,
        "harm_left_up": harm.left_up,
        "harm_taken_down": harm.taken_down,
        "review_minutes": harm.minutes,
        "priority": None if factors is None else factors.value(now),
        "is_deferred": outcome.is_deferred,
        "served_by": outcome.served_by,
        "error_code": None if result.error is None else result.error.code,
        "why": "; ".join((*outcome.reasons, *(() if factors is None else factors.explain(now)))),
    }


def show(
    ranked: Sequence[Ranked],
    policy_id: str,
    calibrator: FittedCalibrator,
    now: datetime,
    *,
    rows: int,
    out: Path | None,
) -> None:
    """A table, what it says in one line, and who may decide alone."""
    console = output_console()
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("", "P(manipulated)", "interval", "views", "worth a minute"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("route", "file"):
        table.add_column(name, overflow="fold")
    for place, one in enumerate(ranked[:rows], start=1):
        table.add_row(*(Text(printable(cell)) for cell in _cells(place, one, now)))
    console.print(table)
    if len(ranked) > rows:
        console.print(f"… and {len(ranked) - rows} more")
    console.print(Text(printable(_closing(ranked, policy_id, calibrator))), soft_wrap=True)
    if out is not None:
        console.print(Text(printable(f"Written to {out}")), soft_wrap=True)


def _cells(place: int, one: Ranked, now: datetime) -> tuple[str, ...]:
    calibrated, outcome = one.result.calibrated, one.outcome
    interval = ""
    if calibrated is not None:
        interval = f"{calibrated.score_lower:.1f}–{calibrated.score_upper:.1f}"
    route = treatment(outcome)
    if outcome.served_by is not None:
        route += ", as its copy"
    elif outcome.probability is None:
        route += f": {one.result.error.code if one.result.error else 'no score'}"
    return (
        str(place),
        "" if outcome.probability is None else f"{outcome.probability:.3f}",
        interval,
        f"{one.upload.remaining_views:,.0f}",
        "" if one.factors is None else amount(one.factors.value(now)),
        route,
        one.result.path,
    )


def _closing(ranked: Sequence[Ranked], policy_id: str, calibrator: FittedCalibrator) -> str:
    routes = Counter(one.outcome.disposition for one in ranked)
    minutes = sum(one.outcome.harm.minutes for one in ranked if one.factors is not None)
    told = (
        f"{routes[Disposition.REVIEW]} for people ({minutes:g} minutes), "
        f"{routes[Disposition.ENFORCE]} enforced, {routes[Disposition.ALLOW]} allowed "
        f"by {policy_id}."
    )
    if calibrator.risk_sample.is_empty:
        told += (
            f" {calibrator.calibrator_id} came without bounds, so that nothing is decided alone:"
            " fit one on your own uploads."
        )
    return told
