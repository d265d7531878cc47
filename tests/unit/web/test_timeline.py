"""Where things lie on the drawings of the item page."""

from typing import Any

import pytest

from moderation.web.captions import web_vtt
from moderation.web.signal_scale import scaled
from moderation.web.timeline import (
    apart,
    build_timeline,
    clock,
    marked_seconds,
    spoken,
    stretch,
    ticks,
)
from moderation.web.waveform import wave_path

SIGNAL: dict[str, Any] = {
    "name": "audio.jitter",
    "modality": "audio",
    "value": 3.0,
    "typical_low": 1.0,
    "typical_high": 2.0,
    "unit": "percent",
    "span": {"start_seconds": 2.0, "end_seconds": 3.0},
    "direction": "high",
    "is_unusual": True,
    "explanation": "x",
}
FACTS: dict[str, Any] = {
    "duration_seconds": 10.0,
    "signals": [SIGNAL, SIGNAL | {"name": "audio.shimmer"}],
    "scene_cuts": [{"start_seconds": 5.0, "end_seconds": 5.1, "change": 0.5}],
    "transcript": {"by": "machine", "segments": []},
    "sound": {"seconds": 5.0, "frequency_hz_max": 8000.0},
}
SCORES = [
    {"start_seconds": 0.0, "end_seconds": 5.0, "score": 9.0},
    {"start_seconds": 5.0, "end_seconds": 10.0, "score": 0.0},
]


def claim(start: float, end: float) -> dict[str, Any]:
    return {
        "modality": "audio", "start_seconds": start, "end_seconds": end, "cue": "x",
        "strength": "clear", "standing": "supported",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0:00"), (3.04, "0:03"), (59.96, "1:00"), (62.5, "1:02.5"), (3723.4, "1:02:03.4")],
)
def test_times_are_told_as_players_tell_them(seconds: float, told: str) -> None:
    assert clock(seconds) == told
    assert stretch({"start_seconds": seconds, "end_seconds": seconds}) == told


@pytest.mark.parametrize("seconds", [0.2, 4.0, 61.0, 7200.0, 1e6])
def test_an_axis_has_few_round_times_within_it(seconds: float) -> None:
    found = ticks(seconds)
    assert 1 <= len(found) <= 11
    assert all(0 <= one.x <= 100 for one in found)


def test_marks_lie_where_their_time_is() -> None:
    drawn = build_timeline(FACTS, authenticity=SCORES, claims=[claim(5, 6)], wave=None)
    assert drawn is not None
    [whole, nothing] = drawn.lane("authenticity").marks  # type: ignore[union-attr]
    assert (whole.x, whole.width, whole.kind) == (0, 50, "score")
    assert nothing.kind == "score low"
    assert nothing.height < whole.height
    # Two signals of one stretch are one mark that names both.
    [odd] = drawn.lane("unusual").marks  # type: ignore[union-attr]
    assert (odd.x, odd.width, odd.seconds) == (20, pytest.approx(10), 2.0)
    assert "audio.jitter, audio.shimmer" in odd.told
    assert drawn.sound_width == 50
    assert drawn.lane("speech") is None
    assert len(drawn.bands) == 3
    assert marked_seconds(drawn) == [2.0, 5.0]
    ends = [one.y + one.height for one in drawn.lanes]
    assert all(end <= after.y for end, after in zip(ends, drawn.lanes[1:], strict=False))
    assert ends[-1] < drawn.height


def test_without_the_judge_nothing_of_it_is_drawn() -> None:
    drawn = build_timeline(FACTS, authenticity=(), claims=(), wave=None)
    assert drawn is not None
    assert [one.name for one in drawn.lanes] == ["unusual", "cuts", "wave", "spectrogram"]


def test_what_overlaps_lies_in_rows_and_an_instant_can_be_seen() -> None:
    spans = [(0, 4), (1, 5), (2, 3), (3, 9), (3, 9), (3, 9), (10, 10)]
    drawn = build_timeline(FACTS, authenticity=(), claims=[claim(*one) for one in spans], wave=None)
    assert drawn is not None
    lane = drawn.lane("claims")
    assert lane is not None
    assert all(lane.y <= one.y <= lane.y + lane.height - one.height for one in lane.marks)
    assert len({one.y for one in lane.marks}) == 4
    instant = lane.marks[-1]
    assert instant.width > 0
    assert instant.x + instant.width == pytest.approx(100)


def test_overlapping_stretches_are_drawn_side_by_side() -> None:
    spans = [{"start_seconds": float(k), "end_seconds": k + 2.0} for k in range(3)]
    edges = [(one["start_seconds"], one["end_seconds"]) for one in apart(spans)]
    assert edges == [(0.0, 1.5), (1.5, 2.5), (2.5, 4.0)]
    assert apart(spans[:1]) == spans[:1]
    assert apart([]) == []


def test_speech_without_pauses_is_one_mark() -> None:
    said = [{"start_seconds": 2.0 * k, "end_seconds": 2.0 * k + 1.9} for k in range(500)]
    far = {"start_seconds": 5000.0, "end_seconds": 5001.0}
    assert spoken([*said, far], 7200.0) == [{"start_seconds": 0.0, "end_seconds": 999.9}, far]


def test_a_still_has_no_timeline() -> None:
    still = FACTS | {"duration_seconds": 0.0}
    assert build_timeline(still, authenticity=(), claims=(), wave=None) is None


def test_a_waveform_is_a_closed_outline() -> None:
    path = wave_path([-1.0, -0.5], [1.0, 0.5])
    assert path == "M0,0 L500,25 L500,75 L0,100Z"
    # A quiet one is drawn as high, and says how quiet it is.
    assert wave_path([-0.1, -0.05], [0.1, 0.05]) == path
    assert wave_path([0.0], [0.0]) == "M0,50 L0,50Z"


@pytest.mark.parametrize(
    ("changes", "low", "high", "value"),
    [
        ({}, 9.7, 50, 90.3),
        ({"value": None}, 9.7, 90.3, None),
        ({"typical_low": None}, 0, 9.7, 90.3),
        ({"typical_low": None, "typical_high": None}, 0, 100, 50),
        ({"typical_low": 3.0, "typical_high": 3.0}, 50, 50, 50),
    ],
)
def test_a_value_lies_on_its_range(
    changes: dict[str, Any], low: float, high: float, value: float | None
) -> None:
    found = scaled(SIGNAL | changes)
    assert (found.low, found.high) == (pytest.approx(low, abs=0.1), pytest.approx(high, abs=0.1))
    assert found.value == (None if value is None else pytest.approx(value, abs=0.1))


def test_captions_hold_text_and_no_markup() -> None:
    text = "<v Bob>a --> b\n\n00:00.000 --> 00:09.000\nx & y\x00"
    said = [
        {"start_seconds": 0.0, "end_seconds": 3723.5, "text": text},
        {"start_seconds": 4.0, "end_seconds": 4.0, "text": "no time to be read"},
    ]
    head, time, line = web_vtt(said).strip().split("\n", 3)[0], *web_vtt(said).split("\n")[2:4]
    assert (head, time) == ("WEBVTT", "00:00:00.000 --> 01:02:03.500")
    assert line == (
        "&lt;v Bob&gt;a --&gt; b 00:00.000 --&gt; 00:09.000 x &amp; y\N{REPLACEMENT CHARACTER}"
    )
    assert web_vtt(said).count("-->") == 1
