"""From digit scores to a `Judgment`, the same for every backend."""

import hashlib
from collections.abc import Sequence

import torch

from encoders.types import MediaFeatures
from moderation.judge.score_head import DigitScores
from moderation.types import Judgment, Mode, Rationale


def judgment(
    scores: DigitScores, n: int, *, mode: Mode, judge_id: str, rationale: Rationale | None = None
) -> Judgment:
    """The judgment of row `n` of `scores`."""
    return Judgment(
        digit_probabilities_K=tuple(scores.probabilities_NK[n].tolist()),
        digit_mass=float(scores.mass_N[n]),
        expected_score=float(scores.expected_N[n].clamp(0.0, 9.0)),
        mode=mode,
        judge_id=judge_id,
        rationale=rationale,
    )


def average(scores: DigitScores) -> tuple[DigitScores, int]:
    """The mean of the rows, as one row, and the index of the row whose score is nearest to it."""
    mean = DigitScores(
        scores.probabilities_NK.mean(0, keepdim=True),
        scores.mass_N.mean(0, keepdim=True),
        scores.expected_N.mean(0, keepdim=True),
    )
    return mean, int((scores.expected_N - mean.expected_N).abs().argmin())


def content_generators(items: Sequence[MediaFeatures], rationales: int) -> list[torch.Generator]:
    """A generator for each rationale of each item, in order, seeded by the item's bytes.

    So that what is sampled, and with it the score, does not depend on the batch.
    """
    return [
        torch.Generator().manual_seed(
            int.from_bytes(hashlib.sha256(f"{item.metadata.sha256}/{k}".encode()).digest()[:8])
            % 2**63
        )
        for item in items
        for k in range(rationales)
    ]
