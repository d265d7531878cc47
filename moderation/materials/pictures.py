"""Pixels as small files of our own making: never a byte of what was uploaded."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from encoders.types import ByteArray, FloatArray

if TYPE_CHECKING:
    from PIL import Image

_HEAT_SIDE = 256
# Magenta: rare in photographs, and told from them with every common colour vision.
_HEAT_RGB = (214, 0, 122)


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture and its size in pixels."""

    content: bytes
    width: int
    height: int


def frame_jpeg(pixels_HWC: ByteArray, side_max: int) -> Picture:
    """A frame as JPEG without metadata, at most `side_max` pixels on its longer side."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(pixels_HWC))
    image.thumbnail((side_max, side_max))
    sink = io.BytesIO()
    image.save(sink, "JPEG", quality=85)
    return Picture(sink.getvalue(), image.width, image.height)


def heat_png(heat_HW: FloatArray) -> bytes:
    """A PNG of one colour whose opacity is the heat, [0, 1]; NaN is none."""
    from PIL import Image

    alpha = (np.clip(np.nan_to_num(heat_HW), 0.0, 1.0) * 255).astype(np.uint8)
    mask = Image.fromarray(alpha)
    mask.thumbnail((_HEAT_SIDE, _HEAT_SIDE))
    image = Image.new("RGB", mask.size, _HEAT_RGB)
    image.putalpha(mask)
    return png(image)


def png(image: "Image.Image") -> bytes:
    """`image` as PNG."""
    sink = io.BytesIO()
    image.save(sink, "PNG", optimize=True)
    return sink.getvalue()
