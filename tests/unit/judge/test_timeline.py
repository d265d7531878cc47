"""Authenticity over time: stretches that cover an item, each judged as a file of its own."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from encoders.types import Span, Transcript, TranscriptSegment
from moderation.judge.timeline import WINDOWS_MAX, authenticity_over_time, excerpt, windows
from moderation.types import Mode

from .builders import features, judge


@pytest.mark.parametrize(
    ("duration", "window", "hop"),
    [(0.3, 2.0, 1.0), (2.0, 2.0, 1.0), (2.1, 2.0, 1.0), (9.7, 2.0, 1.5), (7200.0, 2.0, 1.0)],
)
def test_windows_cover_all_of_an_item_and_nothing_else(
    duration: float, window: float, hop: float
) -> None:
    spans = windows(duration, window, hop)
    assert spans[0].start_seconds == 0.0
    assert spans[-1].end_seconds == pytest.approx(duration)
    assert 1 <= len(spans) <= WINDOWS_MAX
    for one, following in pairwise(spans):
        assert one.start_seconds < following.start_seconds <= one.end_seconds + 1e-9
        assert following.start_seconds - one.start_seconds <= max(hop, duration / 200) + 1e-9


def test_what_has_no_length_has_no_stretches() -> None:
    assert windows(0.0, 2.0, 1.0) == ()
    with pytest.raises(ValueError, match="above 0"):
        windows(1.0, 2.0, 0.0)


def test_a_short_item_has_one_stretch_with_its_own_score() -> None:
    reader, item = judge(), features(1.5)
    [whole] = authenticity_over_time(reader, item)
    [judgment] = reader.judge([item], Mode.FAST)
    assert whole.span == Span(0.0, 1.5)
    assert whole.expected_score == pytest.approx(judgment.expected_score, abs=1e-4)


def test_a_stretch_scores_as_a_file_with_that_content_alone() -> None:
    reader, item = judge(), features(5.0)
    found = authenticity_over_time(reader, item, window_seconds=2.0, hop_seconds=1.0)
    assert [one.span.start_seconds for one in found] == pytest.approx([0.0, 1.0, 2.0, 3.0])
    # The same features cut out by hand: ten positions a second.
    alone = features(2.0)
    cut = tuple(
        replace(one, layers={name: v[20:40] for name, v in whole.layers.items()})
        for whole, one in zip(item.sequences, alone.sequences, strict=True)
    )
    [judgment] = reader.judge([replace(alone, sequences=cut)], Mode.FAST)
    assert found[2].expected_score == pytest.approx(judgment.expected_score, abs=1e-3)
    assert np.ptp([one.expected_score for one in found]) > 1e-3


def test_speech_and_sequences_come_along_where_they_are() -> None:
    said = Transcript(
        tuple(TranscriptSegment(Span(t, t + 1.0), f"word {t:g}") for t in (0.0, 1.5, 3.0))
    )
    item = replace(features(4.0, encoders=["clip"]), transcript=said)
    part = excerpt(item, Span(1.0, 3.0))
    assert part.duration_seconds == 2.0
    assert [(s.span, s.text) for s in part.transcript.segments] == [(Span(0.5, 1.5), "word 1.5")]
    [sequence] = part.sequences
    assert len(sequence.start_seconds_N) == 20
    assert sequence.start_seconds_N[0] == pytest.approx(0.0)
    assert sequence.end_seconds_N[-1] == pytest.approx(2.0)


def test_a_stretch_without_features_is_left_out() -> None:
    item = replace(features(2.0), duration_seconds=6.0)
    found = authenticity_over_time(judge(), item)
    assert [one.span.start_seconds for one in found] == pytest.approx([0.0, 1.0])
