"""The least that can be scored: below it every encoder sees only what it padded itself."""

import numpy as np

from encoders.base import ReadRequest
from encoders.errors import NoUsableMedia
from encoders.types import AudioSamples, DecodedMedia, FrameBatch

PICTURE_SIDE_MIN = 16
"""Pixels on the shorter side, as decoded: two 8x8 blocks of the forensic signals."""

SOUND_SECONDS_MIN = 0.1
"""From the first sample that is not zero to the last, where there is no picture."""

SOUND_RATE_MIN_HZ = 4000
"""Of the recording: below it nothing of a voice is left."""


def require_enough(media: DecodedMedia, request: ReadRequest) -> None:
    """Refuse media with too little in it.

    Raises:
        NoUsableMedia: the pictures are too small, or there is only a sound that is too short.
    """
    if media.frames is not None:
        _require_picture(media.frames)
    elif media.audio is not None:
        _require_sound(media.audio, min(SOUND_SECONDS_MIN, request.audio_seconds_max))


def _require_picture(frames: FrameBatch) -> None:
    height, width = frames.pixels_FHWC.shape[1:3]
    if min(height, width) < PICTURE_SIDE_MIN:
        read = f", read as {width}x{height}" if height != frames.source_height else ""
        raise NoUsableMedia(
            f"the picture is {frames.source_width}x{frames.source_height}{read}",
            expected=f"at least {PICTURE_SIDE_MIN} pixels a side",
            remedy="Send the original, not a thumbnail or a strip of it.",
        )


def _require_sound(audio: AudioSamples, seconds_min: float) -> None:
    sounding = np.flatnonzero(audio.waveform_T)
    count = int(sounding[-1] - sounding[0] + 1) if sounding.size else 0
    seconds = count / audio.sample_rate_hz
    # Half a millisecond for what resampling and codecs take off either end.
    if seconds < seconds_min - 0.0005:
        raise NoUsableMedia(
            f"there are {1000 * seconds:.2f} ms of sound and no picture",
            expected=f"at least {1000 * seconds_min:g} ms of sound",
            remedy="Send the whole recording.",
        )
    if audio.source_sample_rate_hz < SOUND_RATE_MIN_HZ:
        raise NoUsableMedia(
            f"the sound has {audio.source_sample_rate_hz} samples a second",
            expected=f"at least {SOUND_RATE_MIN_HZ}",
            remedy="Send the original recording.",
        )
