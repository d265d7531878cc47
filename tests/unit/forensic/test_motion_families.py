"""Motion and timing: repeats, returns, interpolation, local edits, and the lag of sound."""

import made_media as made
import numpy as np
import pytest

from encoders.forensic.encoder import read_frame
from encoders.forensic.onset_lag import onset_lag
from encoders.forensic.temporal import (
    Motion,
    detours,
    frame_embedding,
    frame_steps,
    read_motion,
    repeats,
    second_difference_std,
    step_changes,
    straightness,
)
from encoders.types import ByteArray


def motion(frames: list[ByteArray]) -> Motion:
    sketches = [read_frame(frame)[1] for frame in frames]
    return read_motion(sketches, np.arange(len(frames)) / 4.0)


def test_second_difference_in_closed_form() -> None:
    # Positions 0, 1, 3, 4 on a line: steps 1, 2, 1; changes +1, -1; deviation 1.
    embeddings = np.array([[0.0], [1.0], [3.0], [4.0]])
    np.testing.assert_allclose(frame_steps(embeddings), [1, 2, 1])
    np.testing.assert_allclose(step_changes(embeddings), [1, -1])
    assert second_difference_std(embeddings) == pytest.approx(1.0)


def test_even_motion_has_no_second_difference() -> None:
    even = np.arange(8.0)[:, None] * np.ones((1, 5))
    assert second_difference_std(even) == pytest.approx(0.0, abs=1e-9)
    assert second_difference_std(even[:2]) == 0.0


def test_detours_and_straightness_in_closed_form() -> None:
    there_and_back = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    midway = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    corner = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])
    np.testing.assert_allclose(detours(there_and_back), [1.0])
    np.testing.assert_allclose(detours(midway), [0.0], atol=1e-12)
    np.testing.assert_allclose(detours(corner), [1 - 5 / 7])
    np.testing.assert_allclose(straightness(midway), [1.0])
    np.testing.assert_allclose(straightness(there_and_back), [0.0])


def test_repeats_counts_freezes_and_loops() -> None:
    line = np.array([[0.0], [1.0], [1.0], [2.0], [0.0], [3.0]])
    np.testing.assert_array_equal(repeats(line), [0, 1, 0, 1, 0])


def test_uneven_motion_is_more_volatile_than_even_motion() -> None:
    scene = made.picture(160, 480)
    even = [scene[:, 9 * i : 9 * i + 192] for i in range(12)]
    assert motion(even).step_volatility < 0.5 * motion(made.film()).step_volatility


def test_repeated_frames_raise_their_share() -> None:
    genuine = made.film()
    forged = [*genuine[:6], genuine[5], genuine[5], *genuine[8:]]
    name = "video.repeated_frames"
    assert motion(genuine).values[name].mean() == 0
    np.testing.assert_array_equal(np.flatnonzero(motion(forged).values[name]), [5, 6])


def test_a_reversed_window_returns() -> None:
    genuine = made.film()
    forged = [*genuine[:6], genuine[4], *genuine[7:]]
    name = "video.return"
    assert motion(forged).values[name].max() > motion(genuine).values[name].max() + 0.3


def test_interpolated_frames_are_straight_and_lose_detail() -> None:
    genuine = made.film()
    forged = list(genuine)
    forged[5] = ((genuine[4].astype(np.uint16) + genuine[6]) // 2).astype(np.uint8)
    before, after = motion(genuine), motion(forged)
    name = "video.straight_step"
    assert after.values[name].max() > before.values[name].max() + 0.1
    assert int(after.values[name].argmax()) == 5
    name = "video.detail_jump"
    assert after.values[name].max() > before.values[name].max() + 0.1


def test_a_region_that_changes_by_itself_stands_out() -> None:
    still = made.picture(160, 192)
    rng = np.random.default_rng(1)
    genuine = [
        np.clip(still + rng.normal(0, 1.5, still.shape), 0, 255).astype(np.uint8) for _ in range(8)
    ]
    forged = [frame.copy() for frame in genuine]
    rows, columns = made.centre(still)
    forged[4][rows, columns] = np.roll(still[rows, columns], 5, axis=1)
    before, after = motion(genuine), motion(forged)
    name = "video.local_change"
    assert after.values[name].max() > before.values[name].max() + 1
    worst = int(after.values[name].argmax())
    assert worst in (3, 4)
    map_hw = after.heat_maps[worst]
    assert map_hw[rows, columns].size == 0 or map_hw.max() == 1
    inside = map_hw[rows.start // 16 : rows.stop // 16, columns.start // 16 : columns.stop // 16]
    assert inside.mean() > 3 * map_hw.mean()


def test_embeddings_of_tiny_frames_have_the_usual_width() -> None:
    assert frame_embedding(np.zeros((1, 1, 3), np.uint8)).shape == (280,)
    assert frame_embedding(made.picture(50, 70)).shape == (280,)


@pytest.mark.parametrize("shift_seconds", [-0.3, 0.0, 0.4])
def test_the_lag_of_sound_behind_motion_is_found(shift_seconds: float) -> None:
    rng = np.random.default_rng(3)
    bursts = np.cumsum(rng.uniform(0.5, 1.1, 12))
    times = np.arange(0, 10, 0.1)
    seen = np.zeros(len(times) - 1)
    onsets = np.full(1000, 0.01) + rng.uniform(0, 0.01, 1000)
    for at in bursts[bursts < 9]:
        seen += np.exp(-(((times[1:] + times[:-1]) / 2 - at) ** 2) / 0.005)
        onsets += np.exp(-((np.arange(1000) / 100 - at - shift_seconds) ** 2) / 0.005)
    lag = onset_lag(seen + 0.01, times, onsets)
    assert lag is not None
    assert lag.lag_seconds == pytest.approx(shift_seconds, abs=0.05)
    assert lag.confidence > 0.15
    assert lag.correlation > 0.5
    if shift_seconds:
        assert lag.agreement < lag.correlation - 0.3


def test_no_lag_is_claimed_of_short_or_silent_films() -> None:
    times = np.arange(0, 10, 0.1)
    assert onset_lag(np.ones(4), times[:5], np.ones(1000)) is None
    assert onset_lag(np.ones(99), times, np.zeros(1000)) is None
    assert onset_lag(np.ones(99), times, np.random.default_rng(0).random(100)) is None
