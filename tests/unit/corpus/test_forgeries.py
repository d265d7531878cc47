"""Every forgery: the same on each run, honest about where it is, and nothing else touched."""

import shutil
from collections.abc import Callable

import numpy as np
import pytest
import scipy.signal

from encoders.types import ByteArray, FloatArray
from rl.corpus.forgeries.copy_move import choose_move, copy_move
from rl.corpus.forgeries.griffin_lim import griffin_lim
from rl.corpus.forgeries.inpaint import inpaint
from rl.corpus.forgeries.interpolate import between, interpolate, optical_flow
from rl.corpus.forgeries.lpc import lpc, pitch, prediction
from rl.corpus.forgeries.offset import av_offset, moved
from rl.corpus.forgeries.region_shift import region_shift
from rl.corpus.forgeries.repeat import repeat
from rl.corpus.forgeries.resample import OPERATIONS, resample
from rl.corpus.forgeries.reverse import reverse
from rl.corpus.forgeries.self_blend import self_blend
from rl.corpus.forgeries.speech import (
    SpeechEngineError,
    choose_speaker,
    installed_voices,
    speaks,
    speech,
)
from rl.corpus.forgeries.speech_splice import Passage, choose_passage, speech_splice
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
    "copy_move": copy_move,
}
FILMS = {"repeat": repeat, "warp": warp, "region_shift": region_shift, "reverse": reverse}
FILMS |= {"interpolate": interpolate}


def read_digits(
    engine: str,
) -> Callable[[FloatArray, int, np.random.Generator], Forged[FloatArray]]:
    def forge(waveform: FloatArray, rate: int, rng: np.random.Generator) -> Forged[FloatArray]:
        return speech(waveform, rate, rng, text="one, two, three", language="en", engine=engine)

    return forge


def splice_digits(
    engine: str,
) -> Callable[[FloatArray, int, np.random.Generator], Forged[FloatArray]]:
    def forge(waveform: FloatArray, rate: int, rng: np.random.Generator) -> Forged[FloatArray]:
        third = waveform.size // 3
        words = ("one", "twenty two", "three")
        passages = [Passage(i * third, (i + 1) * third, word) for i, word in enumerate(words)]
        return speech_splice(waveform, rate, rng, passages=passages, language="en", engine=engine)

    return forge


ENGINES = [name for name in ("espeak-ng", "flite", "festival") if installed_voices(name, "en")]
VOICES = {"world": world, "griffin_lim": griffin_lim, "lpc": lpc}
REBUILT = frozenset(VOICES) | {"av_offset"}
VOICES |= {name: read_digits(name) for name in ENGINES}
VOICES |= {f"{name}_splice": splice_digits(name) for name in ENGINES}
VOICES["av_offset"] = lambda waveform, rate, rng: av_offset(waveform, rate, 12.0, rng)
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
    assert changed[[start, end - 1]].all()
    # An interpolated window keeps the frames that the others were made from.
    assert changed[start:end].all() or name == "interpolate"
    assert changed[start:end].mean() >= 0.5
    if forged.mask_HW is not None:
        assert not (forged.media != frames).any(axis=(0, 3))[forged.mask_HW == 0].any()
    assert 0.0 < forged.strength <= 1.0


def test_repeated_frames_are_frames_of_the_film() -> None:
    frames = film(2)
    forged = repeat(frames, FRAMES_PER_SECOND, np.random.default_rng(3))
    own = {frame.tobytes() for frame in frames}
    assert all(frame.tobytes() in own for frame in forged.media)
    assert len({frame.tobytes() for frame in forged.media}) < len(frames)


@pytest.mark.parametrize(
    # An engine starts in a second or so: two seeds are enough for those that read aloud.
    ("name", "seed"),
    [(name, seed) for name in VOICES for seed in SEEDS if seed < 2 or name in REBUILT],
)
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


def test_what_is_copied_lies_in_the_same_picture() -> None:
    rng = np.random.default_rng(0)
    mask = np.zeros((60, 80), np.float32)
    mask[10:30, 20:50] = 1.0
    for _ in range(50):
        down, right = choose_move(mask, rng)
        assert 10 + down >= 0
        assert 29 + down < 60
        assert 20 + right >= 0
        assert 49 + right < 80
        assert (down, right) != (0, 0)


