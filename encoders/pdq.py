"""PDQ, a perceptual hash of pictures that survives codecs, scaling and small edits.

Meta, The TMK+PDQF video-hashing algorithm and the PDQ image-hashing algorithm (2019).
"""

import numpy as np
import pdqhash

from encoders.types import ByteArray, FrameBatch

# PDQ's own advice: no verdict on pictures below quality 50.
QUALITY_MIN = 50


def pdq_hash(image_HWC: ByteArray) -> str | None:
    """256 bits as 64 hexadecimal digits; None for a picture that is too plain to tell apart.

    image_HWC: uint8 RGB.
    """
    bits, quality = pdqhash.compute(np.ascontiguousarray(image_HWC))
    if quality < QUALITY_MIN:
        return None
    return np.packbits(np.asarray(bits, np.uint8)).tobytes().hex()


def frame_hashes(frames: FrameBatch) -> tuple[str, ...]:
    """The hashes of all frames in order of time, each once, without those of plain frames."""
    found = (pdq_hash(frame_HWC) for frame_HWC in frames.pixels_FHWC)
    return tuple(dict.fromkeys(one for one in found if one is not None))
