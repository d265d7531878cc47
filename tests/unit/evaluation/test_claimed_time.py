"""Claims against true spans second by second, on cases worked out by hand."""

import math

import pytest

from encoders.types import Modality, Span
from moderation.types import Claim, Strength
from rl.evaluation.claimed_time import checked_overlap, claimed_time


def claim(
    start: float,
    end: float,
    modality: Modality = Modality.AUDIO,
    strength: Strength = Strength.CLEAR,
) -> Claim:
    return Claim(modality, Span(start, end), "x", strength)


def test_half_of_what_is_claimed_is_true_and_two_thirds_of_the_truth_is_claimed() -> None:
    # Said 0-4; true 2-5: shared 2 of 4 said, 2 of 3 true, union 5.
    found = claimed_time([claim(0, 4)], [claim(2, 5)])
    assert (found.said_seconds, found.true_seconds, found.shared_seconds) == (4, 3, 2)
    assert (found.precision, found.recall, found.overlap) == pytest.approx((1 / 2, 2 / 3, 2 / 5))


def test_a_claim_over_the_whole_file_finds_everything_but_is_imprecise() -> None:
    found = claimed_time([claim(0, 10)], [claim(1, 2), claim(7, 7.5)])
    assert found.recall == 1.0
    assert found.precision == found.overlap == pytest.approx(0.15)


def test_overlapping_and_adjacent_claims_count_once() -> None:
    # Said: 0-3 and 2-4 and 4-5, together 5 s; true: 1-2 and 4.5-6, together 2.5 s; shared 1.5 s.
    said = [claim(2, 4), claim(0, 3), claim(4, 5)]
    found = claimed_time(said, [claim(1, 2), claim(4.5, 6)])
    assert (found.said_seconds, found.true_seconds) == (5, 2.5)
    assert found.shared_seconds == pytest.approx(1.5)
    assert found.overlap == pytest.approx(1.5 / 6)


def test_modalities_do_not_help_each_other() -> None:
    # Video 0-2 said and true; audio 0-2 said, 4-6 true.
    said = [claim(0, 2), claim(0, 2, Modality.VIDEO)]
    found = claimed_time(said, [claim(4, 6), claim(0, 2, Modality.VIDEO)])
    assert (found.precision, found.recall) == (0.5, 0.5)
    assert found.overlap == pytest.approx(2 / 6)


def test_a_picture_counts_as_a_whole() -> None:
    still = claim(0, 0, Modality.IMAGE)
    assert checked_overlap([still], [still]) == 1.0
    assert checked_overlap([claim(0, 3, Modality.IMAGE), still], [still]) == 1.0
    assert checked_overlap([], [still]) == 0.0


def test_silence_about_genuine_media_is_right_and_a_claim_wrong() -> None:
    clean = claim(0, 5, strength=Strength.CLEAN)
    assert checked_overlap([clean], [clean]) == 1.0
    wrong = claimed_time([claim(0, 1)], [clean])
    assert (wrong.precision, wrong.overlap) == (0.0, 0.0)
    assert math.isnan(wrong.recall)
    missed = claimed_time([clean], [claim(0, 1)])
    assert (missed.recall, missed.overlap) == (0.0, 0.0)
    assert math.isnan(missed.precision)


def test_a_claim_without_length_says_nothing() -> None:
    assert checked_overlap([claim(2, 2)], []) == 1.0
    assert checked_overlap([claim(2, 2)], [claim(1, 3)]) == 0.0
