"""Weak operations and overlays: the same on all copies, told in words, spans follow the cut."""

import numpy as np
import pytest

from encoders.types import Span
from rl.corpus.overlay import INSTRUCTIONS, Overlay, draw_overlay
from rl.corpus.recipe import Weak
from rl.corpus.scenes import RATE_HZ, picture, voice
from rl.corpus.weak import (
    PictureWeakness,
    SoundWeakness,
    draw_picture_weakness,
    draw_sound_weakness,
    mask_png,
)

ALWAYS = Weak(crop=1.0, gain=1.0, noise=1.0, recompression=1.0, resize=1.0)


def test_nothing_drawn_changes_nothing() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        scene, sound = picture(seed), voice(seed, 1.0)
        assert np.array_equal(draw_picture_weakness(Weak(), rng).apply(scene), scene)
        assert np.array_equal(draw_sound_weakness(Weak(), rng).apply(sound, RATE_HZ), sound)


def test_all_drawn_are_told_in_words_and_the_same_draw_does_the_same() -> None:
    first, second = (draw_picture_weakness(ALWAYS, np.random.default_rng(4)) for _ in range(2))
    assert first == second
    assert [word.split()[0] for word in first.words] == ["crop", "gain", "noise", "recompressed"]
    scene = picture(4, 120, 160)
    assert np.array_equal(first.apply(scene, 3), second.apply(scene, 3))
    assert not np.array_equal(first.apply(scene, 3), first.apply(scene, 4))
    sound = draw_sound_weakness(ALWAYS, np.random.default_rng(4))
    assert [word.split()[0] for word in sound.words] == ["cut", "gain", "band"]


@pytest.mark.parametrize("seed", range(6))
def test_a_crop_keeps_what_its_window_says_in_multiples(seed: int) -> None:
    weakness = draw_picture_weakness(Weak(crop=1.0), np.random.default_rng(seed))
    scene = picture(seed, 121, 163)
    rows, columns = weakness.window(121, 163, 2)
    cropped = weakness.apply(scene, multiple=2)
    assert np.array_equal(cropped, scene[rows, columns])
    assert cropped.shape[0] % 2 == cropped.shape[1] % 2 == 0
    assert 0.7 < cropped.size / scene.size < 1.0


def test_noise_and_brightness_are_of_the_size_that_they_say() -> None:
    grey = np.full((300, 300, 3), 100, np.uint8)
    noisy = PictureWeakness(noise_deviation=3.0, noise_seed=1).apply(grey).astype(float)
    assert noisy.std() == pytest.approx(3.0, rel=0.05)
    assert np.array_equal(noisy[..., 0], noisy[..., 2])
    assert PictureWeakness(brightness=1.1).apply(grey).mean() == pytest.approx(110.0)


def test_spans_follow_the_cut_of_a_sound() -> None:
    weakness = SoundWeakness(cut=(0.1, 0.2))
    length = 10 * RATE_HZ
    assert weakness.bounds(length) == (RATE_HZ, 8 * RATE_HZ)
    spans = (Span(0.0, 0.5), Span(0.5, 2.0), Span(3.0, 9.0))
    assert weakness.spans(spans, length, RATE_HZ) == (Span(0.0, 1.0), Span(2.0, 7.0))
    assert weakness.apply(np.zeros(length, np.float32), RATE_HZ).size == 7 * RATE_HZ


def test_a_band_limit_takes_what_is_above_it() -> None:
    t = np.arange(RATE_HZ) / RATE_HZ
    low, high = (np.sin(2 * np.pi * hz * t).astype(np.float32) for hz in (500, 3600))
    limited = SoundWeakness(band_hz=6000)
    assert np.std(limited.apply(low, RATE_HZ)) == pytest.approx(np.std(low), rel=0.02)
    assert np.std(limited.apply(high, RATE_HZ)) < 0.05


def test_gain_never_clips() -> None:
    loud = 0.9 * np.sin(np.linspace(0, 400, RATE_HZ)).astype(np.float32)
    raised = SoundWeakness(gain_db=4.0).apply(loud, RATE_HZ)
    assert 0.95 < np.abs(raised).max() < 1.0


@pytest.mark.parametrize("text", INSTRUCTIONS)
def test_an_instruction_is_drawn_and_fits_even_a_small_picture(text: str) -> None:
    scene = np.full((192, 256, 3), 128, np.uint8)
    drawn = Overlay(text, 0.5, 0.5, 0.1, (255, 255, 255), False).draw(scene)
    changed = (drawn != scene).any(axis=2)
    assert changed.any()
    assert not changed[:, :2].any()
    assert not changed[:, -2:].any()


def test_overlays_differ_from_pair_to_pair() -> None:
    drawn = {draw_overlay(np.random.default_rng(seed)).text for seed in range(60)}
    assert len(drawn) > len(INSTRUCTIONS) // 2


def test_a_mask_is_a_grey_png() -> None:
    content = mask_png(np.linspace(0.0, 1.0, 12, dtype=np.float32).reshape(3, 4))
    assert content.startswith(b"\x89PNG")
    assert len(content) < 200
