"""Does the rationale point at what was done? Claims against the true spans, in full mode."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from encoders.types import Modality, Span
from moderation.types import Claim, ItemResult, Strength
from rl.evaluation.claimed_time import ClaimedTime, claimed_time
from rl.evaluation.labels import Row


@dataclass(frozen=True, slots=True)
class ItemClaims:
    """One rationale: how many manipulations it claims, how many of these are true (supported), how
    many are true, and how many of those are claimed (found); and the same by time."""

    claimed: int
    supported: int
    true: int
    found: int
    time: ClaimedTime


@dataclass(frozen=True, slots=True)
class ClaimAgreement:
    """precision: share of claimed manipulations that are true; recall: of true ones claimed.

    time_precision, time_recall: means over items of the shares of claimed time that is true, and of
    true time that is claimed; time_overlap: mean intersection over union, over all items. NaN where
    nothing was claimed, or nothing was true. items: that have a rationale.
    """

    items: int
    claimed: int
    true: int
    precision: float
    recall: float
    time_precision: float
    time_recall: float
    time_overlap: float


def true_claims(entries: Sequence[Mapping[str, Any]] | None) -> tuple[Claim, ...]:
    """The manipulations of a manifest's row, from its column `claims`; clean entries are none."""
    return tuple(
        Claim(
            Modality(entry["modality"]),
            Span(entry["start"], max(entry["start"], entry["end"])),
            entry["cue"],
            Strength(entry["strength"]),
        )
        for entry in entries or ()
        if entry["strength"] != Strength.CLEAN
    )


def item_claims(said: Sequence[Claim], truth: Sequence[Claim]) -> ItemClaims:
    """One rationale's claims; one is supported when a true span of its modality touches it."""
    marked = [claim for claim in said if claim.strength is not Strength.CLEAN]
    hits = [
        (i, j)
        for i, claim in enumerate(marked)
        for j, fact in enumerate(truth)
        if claim.modality is fact.modality
        and claim.span.start_seconds <= fact.span.end_seconds
        and fact.span.start_seconds <= claim.span.end_seconds
    ]
    return ItemClaims(
        claimed=len(marked),
        supported=len({i for i, _ in hits}),
        true=len(truth),
        found=len({j for _, j in hits}),
        time=claimed_time(marked, truth),
    )


def claim_agreement(rows: Sequence[Row], results: Sequence[ItemResult]) -> ClaimAgreement | None:
    """Agreement over items with a rationale; None without any."""
    found = [
        item_claims(result.judgment.rationale.claims, true_claims(row.get("claims")))
        for row, result in zip(rows, results, strict=True)
        if result.judgment and result.judgment.rationale
    ]
    if not found:
        return None
    claimed, true = sum(one.claimed for one in found), sum(one.true for one in found)
    return ClaimAgreement(
        len(found),
        claimed,
        true,
        sum(one.supported for one in found) / claimed if claimed else float("nan"),
        sum(one.found for one in found) / true if true else float("nan"),
        _mean([one.time.precision for one in found]),
        _mean([one.time.recall for one in found]),
        _mean([one.time.overlap for one in found]),
    )


def _mean(values: Sequence[float]) -> float:
    """Over the items for which the figure is defined."""
    defined = [value for value in values if np.isfinite(value)]
    return float(np.mean(defined)) if defined else float("nan")
