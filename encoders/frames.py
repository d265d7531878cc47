"""A few reduced pictures of an item, kept as features for a judge that looks at pictures itself.

The judge reads features only, so that whatever it saw is in the cache and under the encoder's
version. A value costs four bytes there: a picture of 384 x 216 is about 1 MB.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from encoders.types import (
    ByteArray,
    DecodedMedia,
    Encoding,
    FeatureSequence,
    FrameBatch,
    Modality,
)

NAME = "frames"
PIXELS = "pixels"
SIZE = "size"
_FEATURES_VERSION = "1"


class FramesEncoder:
    """Layers `pixels`, (F, H W 3) with values 0..255, and `size`, (F, 2) with height and width.

    frames_max: pictures an item, evenly spread over those decoded. side_max: pixels on the
    longer side of each.
    """

    name = NAME

    def __init__(self, *, frames_max: int = 4, side_max: int = 384) -> None:
        if frames_max < 1 or side_max < 1:
            raise ValueError(f"{frames_max} frames of {side_max} pixels; both must be positive")
        self._frames_max = frames_max
        self._side_max = side_max
        self.version = f"{_FEATURES_VERSION}-{frames_max}x{side_max}px"

    def encode(self, batch: Sequence[DecodedMedia]) -> list[Encoding]:
        """One `Encoding` an item; an empty one for sound alone.

        A position looks at one instant, the picture's own time.
        """
        return [
            Encoding() if media.frames is None else self._encoding(media, media.frames)
            for media in batch
        ]

    def _encoding(self, media: DecodedMedia, frames: FrameBatch) -> Encoding:
        chosen = evenly_spread(len(frames.pixels_FHWC), self._frames_max)
        pictures = [self._reduce(frames.pixels_FHWC[f]) for f in chosen]
        seconds_F = frames.timestamps_seconds_F[chosen]
        sequence = FeatureSequence(
            encoder=self.name,
            modality=Modality.VIDEO if media.modality is Modality.VIDEO else Modality.IMAGE,
            layers={
                PIXELS: np.stack([p.reshape(-1) for p in pictures]).astype(np.float32),
                SIZE: np.array([p.shape[:2] for p in pictures], dtype=np.float32),
            },
            start_seconds_N=seconds_F,
            end_seconds_N=seconds_F,
        )
        return Encoding((sequence,))

    def _reduce(self, pixels_HWC: ByteArray) -> ByteArray:
        picture = Image.fromarray(pixels_HWC)
        picture.thumbnail((self._side_max, self._side_max), Image.Resampling.LANCZOS)
        return np.asarray(picture)


def evenly_spread(frames: int, most: int) -> list[int]:
    """Indices of the middles of `most` equal parts of `frames` frames; all where there are fewer.

    >>> evenly_spread(16, 4)
    [2, 6, 10, 14]
    """
    count = min(frames, most)
    return [int((2 * part + 1) * frames / (2 * count)) for part in range(count)]


def pictures(sequence: FeatureSequence) -> list[ByteArray]:
    """The (H, W, 3) uint8 pictures of a sequence that `FramesEncoder` wrote."""
    return [
        flat.astype(np.uint8).reshape(int(height), int(width), 3)
        for flat, (height, width) in zip(
            sequence.layers[PIXELS], sequence.layers[SIZE], strict=True
        )
    ]
