"""From a plan in seconds to pictures, over anything that can fetch frames by number."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from PIL import Image

from encoders.base import ReadLimits
from encoders.errors import LimitExceeded
from encoders.sampling import ByScene, Sampling, change_values, coarse_plan, plan
from encoders.types import ByteArray, FrameBatch, SecondsArray

_THUMBNAIL_SIDE = 32
_CLOCK_SLACK_SECONDS = 1e-6


class FrameSource(Protocol):
    """Frames in order of presentation.

    timestamps_F: seconds, ascending, one a frame. duration_seconds: end of the last frame.
    """

    timestamps_F: SecondsArray
    duration_seconds: float

    def fetch(self, indices: Sequence[int]) -> Iterator[ByteArray]:
        """RGB pictures uint8 (H, W, 3) at ascending `indices`, upright, in full size."""
        ...


def frames_at(timestamps_F: SecondsArray, seconds: Sequence[float]) -> list[int]:
    """Numbers of the frames on screen at `seconds`, ascending, each once."""
    times = np.asarray(seconds, dtype=np.float64) + _CLOCK_SLACK_SECONDS
    found = np.searchsorted(timestamps_F, times, side="right") - 1
    return sorted({int(i) for i in np.clip(found, 0, len(timestamps_F) - 1)})


def select(source: FrameSource, sampling: Sampling, limits: ReadLimits) -> FrameBatch:
    """Decode what `sampling` asks for; the coarse pass of `ByScene` happens here.

    Raises:
        LimitExceeded: the pictures take more than `limits.output_bytes_max`.
    """
    times = source.timestamps_F
    if isinstance(sampling, ByScene):
        coarse = frames_at(times, coarse_plan(sampling, source.duration_seconds))
        thumbnails = np.stack([_thumbnail(picture) for picture in source.fetch(coarse)])
        change = change_values(thumbnails)
        seconds = plan(sampling, source.duration_seconds, change, [float(times[i]) for i in coarse])
    else:
        seconds = plan(sampling, source.duration_seconds)
    indices = frames_at(times, seconds)
    pixels, height, width = _collect(source.fetch(indices), len(indices), limits)
    return FrameBatch(
        pixels_FHWC=pixels,
        timestamps_seconds_F=np.maximum(times[indices], 0.0).astype(np.float64),
        source_height=height,
        source_width=width,
    )


def _collect(
    pictures: Iterator[ByteArray], count: int, limits: ReadLimits
) -> tuple[ByteArray, int, int]:
    """(F, H, W, 3) of `count` pictures, reduced, with the height and width of the first."""
    first = next(pictures)
    height, width = first.shape[:2]
    small = reduced(first, limits.frame_side_max)
    needed = small.nbytes * count
    if needed > limits.output_bytes_max:
        raise LimitExceeded(
            "output_bytes",
            f"{count} frames of {small.shape[1]}x{small.shape[0]} take {needed} bytes",
            expected=f"at most {limits.output_bytes_max} bytes",
            remedy="Sample fewer frames, or lower frame_side_max.",
        )
    pixels = np.empty((count, *small.shape), dtype=np.uint8)
    pixels[0] = small
    filled = 1
    for picture in pictures:
        small = reduced(picture, limits.frame_side_max)
        if small.shape != pixels.shape[1:]:  # the stream changed its size on the way
            small = _resize(small, pixels.shape[2], pixels.shape[1])
        pixels[filled] = small
        filled += 1
    if filled != count:
        raise RuntimeError(f"{filled} of {count} frames came back")
    return pixels, height, width


def reduced(picture: ByteArray, side_max: int) -> ByteArray:
    """Area interpolation down to `side_max` on the longer side; smaller pictures stay."""
    height, width = picture.shape[:2]
    longer = max(height, width)
    if longer <= side_max:
        return picture
    scale = side_max / longer
    return _resize(picture, max(1, round(width * scale)), max(1, round(height * scale)))


def _thumbnail(picture: ByteArray) -> ByteArray:
    return _resize(picture, _THUMBNAIL_SIDE, _THUMBNAIL_SIDE)


def _resize(picture: ByteArray, width: int, height: int) -> ByteArray:
    # Pillow's BOX filter with antialiasing support averages over the source area.
    image = Image.fromarray(np.ascontiguousarray(picture))
    return np.asarray(image.resize((width, height), Image.Resampling.BOX), dtype=np.uint8)
