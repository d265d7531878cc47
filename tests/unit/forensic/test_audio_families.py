"""Audio signals move in their direction, and say nothing of gain, rate or trimming."""

import made_media as made
import numpy as np
import pytest
from scipy import signal

from encoders.forensic.audio_spectrum import interior_silence
from encoders.forensic.audio_windows import short_time
from encoders.forensic.cepstra import delta, filter_bank
from encoders.forensic.encoder import read_sound
from encoders.forensic.pitch import track
from encoders.types import AudioSamples


def values(audio: AudioSamples) -> dict[str, float]:
    found = read_sound(made.media(audio=audio))
    assert found is not None
    return {name: v for reading in found[1].values() for name, v in reading.values.items()}


def test_griffin_lim_spreads_the_pulses() -> None:
    genuine = made.speech()
    before, after = values(made.sound(genuine)), values(made.sound(made.griffin_lim(genuine)))
    assert after["audio.pulse_sharpness"] < before["audio.pulse_sharpness"] - 0.2
    assert after["audio.group_delay_spread"] > before["audio.group_delay_spread"]
    assert after["audio.harmonic_clarity"] < before["audio.harmonic_clarity"]


def test_a_monotone_buzz_has_less_jitter_and_shimmer() -> None:
    genuine = made.speech()
    time = np.arange(24_000) / 8000
    buzz = 0.1 * sum(np.cos(2 * np.pi * 110 * k * time) for k in range(1, 34))
    before, after = values(made.sound(genuine)), values(made.sound(buzz))
    assert after["audio.jitter"] < 0.3 * before["audio.jitter"]
    assert after["audio.shimmer"] < before["audio.shimmer"]
    assert after["audio.cepstral_movement"] < before["audio.cepstral_movement"]
    assert after["audio.spectral_flux"] < before["audio.spectral_flux"]
    assert after["audio.phase_advance"] > before["audio.phase_advance"]


def test_a_splice_with_another_background_steps() -> None:
    genuine = made.speech(6.0)
    forged = genuine.copy()
    forged[24_000:] += np.random.default_rng(1).normal(0, 0.01, 24_000)
    before, after = values(made.sound(genuine)), values(made.sound(forged))
    name = "audio.noise_floor_jump"
    assert after[name] > before[name] + 3


def test_a_duller_voice_has_a_steeper_tilt() -> None:
    genuine = made.speech()
    dull = signal.lfilter([0.3], [1, -0.7], genuine)
    name = "audio.spectral_tilt"
    assert values(made.sound(dull))[name] < values(made.sound(genuine))[name] - 1


def test_digital_silence_counts_only_between_sounds() -> None:
    rng = np.random.default_rng(0)
    loud = rng.normal(0, 0.1, 8000)
    gap = np.zeros(4000)
    starts = np.arange(0, 2.4, 0.25)
    inside = interior_silence(made.sound(np.concatenate([loud, gap, loud])), starts)
    outside = interior_silence(made.sound(np.concatenate([gap, loud, loud])), starts)
    assert inside.max() == pytest.approx(1.0, abs=0.01)
    assert outside.max() == 0
    forged = np.concatenate([loud, gap, loud])
    assert values(made.sound(forged))["audio.digital_silence"] > 0.15


@pytest.mark.parametrize("hertz", [80.0, 123.0, 250.0])
def test_the_pitch_of_a_tone_complex_is_its_fundamental(hertz: float) -> None:
    time = np.arange(16_000) / 8000
    tone = sum(np.cos(2 * np.pi * hertz * k * time) / k for k in range(1, 8))
    found = track(short_time(made.sound(0.2 * tone)))
    assert np.median(found.hertz_M[:-5]) == pytest.approx(hertz, rel=0.01)
    assert np.median(found.strength_M[:-5]) > 0.9
    assert np.std(found.level_db_M[:-5]) < 0.3


def test_filters_cover_the_band_without_gaps() -> None:
    frequency = np.linspace(0, 4000, 129).astype(np.float32)
    total = filter_bank(frequency, 3800.0).sum(axis=1)
    inside = (frequency > 300) & (frequency < 3500)
    np.testing.assert_allclose(total[inside], 1, atol=1e-5)
    assert np.all(total[frequency > 3800] == 0)


def test_the_derivative_of_a_ramp_is_its_slope() -> None:
    ramp = np.arange(20, dtype=np.float32)[:, None] * np.array([[2.0, -0.5]], np.float32)
    np.testing.assert_allclose(delta(ramp)[4:-4], [[2.0, -0.5]] * 12, atol=1e-5)


def test_gain_changes_nothing() -> None:
    genuine = made.speech()
    loud, quiet = values(made.sound(genuine)), values(made.sound(0.1 * genuine))
    for name, value in loud.items():
        assert quiet[name] == pytest.approx(value, rel=1e-3, abs=1e-3), name


def test_telephone_speech_reads_the_same_at_16_khz() -> None:
    genuine = made.speech()
    upsampled = signal.resample_poly(genuine, 2, 1).astype(np.float32)
    direct = values(made.sound(genuine))
    again = values(AudioSamples(upsampled, 16_000, 8000))
    for name, value in direct.items():
        if name != "audio.digital_silence":
            assert again[name] == pytest.approx(value, rel=0.06, abs=0.06), name


def test_energy_above_the_telephone_band_changes_nothing() -> None:
    genuine = signal.resample_poly(made.speech(), 2, 1)
    sections = signal.butter(10, 5000, "high", fs=16_000, output="sos")
    hiss = signal.sosfilt(sections, np.random.default_rng(0).normal(0, 0.05, genuine.size))
    narrow = values(AudioSamples(genuine.astype(np.float32), 16_000, 8000))
    wide = values(AudioSamples((genuine + hiss).astype(np.float32), 16_000, 16_000))
    for name, value in narrow.items():
        assert wide[name] == pytest.approx(value, rel=0.06, abs=0.06), name
