"""Plans of timestamps: order, range, counts and the odd durations."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.sampling import (
    COARSE_FRAMES_MAX,
    ByScene,
    Dense,
    Sampling,
    Uniform,
    change_values,
    coarse_plan,
    plan,
    sampling_from_id,
    sampling_id,
)
from encoders.types import Span

durations = st.floats(min_value=0.0, max_value=40_000.0, allow_nan=False)
counts = st.integers(min_value=1, max_value=64)
rates = st.floats(min_value=0.05, max_value=60.0)


@st.composite
def samplings(draw: st.DrawFn) -> Sampling:
    kind = draw(st.sampled_from(("uniform", "scene", "dense")))
    if kind == "uniform":
        return Uniform(draw(counts), draw(rates))
    if kind == "scene":
        return ByScene(draw(counts), draw(rates), draw(st.floats(0.0, 1.0)))
    start = draw(st.floats(0.0, 1000.0))
    return Dense(Span(start, start + draw(st.floats(0.0, 100.0))), draw(rates), draw(counts))


@given(samplings(), durations)
def test_plans_ascend_within_the_file_and_the_budget(sampling: Sampling, duration: float) -> None:
    times = plan(sampling, duration)
    assert 1 <= len(times) <= sampling.frames_max
    assert all(0.0 <= t <= duration for t in times)
    assert all(a < b for a, b in pairwise(times))


@given(
    counts,
    st.floats(min_value=0.5, max_value=5000.0),
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=200),
    st.floats(0.0, 1.0),
)
def test_scene_plans_hold_whatever_the_cuts(
    frames_max: int, duration: float, change: list[float], threshold: float
) -> None:
    times = [duration * i / len(change) for i in range(len(change))]
    picked = plan(ByScene(frames_max, 2.0, threshold), duration, change, times)
    assert 1 <= len(picked) <= frames_max
    assert all(0.0 <= t <= duration for t in picked)
    assert all(a < b for a, b in pairwise(picked))


@pytest.mark.parametrize("duration", [0.0, 1e-9, 0.01])
@pytest.mark.parametrize("sampling", [Uniform(), ByScene(), Dense(Span(0.0, 1.0))])
def test_stills_and_blinks_give_one_frame_or_few(sampling: Sampling, duration: float) -> None:
    assert len(plan(sampling, duration)) == 1


def test_uniform_takes_centres_of_equal_slices() -> None:
    assert plan(Uniform(4, 10.0), 8.0) == (1.0, 3.0, 5.0, 7.0)


def test_uniform_rate_bounds_the_count() -> None:
    assert len(plan(Uniform(16, 4.0), 2.0)) == 8


def test_dense_includes_both_ends_of_the_span() -> None:
    times = plan(Dense(Span(1.0, 1.2), 25.0), 10.0)
    assert times == pytest.approx((1.0, 1.04, 1.08, 1.12, 1.16, 1.2))


def test_dense_is_clipped_to_the_file() -> None:
    assert plan(Dense(Span(8.0, 12.0), 1.0), 10.0) == (8.0, 9.0, 10.0)
    assert plan(Dense(Span(20.0, 21.0), 1.0), 10.0) == (10.0,)


def test_each_scene_gets_its_centre_and_long_ones_get_more() -> None:
    change = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.9, 0.0]
    times = [float(i) for i in range(10)]  # a cut between 7 s and 8 s: scenes of 7.5 and 2.5 s
    assert plan(ByScene(2, 1.0), 10.0, change, times) == pytest.approx((3.75, 8.75))
    four = plan(ByScene(4, 1.0), 10.0, change, times)
    assert four == pytest.approx((1.25, 3.75, 6.25, 8.75))


def test_more_scenes_than_frames_keeps_the_longest() -> None:
    change, times = [0.0, 0.9, 0.9, 0.0, 0.0], [0.0, 1.0, 2.0, 6.0, 10.0]
    assert plan(ByScene(1), 10.0, change, times) == pytest.approx((5.75,))


def test_without_cuts_a_scene_plan_is_uniform() -> None:
    assert plan(ByScene(4), 8.0, [0.0] * 8, range(8)) == plan(Uniform(4), 8.0)


def test_coarse_pass_is_bounded() -> None:
    assert len(coarse_plan(ByScene(), 14_400.0)) == COARSE_FRAMES_MAX
    assert len(coarse_plan(ByScene(coarse_rate_hz=2.0), 10.0)) == 20


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_change_is_a_share_and_starts_at_zero(frames: int, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (frames, 4, 5, 3), dtype=np.uint8)
    change = change_values(noise)
    assert len(change) == frames
    assert change[0] == 0.0
    assert all(0.0 <= value <= 1.0 for value in change)


def test_change_sees_a_cut_but_not_motion() -> None:
    moving = np.zeros((3, 8, 8, 3), dtype=np.uint8)
    moving[0, :, :4], moving[1, :, 4:], moving[2] = 255, 255, 128
    assert change_values(moving) == pytest.approx((0.0, 0.0, 1.0))


@given(samplings())
def test_identifier_is_canonical_and_reversible(sampling: Sampling) -> None:
    text = sampling_id(sampling)
    assert sampling_from_id(text) == sampling
    fields = json.loads(text)
    assert text == json.dumps(fields, sort_keys=True, separators=(",", ":"))


def test_identifiers_differ_between_kinds() -> None:
    assert len({sampling_id(s) for s in (Uniform(), ByScene(), Dense(Span(0.0, 1.0)))}) == 3


@pytest.mark.parametrize("duration", [-1.0, math.nan, math.inf])
def test_impossible_durations_are_refused(duration: float) -> None:
    with pytest.raises(ValueError, match="duration"):
        plan(Uniform(), duration)


def test_a_ragged_coarse_pass_is_refused() -> None:
    with pytest.raises(ValueError, match="coarse"):
        plan(ByScene(), 5.0, [0.0, 0.1], [0.0])


@pytest.mark.parametrize("sampling", [Uniform(0), ByScene(0), Dense(Span(0, 1), 25.0, 0)])
def test_no_frames_is_refused(sampling: Sampling) -> None:
    with pytest.raises(ValueError, match="frames"):
        plan(sampling, 5.0)
