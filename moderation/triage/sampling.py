"""The random and the disagreement sample, with the propensity of being in them.

Reviews that the score asks for are selective labels: a calibrator fitted on them alone is biased.
Drawn items are reviewed whatever their score, so weighting each by 1 / propensity (Horvitz and
Thompson, JASA 1952) gives unbiased sums over all items.
"""

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

from moderation.policy.schema import Sampling


class Sample(StrEnum):
    """Why an item was drawn."""

    RANDOM = "random"
    DISAGREEMENT = "disagreement"


@dataclass(frozen=True, slots=True)
class Draws:
    """Two independent uniform numbers in [0, 1), one for each sample."""

    random: float
    disagreement: float

    def __post_init__(self) -> None:
        if not (0.0 <= self.random < 1.0 and 0.0 <= self.disagreement < 1.0):
            raise ValueError(f"draws {self.random} and {self.disagreement} are not in [0, 1)")


def draws_of(sha256: str, *, key: bytes) -> Draws:
    """The draws of a file with these bytes: copies are drawn together, and replays draw alike.

    key: the deployment's secret. Who knows it can make a file that is not drawn.
    """
    digest = hmac.digest(
        key, b"triage-sample\0" + sha256.encode(errors="backslashreplace"), hashlib.sha256
    )
    first, second = (int.from_bytes(digest[k : k + 8]) >> 11 for k in (0, 8))
    return Draws(first / 2**53, second / 2**53)


def drawn(sampling: Sampling, draws: Draws, disagreement: float | None) -> Sample | None:
    """The sample that an item is in, if any; the random one first."""
    if draws.random < sampling.random_share:
        return Sample.RANDOM
    if draws.disagreement < _disagreement_share(sampling, disagreement):
        return Sample.DISAGREEMENT
    return None


def sample_propensity(sampling: Sampling, disagreement: float | None) -> float:
    """P(an item is drawn) over its two independent draws: 1 - (1 - r)(1 - d)."""
    share = _disagreement_share(sampling, disagreement)
    return sampling.random_share + share - sampling.random_share * share


def _disagreement_share(sampling: Sampling, disagreement: float | None) -> float:
    if disagreement is None or disagreement < sampling.disagreement_from:
        return 0.0
    return sampling.disagreement_share
