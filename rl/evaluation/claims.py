"""Does the rationale point at what was done? Claims against the true spans, in full mode."""

from collections.abc import Sequence
from dataclasses import dataclass

from moderation.types import ItemResult, Strength
from rl.evaluation.labels import Row


@dataclass(frozen=True, slots=True)
class ClaimAgreement:
    """precision: share of claimed manipulations that are true; recall: of true ones claimed.

    NaN where nothing was claimed, or nothing was true. items: that have a rationale.
    """

    items: int
    claimed: int
    true: int
    precision: float
    recall: float


def claim_agreement(rows: Sequence[Row], results: Sequence[ItemResult]) -> ClaimAgreement | None:
    """Agreement over items with a rationale; None without any.

    A claim is true when a true span of the same modality overlaps it.
    """
    claimed = supported = true = found = items = 0
    for row, result in zip(rows, results, strict=True):
        rationale = result.judgment.rationale if result.judgment else None
        if rationale is None:
            continue
        items += 1
        truth = [c for c in row.get("claims") or () if c["strength"] != Strength.CLEAN]
        said = [c for c in rationale.claims if c.strength is not Strength.CLEAN]
        hits = [
            (i, j)
            for i, claim in enumerate(said)
            for j, fact in enumerate(truth)
            if claim.modality == fact["modality"]
            and claim.span.start_seconds <= fact["end"]
            and fact["start"] <= claim.span.end_seconds
        ]
        claimed, true = claimed + len(said), true + len(truth)
        supported += len({i for i, _ in hits})
        found += len({j for _, j in hits})
    if not items:
        return None
    return ClaimAgreement(
        items,
        claimed,
        true,
        supported / claimed if claimed else float("nan"),
        found / true if true else float("nan"),
    )
