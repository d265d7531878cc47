"""What happens to sound on its way: lossy codecs, background noise, rooms."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import scipy.signal

from encoders.types import FloatArray, Modality
from rl.corpus.codecs import sound_bytes
from rl.corpus.loudness import rms
from rl.probes.alteration import Alteration
from rl.probes.media import read_waveform, transcode

MP3_KBPS = (64, 32, 16)
AAC_KBPS = (64, 32, 16)
OPUS_KBPS = (64, 32, 16, 8)
SNRS_DB = (30.0, 20.0, 10.0, 0.0)
REVERBERATION_SECONDS = (0.3, 0.6, 1.2)
DIRECT_TO_REVERBERANT_DB = 3.0
PREDELAY_SECONDS = 0.005


def lossy(path: Path, _: int, *, codec: str, kbps: int, suffix: str) -> bytes:
    """Through a lossy codec, mono; the coded file itself."""
    arguments = ("-vn", "-ac", "1", "-c:a", codec, "-b:a", f"{kbps}k")
    return transcode(path, arguments, suffix)


def with_noise(waveform_T: FloatArray, snr_db: float, rng: np.random.Generator) -> FloatArray:
    """White noise of exactly this signal-to-noise ratio of mean powers."""
    white = rng.standard_normal(waveform_T.size)
    white *= rms(waveform_T) * 10.0 ** (-snr_db / 20.0) / np.sqrt(np.mean(white**2))
    noisy: FloatArray = (waveform_T + white).astype(np.float32)
    return noisy


def room_response(rt60_seconds: float, rate_hz: int, rng: np.random.Generator) -> FloatArray:
    """Impulse response of a diffuse room: direct sound, then noise that decays by 60 dB in RT60.

    h(t) = n(t) 10^(-3 t / RT60) (Polack 1988), scaled to 3 dB less energy than the direct sound.
    """
    count = round(rt60_seconds * rate_hz)
    time = np.arange(count) / rate_hz
    tail = rng.standard_normal(count) * 10.0 ** (-3.0 * time / rt60_seconds)
    tail[: round(PREDELAY_SECONDS * rate_hz)] = 0.0
    tail *= 10.0 ** (-DIRECT_TO_REVERBERANT_DB / 20.0) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return tail.astype(np.float32)


def _within_scale(waveform_T: FloatArray, level: float) -> FloatArray:
    """At root mean square `level`, or less where the peak would clip."""
    gain = level / max(rms(waveform_T), 1e-9)
    gain = min(gain, 0.99 / max(float(np.abs(waveform_T).max()), 1e-9))
    return (waveform_T * np.float32(gain)).astype(np.float32)


def noise(path: Path, seed: int, *, snr_db: float) -> bytes:
    """White noise at a signal-to-noise ratio; a 16-bit WAV at the level it had."""
    waveform, rate_hz = read_waveform(path)
    noisy = with_noise(waveform, snr_db, np.random.default_rng(seed))
    return sound_bytes(_within_scale(noisy, rms(waveform)), rate_hz)


def reverberate(path: Path, seed: int, *, rt60_seconds: float) -> bytes:
    """In a diffuse room; as long as it was, at the level it had, a 16-bit WAV."""
    waveform, rate_hz = read_waveform(path)
    response = room_response(rt60_seconds, rate_hz, np.random.default_rng(seed))
    wet = scipy.signal.fftconvolve(waveform, response)[: waveform.size].astype(np.float32)
    return sound_bytes(_within_scale(wet, rms(waveform)), rate_hz)


def sound_grid() -> tuple[Alteration, ...]:
    """Every degradation of a sound file."""
    made: list[Alteration] = []

    def add(name: str, level: str, make: Callable[[Path, int], bytes], suffix: str) -> None:
        made.append(Alteration(name, level, Modality.AUDIO, make, suffix, order=len(made)))

    for name, codec, rates, suffix in (
        ("mp3", "libmp3lame", MP3_KBPS, ".mp3"),
        ("aac", "aac", AAC_KBPS, ".m4a"),
        ("opus", "libopus", OPUS_KBPS, ".ogg"),
    ):
        for kbps in rates:
            make = partial(lossy, codec=codec, kbps=kbps, suffix=suffix)
            add(name, f"{kbps} kbit per s", make, suffix)
    for snr_db in SNRS_DB:
        add("noise", f"SNR {snr_db:g} dB", partial(noise, snr_db=snr_db), ".wav")
    for seconds in REVERBERATION_SECONDS:
        make = partial(reverberate, rt60_seconds=seconds)
        add("reverberation", f"RT60 {seconds:g} s", make, ".wav")
    return tuple(made)
