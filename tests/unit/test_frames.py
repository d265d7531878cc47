import numpy as np
import pytest

from encoders.encoding_format import from_bytes, to_bytes
from encoders.frames import FramesEncoder, evenly_spread, pictures
from encoders.types import AudioSamples, DecodedMedia, MediaMetadata, Modality
from tests.unit.judge.vision_builders import decoded


@pytest.mark.parametrize(
    ("frames", "most", "chosen"),
    [(1, 4, [0]), (3, 4, [0, 1, 2]), (16, 4, [2, 6, 10, 14]), (5, 2, [1, 3])],
)
def test_frames_are_spread_evenly(frames: int, most: int, chosen: list[int]) -> None:
    assert evenly_spread(frames, most) == chosen


def test_small_pictures_come_back_to_the_bit_also_from_the_cache_format() -> None:
    media = decoded(9, height=20, width=30)
    encoding = FramesEncoder(frames_max=3, side_max=30).encode([media])[0]
    assert media.frames is not None
    for encoded in (encoding, from_bytes(to_bytes(encoding))):
        sequence = encoded.sequences[0]
        found = pictures(sequence)
        assert np.array_equal(np.stack(found), media.frames.pixels_FHWC[[1, 4, 7]])
        assert sequence.start_seconds_N.tolist() == [0.5, 2.0, 3.5]
        assert sequence.modality is Modality.VIDEO


def test_larger_pictures_are_reduced_and_keep_their_shape() -> None:
    media = decoded(1, height=100, width=400)
    assert media.frames is not None
    media.frames.pixels_FHWC[..., 0] = 200
    (picture,) = pictures(FramesEncoder(side_max=80).encode([media])[0].sequences[0])
    assert picture.shape == (20, 80, 3)
    assert (picture[..., 0] == 200).all()


def test_sound_alone_has_no_pictures_and_options_change_the_version() -> None:
    audio = AudioSamples(np.zeros(10, np.float32), 16_000, 16_000)
    metadata = MediaMetadata("wav", 1, "0" * 64, (), (), "pyav")
    sound = DecodedMedia(metadata, Modality.AUDIO, 1.0, None, audio)
    assert FramesEncoder().encode([sound])[0].sequences == ()
    assert FramesEncoder().version != FramesEncoder(side_max=100).version
    with pytest.raises(ValueError, match="must be positive"):
        FramesEncoder(frames_max=0)
