"""Every forgery: the same on each run, honest about where it is, and nothing else touched."""

import shutil
from collections.abc import Callable

import numpy as np
import pytest

from encoders.types import ByteArray, FloatArray
from rl.corpus.forgeries.griffin_lim import griffin_lim
from rl.corpus.forgeries.inpaint import inpaint
from rl.corpus.forgeries.region_shift import region_shift
from rl.corpus.forgeries.repeat import repeat
from rl.corpus.forgeries.resample import OPERATIONS, resample
from rl.corpus.forgeries.self_blend import self_blend
from rl.corpus.forgeries.speech import SpeechEngineError, choose_speaker, speech
from rl.corpus.forgeries.splice import splice
from rl.corpus.forgeries.types import STILL, Forged
from rl.corpus.forgeries.warp import warp
from rl.corpus.forgeries.world import world
from rl.corpus.scenes import RATE_HZ, film, picture, voice

FRAMES_PER_SECOND = 12.0
PICTURES: dict[str, Callable[[ByteArray, np.random.Generator], Forged[ByteArray]]] = {
    "self_blend": self_blend,
    "splice": lambda image, rng: splice(image, picture(99, 150, 120), rng),
    "inpaint": inpaint,
    "resample": resample,
}
FILMS = {"repeat": repeat, "warp": warp, "region_shift": region_shift}


def read_digits(
    engine: str,
) -> Callable[[FloatArray, int, np.random.Generator], Forged[FloatArray]]:
    def forge(waveform: FloatArray, rate: int, rng: np.random.Generator) -> Forged[FloatArray]:
        return speech(waveform, rate, rng, text="one, two, three", language="en", engine=engine)

    return forge


VOICES = {"world": world, "griffin_lim": griffin_lim}
VOICES |= {name: read_digits(name) for name in ("espeak-ng", "flite") if shutil.which(name)}
SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", PICTURES)
def test_a_forged_picture_changes_only_within_its_mask(name: str, seed: int) -> None:
    image = picture(seed)
    kept = image.copy()
    forged = PICTURES[name](image, np.random.default_rng(seed))
    again = PICTURES[name](image, np.random.default_rng(seed))
    np.testing.assert_array_equal(image, kept)
    np.testing.assert_array_equal(forged.media, again.media)
    assert forged.media.shape == image.shape
    assert forged.media.dtype == np.uint8
    assert forged.spans == (STILL,)
    assert 0.0 < forged.strength <= 1.0
    changed = (forged.media != image).any(axis=2)
    assert changed.any()
    if forged.mask_HW is not None:
        assert forged.mask_HW.shape == image.shape[:2]
        assert not changed[forged.mask_HW == 0].any()
        assert changed[forged.mask_HW > 0.8 * forged.mask_HW.max()].mean() > 0.3
        assert 0.0 < forged.area < 0.5


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_resampling_leaves_the_mean_and_changes_the_spectrum(name: str) -> None:
    image = picture(1)
    changed = OPERATIONS[name](image, np.random.default_rng(0))
    assert abs(float(changed.mean()) - float(image.mean())) < 3.0

    def spectrum(pixels: ByteArray) -> FloatArray:
        return np.abs(np.fft.rfft2(pixels.mean(axis=2).astype(np.float32)))

    assert np.abs(np.log(spectrum(changed) + 1) - np.log(spectrum(image) + 1)).mean() > 0.2


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", FILMS)
def test_a_forged_film_changes_exactly_within_its_span(name: str, seed: int) -> None:
    frames = film(seed)
    kept = frames.copy()
    forged = FILMS[name](frames, FRAMES_PER_SECOND, np.random.default_rng(seed))
    again = FILMS[name](frames, FRAMES_PER_SECOND, np.random.default_rng(seed))
    np.testing.assert_array_equal(frames, kept)
    np.testing.assert_array_equal(forged.media, again.media)
    assert forged.media.shape == frames.shape
    (span,) = forged.spans
    start, end = (round(t * FRAMES_PER_SECOND) for t in (span.start_seconds, span.end_seconds))
    changed = (forged.media != frames).any(axis=(1, 2, 3))
    assert not changed[:start].any()
    assert not changed[end:].any()
    assert changed[start:end].all()
    if forged.mask_HW is not None:
        assert not (forged.media != frames).any(axis=(0, 3))[forged.mask_HW == 0].any()
    assert 0.0 < forged.strength <= 1.0


def test_repeated_frames_are_frames_of_the_film() -> None:
    frames = film(2)
    forged = repeat(frames, FRAMES_PER_SECOND, np.random.default_rng(3))
    own = {frame.tobytes() for frame in frames}
    assert all(frame.tobytes() in own for frame in forged.media)
    assert len({frame.tobytes() for frame in forged.media}) < len(frames)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", VOICES)
def test_a_forged_voice_changes_only_within_its_span(name: str, seed: int) -> None:
    waveform = voice(seed)
    kept = waveform.copy()
    forged = VOICES[name](waveform, RATE_HZ, np.random.default_rng(seed))
    again = VOICES[name](waveform, RATE_HZ, np.random.default_rng(seed))
    np.testing.assert_array_equal(waveform, kept)
    np.testing.assert_array_equal(forged.media, again.media)
    assert forged.media.dtype == np.float32
    assert np.abs(forged.media).max() <= 1.0
    length = forged.media.size
    assert 0.5 * waveform.size <= length <= waveform.size
    (span,) = forged.spans
    start, end = round(span.start_seconds * RATE_HZ), round(span.end_seconds * RATE_HZ)
    assert 0 <= start < end <= length
    changed = forged.media != waveform[:length]
    assert not changed[:start].any()
    assert not changed[end:].any()
    assert changed[start:end].mean() > 0.9
    assert 0.0 < forged.strength <= 1.0


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs the command espeak-ng")
def test_other_words_by_another_voice_are_farther_off_than_a_vocoder() -> None:
    waveform = voice(0)
    read = [read_digits("espeak-ng")(waveform, RATE_HZ, np.random.default_rng(s)) for s in SEEDS]
    rebuilt = [world(waveform, RATE_HZ, np.random.default_rng(s)) for s in SEEDS]
    assert min(f.strength for f in read) > max(f.strength for f in rebuilt)


def test_an_engine_that_lacks_the_language_says_which_it_has() -> None:
    engine = "flite" if shutil.which("flite") else "no-such-engine"
    with pytest.raises(SpeechEngineError, match="expected"):
        choose_speaker(engine, "fi", np.random.default_rng(0))
