"""How much evidence contradicts itself: closed forms and exact cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.provenance.types import ManifestAction, ManifestState, Provenance
from moderation.triage.disagreement import (
    digit_polarisation,
    disagreement,
    statement_disagreement,
)
from moderation.types import Judgment, Mode


def digits(**share: float) -> tuple[float, ...]:
    """Probabilities by digit, `p3=0.5`."""
    return tuple(share.get(f"p{k}", 0.0) for k in range(10))


def judged(digit: int, mode: Mode = Mode.FAST) -> Judgment:
    return Judgment(digits(**{f"p{digit}": 1.0}), 1.0, float(digit), mode, "judge")


def saying(
    *terms: str, manifest: ManifestState = ManifestState.TRUSTED, xmp: tuple[str, ...] = ()
) -> Provenance:
    actions = tuple(ManifestAction("c2pa.created", term) for term in terms)
    return Provenance(manifest, actions=actions, xmp_source_types=xmp)


@pytest.mark.parametrize(
    ("probability_K", "share"),
    [
        (digits(p0=0.5, p9=0.5), 1.0),
        (digits(p4=1.0), 0.0),
        (digits(p3=0.5, p6=0.5), 1 / 9),
        ((0.1,) * 10, (100 - 1) / 12 * 4 / 81),  # variance of ten equal digits: (n² - 1) / 12
    ],
)
def test_polarisation_has_its_closed_forms(probability_K: tuple[float, ...], share: float) -> None:
    assert digit_polarisation(probability_K) == pytest.approx(share)


@given(st.lists(st.floats(0.0, 1.0), min_size=10, max_size=10).filter(lambda one: sum(one) > 0.1))
def test_polarisation_is_a_share_of_the_largest_variance(weights: list[float]) -> None:
    p_K = np.array(weights) / sum(weights)
    variance = np.average((np.arange(10) - p_K @ np.arange(10)) ** 2, weights=p_K)
    assert digit_polarisation(p_K.tolist()) == pytest.approx(variance / 4.5**2)
    assert 0.0 <= digit_polarisation(p_K.tolist()) <= 1.0


@pytest.mark.parametrize(
    ("provenance", "score", "share"),
    [
        (saying("trainedAlgorithmicMedia"), 9.0, 1.0),
        (saying("trainedAlgorithmicMedia"), 0.0, 0.0),
        (saying(manifest=ManifestState.ABSENT, xmp=("compositeSynthetic",)), 4.5, 0.5),
        (saying("digitalCapture"), 0.0, 1.0),
        (saying("digitalCapture"), 9.0, 0.0),
        (saying("digitalCapture", "compositeWithTrainedAlgorithmicMedia"), 9.0, 1.0),
        (saying("digitalCapture", manifest=ManifestState.VALID), 0.0, None),
        (saying(manifest=ManifestState.ABSENT, xmp=("digitalCapture",)), 0.0, None),
        (saying(), 0.0, None),
    ],
)
def test_a_statement_speaks_against_a_score(
    provenance: Provenance, score: float, share: float | None
) -> None:
    assert statement_disagreement(score, provenance) == share


def test_the_largest_contradiction_counts() -> None:
    synthetic = saying("trainedAlgorithmicMedia")
    assert disagreement(judged(9), None, None) == 0.0
    assert disagreement(judged(9), saying(), judged(9, Mode.FULL)) == 0.0
    assert disagreement(judged(9), None, judged(3, Mode.FULL)) == pytest.approx(6 / 9)
    assert disagreement(judged(9), synthetic, judged(3, Mode.FULL)) == 1.0
    torn = Judgment(digits(p0=0.4, p9=0.6), 1.0, 5.4, Mode.FAST, "judge")
    assert disagreement(torn, synthetic, None) == pytest.approx(0.96)
