"""How much of the time that a rationale claims is true, and how much of the truth it claims.

Overlap alone is a lenient judge of a claim: one over the whole file touches every true span. Here
each second counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from encoders.types import Modality, Span
from moderation.types import Claim, Strength
from rl.corpus.severity import covered_seconds

STILL = Span(0.0, 1.0)
"""A picture has no time: what is claimed of it counts one second."""


@dataclass(frozen=True, slots=True)
class ClaimedTime:
    """Seconds of one item, over all modalities, that are said, true, or both, to be manipulated.

    Overlapping spans of a modality count once. A claim of no length, which rounding to tenths of
    a second can make, says nothing.
    """

    said_seconds: float
    true_seconds: float
    shared_seconds: float

    @property
    def precision(self) -> float:
        """Share of the claimed time that is true; NaN where nothing is claimed."""
        return self.shared_seconds / self.said_seconds if self.said_seconds else float("nan")

    @property
    def recall(self) -> float:
        """Share of the true time that is claimed; NaN where nothing is true."""
        return self.shared_seconds / self.true_seconds if self.true_seconds else float("nan")

    @property
    def overlap(self) -> float:
        """Intersection over union, in [0, 1]; 1 where nothing is true and nothing is claimed."""
        union = self.said_seconds + self.true_seconds - self.shared_seconds
        return self.shared_seconds / union if union else 1.0


def claimed_time(said: Sequence[Claim], truth: Sequence[Claim]) -> ClaimedTime:
    """The times of one item's claims and of its truth; entries that are clean claim nothing."""
    said_seconds = true_seconds = shared_seconds = 0.0
    for modality in Modality:
        claimed, true = _spans(said, modality), _spans(truth, modality)
        lengths = covered_seconds(claimed), covered_seconds(true)
        said_seconds += lengths[0]
        true_seconds += lengths[1]
        # What two unions share is what they lose by being one.
        shared_seconds += max(0.0, sum(lengths) - covered_seconds([*claimed, *true]))
    shared_seconds = min(shared_seconds, said_seconds, true_seconds)
    return ClaimedTime(said_seconds, true_seconds, shared_seconds)


def checked_overlap(said: Sequence[Claim], truth: Sequence[Claim]) -> float:
    """In [0, 1]: intersection over union of the claimed and the true time of one item.

    Fit to be a part of a reward: claiming more than is true, or less, costs alike, and on genuine
    media only the silence of claims earns it.

    Source: the Jaccard index; temporal IoU of action localisation (ActivityNet, CVPR 2015).
    """
    return claimed_time(said, truth).overlap


def _spans(claims: Sequence[Claim], modality: Modality) -> list[Span]:
    marked = [c for c in claims if c.modality is modality and c.strength is not Strength.CLEAN]
    return [STILL if modality is Modality.IMAGE else claim.span for claim in marked]
