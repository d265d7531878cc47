"""What goes through the codecs: the same bytes each time, the same length, no delay."""

import io
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from encoders.errors import CorruptMedia
from encoders.types import FloatArray
from rl.corpus.codecs import (
    film_bytes,
    film_duration,
    fit,
    jpeg_bytes,
    read_film_sound,
    read_frames,
    read_picture,
    read_sound,
    sound_bytes,
    through_codec,
)
from rl.corpus.distance import cepstral_distance, dissimilarity_map, picture_distance
from rl.corpus.loudness import fade_ends, match_loudness, rms, sounding_range, trim_silence
from rl.corpus.scenes import RATE_HZ, film, picture, voice


def test_a_wav_comes_back_to_within_one_step(tmp_path: Path) -> None:
    waveform = voice(1)
    path = tmp_path / "voice.wav"
    path.write_bytes(sound_bytes(waveform, RATE_HZ))
    assert np.abs(read_sound(path, RATE_HZ) - waveform).max() < 2.0 / 32768


def test_a_text_named_wav_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "voice.wav"
    path.write_text("not a sound")
    with pytest.raises(CorruptMedia, match=r"voice\.wav"):
        read_sound(path, RATE_HZ)


@pytest.mark.parametrize(("codec", "kbps"), [("libmp3lame", 32), ("libopus", 24)])
def test_a_lossy_codec_keeps_length_and_time(codec: str, kbps: int) -> None:
    waveform = voice(2)
    lossy = through_codec(waveform, RATE_HZ, codec, kbps)
    np.testing.assert_array_equal(lossy, through_codec(waveform, RATE_HZ, codec, kbps))
    assert lossy.shape == waveform.shape
    assert np.corrcoef(lossy, waveform)[0, 1] > 0.95
    assert not np.array_equal(lossy, waveform)


def test_a_picture_is_fitted_to_its_longer_side(tmp_path: Path) -> None:
    fitted = fit(picture(0, 90, 120), 64, multiple=2)
    assert fitted.shape == (48, 64, 3)
    path = tmp_path / "picture.jpg"
    path.write_bytes(jpeg_bytes(fitted, 90))
    assert picture_distance(fitted, read_picture(path)) < 0.2


@pytest.fixture
def film_path(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(film_bytes(film(0, frames=60), 30.0, 18, voice(0, 2.0), RATE_HZ))
    return path


def test_a_film_keeps_its_sound_its_rate_and_its_frames(film_path: Path) -> None:
    assert film_duration(film_path) == pytest.approx(2.0, abs=0.05)
    frames, rate = read_frames(film_path, 0.0, 1.0, (10.0, 15.0))
    assert rate == pytest.approx(15.0)
    assert frames.shape == (15, 72, 96, 3)
    assert picture_distance(frames[2], film(0, frames=60)[4]) < 0.3
    sound = read_film_sound(film_path, 0.0, 2.0, RATE_HZ)
    assert sound.shape == (2 * RATE_HZ,)
    assert np.corrcoef(sound, voice(0, 2.0))[0, 1] > 0.9


def test_no_frame_of_a_window_is_doubled(film_path: Path) -> None:
    frames, _ = read_frames(film_path, 0.5, 1.2, (10.0, 13.0))
    assert all((a != b).any() for a, b in pairwise(frames))


def test_a_window_past_the_end_is_refused(film_path: Path) -> None:
    with pytest.raises(CorruptMedia, match=r"film\.mp4"):
        read_frames(film_path, 1.5, 3.0, (10.0, 15.0))


def test_the_same_film_gives_the_same_bytes() -> None:
    made = {film_bytes(film(1), 12.5, 26, voice(1, 1.9), RATE_HZ) for _ in range(5)}
    assert len(made) == 1
    with av.open(io.BytesIO(made.pop())) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]


def test_distances_are_zero_for_the_same_and_grow_with_the_change() -> None:
    image = picture(3)
    assert dissimilarity_map(image, image).max() < 1e-4
    small = np.clip(image.astype(np.int16) + 6, 0, 255).astype(np.uint8)
    assert 0.0 < picture_distance(image, small) < picture_distance(image, picture(4)) <= 1.0
    waveform = voice(3)
    quiet: FloatArray = waveform * np.float32(0.5)
    assert cepstral_distance(waveform, waveform, RATE_HZ) == 0.0
    # Loudness is no forgery: c_0 is left out (what remains is the floor under the pauses).
    other = cepstral_distance(waveform, voice(4), RATE_HZ)
    assert cepstral_distance(waveform, quiet, RATE_HZ) < 0.6 * other


def test_silence_is_trimmed_at_both_ends_only() -> None:
    sound = voice(5, 1.0)
    silence = np.zeros(RATE_HZ // 2, np.float32)
    gapped = np.concatenate([sound, silence, sound])
    padded = np.concatenate([silence, gapped, silence])
    trimmed = trim_silence(padded, RATE_HZ)
    assert abs(trimmed.size - trim_silence(gapped, RATE_HZ).size) <= 0.1 * RATE_HZ
    assert trimmed.size > 2.2 * RATE_HZ
    assert sounding_range(silence, RATE_HZ) == (0, silence.size)


def test_level_and_fades() -> None:
    loud, quiet = voice(6), voice(7) * np.float32(0.1)
    assert rms(match_loudness(loud, quiet)) == pytest.approx(rms(quiet), rel=1e-4)
    faded = fade_ends(np.ones(1000, np.float32), RATE_HZ)
    assert faded[0] < 0.01
    assert faded[-1] < 0.01
    assert (faded[100:-100] == 1.0).all()
