"""What a batch of rollouts says about scores: B rollouts, K score levels."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch

from moderation.types import LEVELS_K
from rl.objective import log_digit_distribution


@dataclass(frozen=True, slots=True)
class Rollouts:
    """log_p_BK: digit distribution at the score position. log_mass_B: log of the digits' share.

    y_B: labels. target_BK: their distribution over levels. is_scored_B: bool, False for rollouts
    that were cut off before their score, whose distribution is a filler that nobody may read.
    level_B: long, the digit that was sampled, -1 where the score token is none. overlap_B: of what
    the rationale claims with what is true, in [0, 1]; NaN where nobody checked.
    """

    log_p_BK: torch.Tensor
    log_mass_B: torch.Tensor
    y_B: torch.Tensor
    target_BK: torch.Tensor
    is_scored_B: torch.Tensor
    level_B: torch.Tensor
    overlap_B: torch.Tensor

    def scored(self) -> "Rollouts":
        """Only the rollouts that have a score."""
        kept = {f.name: getattr(self, f.name)[self.is_scored_B] for f in fields(self)}
        return Rollouts(**kept)

    def gathered(self, gather: Callable[[torch.Tensor], torch.Tensor]) -> "Rollouts":
        """Those of all processes; gather: accelerate's."""
        return Rollouts(**{f.name: gather(getattr(self, f.name)) for f in fields(self)})


def read_scores(
    logits_SV: torch.Tensor,
    digit_ids_K: torch.Tensor,
    *,
    is_scored_B: torch.Tensor,
    y_B: torch.Tensor,
    target_BK: torch.Tensor,
    level_B: torch.Tensor | None = None,
    overlap_B: torch.Tensor | None = None,
) -> Rollouts:
    """Rollouts from the logits at the score positions of the scored ones, in order (S of B).

    level_B, overlap_B: None where nobody asks for them.
    """
    log_p_SK, log_mass_S = log_digit_distribution(logits_SV, digit_ids_K)
    log_p_BK = log_p_SK.new_full((len(y_B), LEVELS_K), 1 / LEVELS_K).log()
    log_mass_B = log_mass_S.new_zeros(len(y_B))
    place_S = is_scored_B.nonzero()[:, 0]
    return Rollouts(
        log_p_BK.index_copy(0, place_S, log_p_SK),
        log_mass_B.index_copy(0, place_S, log_mass_S),
        y_B,
        target_BK,
        is_scored_B,
        torch.full_like(y_B, -1, dtype=torch.long) if level_B is None else level_B,
        torch.full_like(y_B, torch.nan) if overlap_B is None else overlap_B,
    )