def test_a_reversed_window_holds_the_same_frames_in_the_other_order() -> None:
    frames = film(2)
    forged = reverse(frames, FRAMES_PER_SECOND, np.random.default_rng(3))
    (span,) = forged.spans
    start, end = (round(t * FRAMES_PER_SECOND) for t in (span.start_seconds, span.end_seconds))
    np.testing.assert_array_equal(forged.media[start:end], frames[start:end][::-1])


def test_interpolation_finds_the_frame_between_where_the_motion_is_plain() -> None:
    wide = picture(5, 96, 140)
    left, middle, right = (np.ascontiguousarray(wide[:, x : x + 120]) for x in (0, 3, 6))
    flow = optical_flow(left, right)
    inner = (slice(12, -12), slice(16, -16))
    error = np.abs(between(left, right, flow, 0.5)[inner].astype(float) - middle[inner]).mean()
    fade = between(left, right, np.zeros_like(flow), 0.5)
    np.testing.assert_array_equal(fade, np.rint((left.astype(float) + right) / 2).astype(np.uint8))
    assert error < 0.5 * np.abs(fade[inner].astype(float) - middle[inner]).mean()


def test_prediction_recovers_an_autoregressive_process() -> None:
    rng = np.random.default_rng(1)
    noise = 0.3 * rng.standard_normal(40_000)
    signal = scipy.signal.lfilter([1.0], [1.0, -1.2, 0.7], noise)
    predictor, gain = prediction(signal, 2)
    np.testing.assert_allclose(predictor, [1.2, -0.7], atol=0.02)
    assert gain == pytest.approx(0.3, rel=0.03)


def test_pitch_of_a_buzz_and_of_noise() -> None:
    times = np.arange(400) / RATE_HZ
    buzz = sum(np.cos(2 * np.pi * 125.0 * k * times) for k in range(1, 8))
    assert pitch(np.asarray(buzz), RATE_HZ) == pytest.approx(125.0, rel=0.02)
    assert pitch(np.random.default_rng(0).standard_normal(400), RATE_HZ) == 0.0
    assert pitch(np.zeros(400), RATE_HZ) == 0.0


def test_a_moved_track_is_late_or_early_by_so_many_samples() -> None:
    track = np.arange(1, 6, dtype=np.float32)
    np.testing.assert_array_equal(moved(track, 2), [0, 0, 1, 2, 3])
    np.testing.assert_array_equal(moved(track, -2), [3, 4, 5, 0, 0])
    np.testing.assert_array_equal(moved(track, 0), track)


def test_passages_are_whole_words_in_a_row() -> None:
    parts = [Passage(100 * i, 100 * i + 80, word) for i, word in enumerate("abcdef")]
    single = [Passage(0, 1000, "the quick brown fox")]
    for seed in range(30):
        several = choose_passage(parts, np.random.default_rng(seed))
        assert several.text.replace(", ", "") in "abcdef"
        assert several.end - several.start <= 280
        some = choose_passage(single, np.random.default_rng(seed))
        assert some.text in "the quick brown fox"
        assert len(some.text.split()) <= 2
        assert 0 <= some.start < some.end <= 1000
    with pytest.raises(SpeechEngineError, match="without its words"):
        choose_passage([Passage(0, 10, "")], np.random.default_rng(0))


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs the command espeak-ng")
def test_other_words_by_another_voice_are_farther_off_than_a_vocoder() -> None:
    waveform = voice(0)
    read = [read_digits("espeak-ng")(waveform, RATE_HZ, np.random.default_rng(s)) for s in SEEDS]
    rebuilt = [world(waveform, RATE_HZ, np.random.default_rng(s)) for s in SEEDS]
    assert min(f.strength for f in read) > max(f.strength for f in rebuilt)


def test_an_engine_that_lacks_the_language_says_which_it_has() -> None:
    for engine in ("flite", "festival", "espeak-ng"):
        assert not speaks(engine, "xx")
        with pytest.raises(SpeechEngineError, match="expected"):
            choose_speaker(engine, "xx", np.random.default_rng(0))


@pytest.mark.skipif("festival" not in ENGINES, reason="needs festival and a voice of it")
def test_a_choice_of_voices_is_kept_to() -> None:
    voice_name, *_ = installed_voices("festival", "en")
    drawn = {
        choose_speaker("festival", "en", np.random.default_rng(seed), [voice_name]).voice
        for seed in range(8)
    }
    assert drawn == {voice_name}
    with pytest.raises(SpeechEngineError):
        choose_speaker("festival", "en", np.random.default_rng(0), ["another"])
