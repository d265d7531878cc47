"""Which timestamps to look at. Pure arithmetic: a plan is a tuple of seconds.

F counts the frames of the coarse pass, H and W their height and width.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np

from encoders.types import ByteArray, Span


@dataclass(frozen=True, slots=True)
class Uniform:
    """Centres of equal slices of the whole file, at most `rate_hz` a second and `frames_max`."""

    frames_max: int = 16
    rate_hz: float = 4.0


@dataclass(frozen=True, slots=True)
class ByScene:
    """The centre of each scene first, then of its halves; long scenes get more frames."""

    frames_max: int = 16
    coarse_rate_hz: float = 2.0
    threshold: float = 0.3


@dataclass(frozen=True, slots=True)
class Dense:
    """Every 1 / `rate_hz` seconds within `span`, at most `frames_max`."""

    span: Span
    rate_hz: float = 25.0
    frames_max: int = 128


Sampling = Uniform | ByScene | Dense

COARSE_FRAMES_MAX = 512
_HISTOGRAM_BINS = 16


def plan(
    sampling: Sampling,
    duration_seconds: float,
    coarse_change_F: Sequence[float] | None = None,
    coarse_timestamps_F: Sequence[float] | None = None,
) -> tuple[float, ...]:
    """The seconds to look at: strictly increasing, within [0, duration_seconds].

    coarse_change_F, coarse_timestamps_F: for `ByScene` only; how much frame i differs from
    frame i - 1, in [0, 1] (`change_values`), and when it is shown. Without them the file
    counts as one scene. A duration of 0 (a still) gives the single time 0.

    Raises:
        ValueError: the duration is negative or not finite, or the coarse pass is ragged.
    """
    if not math.isfinite(duration_seconds) or duration_seconds < 0.0:
        raise ValueError(f"duration {duration_seconds} s is not a finite number >= 0")
    if isinstance(sampling, Dense):
        return _dense(sampling, duration_seconds)
    if sampling.frames_max < 1:
        raise ValueError(f"frames_max is {sampling.frames_max}; at least 1 is needed")
    if duration_seconds == 0.0:
        return (0.0,)
    if isinstance(sampling, Uniform):
        return _uniform(sampling, duration_seconds)
    change = () if coarse_change_F is None else tuple(coarse_change_F)
    times = () if coarse_timestamps_F is None else tuple(coarse_timestamps_F)
    if len(change) != len(times):
        raise ValueError(f"{len(change)} change values for {len(times)} coarse frames")
    return _by_scene(sampling, duration_seconds, change, times)


def coarse_plan(sampling: ByScene, duration_seconds: float) -> tuple[float, ...]:
    """Times of the coarse pass of `ByScene`: a regular grid, at most `COARSE_FRAMES_MAX`."""
    return plan(Uniform(COARSE_FRAMES_MAX, sampling.coarse_rate_hz), duration_seconds)


def change_values(thumbnails_FHWC: ByteArray) -> tuple[float, ...]:
    """How much each thumbnail differs from the one before it, in [0, 1]; the first is 0.

    Half the L1 distance of the per-channel colour histograms: motion inside a scene moves
    pixels but keeps the histogram, a cut changes it.

    thumbnails_FHWC: uint8, (F, H, W, 3), F >= 1.
    """
    frames, height, width, channels = thumbnails_FHWC.shape
    bins = thumbnails_FHWC // (256 // _HISTOGRAM_BINS)
    histogram = np.stack(
        [(bins == level).sum(axis=(1, 2)) for level in range(_HISTOGRAM_BINS)], axis=-1
    ).reshape(frames, channels * _HISTOGRAM_BINS)
    share = histogram / float(height * width * channels)
    distance = 0.5 * np.abs(np.diff(share, axis=0)).sum(axis=1)
    return (0.0, *(float(value) for value in np.clip(distance, 0.0, 1.0)))


def sampling_id(sampling: Sampling) -> str:
    """Canonical JSON of a sampling: equal values give equal text, for cache keys."""
    fields = {"kind": type(sampling).__name__, **asdict(sampling)}
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def sampling_from_id(text: str) -> Sampling:
    """The sampling that `sampling_id` wrote down.

    Raises:
        ValueError: the text is not one of those.
    """
    fields = json.loads(text)
    kind = fields.pop("kind", None)
    if kind == "Uniform":
        return Uniform(**fields)
    if kind == "ByScene":
        return ByScene(**fields)
    if kind == "Dense":
        return Dense(span=Span(**fields.pop("span")), **fields)
    raise ValueError(f"{kind!r} is no sampling; expected Uniform, ByScene or Dense")


def _centres(start: float, end: float, count: int) -> tuple[float, ...]:
    step = (end - start) / count
    return tuple(start + (i + 0.5) * step for i in range(count))


def _increasing(times: Sequence[float], end: float) -> tuple[float, ...]:
    """Sorted and free of duplicates, which slices below float resolution would give."""
    return tuple(sorted({min(max(t, 0.0), end) for t in times}))


def _uniform(sampling: Uniform, duration: float) -> tuple[float, ...]:
    wanted = math.floor(min(duration * sampling.rate_hz, float(sampling.frames_max)))
    return _increasing(_centres(0.0, duration, max(1, wanted)), duration)


def _dense(sampling: Dense, duration: float) -> tuple[float, ...]:
    if sampling.frames_max < 1 or not sampling.rate_hz > 0.0:
        raise ValueError(f"{sampling} takes no frames; frames_max and rate_hz must be positive")
    start = min(sampling.span.start_seconds, duration)
    end = min(sampling.span.end_seconds, duration)
    intervals = min((end - start) * sampling.rate_hz, float(sampling.frames_max - 1))
    # The small excess keeps the last frame when 0.2 s x 25 Hz comes out as 4.999...
    count = math.floor(intervals + 1e-9) + 1
    return _increasing([start + i / sampling.rate_hz for i in range(count)], end)


def _by_scene(
    sampling: ByScene, duration: float, change: Sequence[float], times: Sequence[float]
) -> tuple[float, ...]:
    cuts = [
        (times[i - 1] + times[i]) / 2.0
        for i in range(1, len(times))
        if change[i] > sampling.threshold and 0.0 < times[i] < duration
    ]
    edges = [0.0, *(c for c in _increasing(cuts, duration) if 0.0 < c < duration), duration]
    scenes = list(pairwise(edges))
    # No scene is looked at more often than the uniform default would: half a second a frame.
    room = max(1, math.floor(min(duration * 2.0, float(sampling.frames_max))))
    budget = min(sampling.frames_max, max(room, len(scenes)))
    if len(scenes) > budget:
        scenes = sorted(scenes, key=lambda s: s[0] - s[1])[:budget]
    counts = [1] * len(scenes)
    # Each further frame goes to the scene whose slices are longest: halves, then thirds.
    for _ in range(budget - len(scenes)):
        longest = max(range(len(scenes)), key=lambda i: (scenes[i][1] - scenes[i][0]) / counts[i])
        counts[longest] += 1
    picked = [
        t
        for (start, end), count in zip(scenes, counts, strict=True)
        for t in _centres(start, end, count)
    ]
    return _increasing(picked, duration)
