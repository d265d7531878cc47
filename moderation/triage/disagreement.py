"""How much the parts of the evidence contradict each other; pure.

What the judge is torn about, or other evidence speaks against, is what a sample of reviews teaches
most about. Each measure is in [0, 1]; the largest counts, as one contradiction is enough.
"""

from collections.abc import Sequence

from encoders.provenance.types import ManifestState, Provenance
from moderation.types import LEVELS_K, Judgment

CAPTURED_SOURCE_TYPES = frozenset(
    {"digitalCapture", "computationalCapture", "negativeFilm", "positiveFilm", "print"}
)
"""Terms of IPTC's vocabulary that say: taken from life.

Source: IPTC NewsCodes, scheme digitalsourcetype (cv.iptc.org/newscodes/digitalsourcetype).
"""

_HIGHEST = LEVELS_K - 1


def digit_polarisation(probability_K: Sequence[float]) -> float:
    """Variance of the digits as a share of the largest that there is, 81 / 4.

    1 where half says 0 and half says 9; .41 for ten digits that are equally likely; 0 for one
    digit alone. Source of the bound: Popoviciu 1935, variance <= (highest - lowest) ** 2 / 4.
    """
    mean = sum(k * p for k, p in enumerate(probability_K))
    variance = sum((k - mean) ** 2 * p for k, p in enumerate(probability_K))
    return min(1.0, 4.0 * variance / _HIGHEST**2)


def statement_disagreement(score: float, provenance: Provenance) -> float | None:
    """How far a score (0..9) is from what the file says of its origin; None where it says nothing.

    A file that says an algorithm made it is believed so far, whoever says it. One that says it
    was taken from life is heard only with the signature of somebody who is trusted.
    """
    if provenance.declares_synthetic:
        return score / _HIGHEST
    is_signed = provenance.manifest is ManifestState.TRUSTED
    said = {action.source_type for action in provenance.actions}
    if is_signed and not CAPTURED_SOURCE_TYPES.isdisjoint(said):
        return 1.0 - score / _HIGHEST
    return None


def disagreement(
    judgment: Judgment, provenance: Provenance | None, other_mode: Judgment | None
) -> float:
    """The largest contradiction within the evidence of one file, [0, 1].

    Of the judge with itself (`digit_polarisation`), with the file's own statement, and with the
    score of the same bytes in the other mode, where there is one.
    """
    found = [digit_polarisation(judgment.digit_probabilities_K)]
    if provenance is not None:
        stated = statement_disagreement(judgment.expected_score, provenance)
        found += [] if stated is None else [stated]
    if other_mode is not None:
        found.append(abs(judgment.expected_score - other_mode.expected_score) / _HIGHEST)
    return max(found)
