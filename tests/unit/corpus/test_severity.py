"""Label arithmetic, against closed forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.types import Span
from moderation.types import Strength
from rl.corpus.severity import (
    covered_seconds,
    modality_severity,
    score,
    severity,
    strength_word,
    temporal_fraction,
)

unit = st.floats(0.0, 1.0)


def test_overlapping_spans_count_once() -> None:
    spans = [Span(2.0, 4.0), Span(0.0, 1.0), Span(3.0, 5.0)]
    assert covered_seconds(spans) == pytest.approx(4.0)
    assert temporal_fraction(spans, 8.0) == pytest.approx(0.5)


def test_a_still_with_a_span_counts_whole_and_one_without_counts_nothing() -> None:
    assert temporal_fraction([Span(0.0, 0.0)], 0.0) == 1.0
    assert temporal_fraction([], 0.0) == 0.0
    assert temporal_fraction([], 3.0) == 0.0


def test_severity_is_the_product_with_the_root_of_the_area() -> None:
    assert modality_severity(0.5, 0.25, 0.8) == pytest.approx(0.2)
    assert severity([0.2, 0.7, 0.1]) == 0.7
    assert severity([]) == 0.0


def test_scores_at_known_severities() -> None:
    assert score(0.0) == 9.0
    assert score(1.0) == 0.0
    assert score(0.05, 0.3) == pytest.approx(9 * (1 - 0.05**0.3))
    # A splice of one twentieth, however well made, costs more than a third of the scale.
    assert score(0.05) < 6.0


@given(unit, unit)
def test_worse_never_scores_higher(left: float, right: float) -> None:
    low, high = sorted((left, right))
    assert 0.0 <= score(high) <= score(low) <= 9.0


@given(unit, unit, unit)
def test_severity_stays_in_the_unit_interval(fraction: float, area: float, power: float) -> None:
    assert 0.0 <= modality_severity(fraction, area, power) <= 1.0


@pytest.mark.parametrize("arguments", [(1.1, 0.5, 0.5), (0.5, -0.1, 0.5), (0.5, 0.5, float("nan"))])
def test_arguments_off_the_scale_are_refused(arguments: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="not in"):
        modality_severity(*arguments)


def test_scores_of_impossible_severities_are_refused() -> None:
    with pytest.raises(ValueError, match="severity"):
        score(1.5)
    with pytest.raises(ValueError, match="gamma"):
        score(0.5, gamma=0.0)


def test_words_follow_severity() -> None:
    words = [strength_word(m) for m in (0.0, 0.01, 0.1, 0.6)]
    assert words == [Strength.CLEAN, Strength.WEAK, Strength.CLEAR, Strength.STRONG]
