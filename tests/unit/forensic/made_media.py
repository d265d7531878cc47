"""Made media for the forensic tests: a camera-like picture, a voice-like sound, and wrappers."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage, signal

from encoders.types import (
    AudioSamples,
    ByteArray,
    DecodedMedia,
    FrameBatch,
    MediaMetadata,
    Modality,
)

Floats = npt.NDArray[np.float64]


def picture(height: int = 256, width: int = 320, seed: int = 0) -> ByteArray:
    """Power-law luminance with the noise of a camera, uint8 (H, W, 3)."""
    rng = np.random.default_rng(seed)
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    radius = np.maximum(np.hypot(fy, fx), 1 / max(height, width))
    spectrum = np.fft.rfft2(rng.normal(size=(height, width))) / radius**1.4
    scene = np.fft.irfft2(spectrum, s=(height, width))
    scene = 128 + 40 * scene / scene.std()
    grey = scene + rng.normal(0, 2.0, scene.shape)
    tint = np.array([1.02, 1.0, 0.97])
    return np.clip(grey[..., None] * tint, 8, 247).astype(np.uint8)


def jpeg(pixels: ByteArray, quality: int) -> ByteArray:
    """After one JPEG compression."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=0)
    return np.asarray(Image.open(buffer))


def centre(pixels: ByteArray) -> tuple[slice, slice]:
    """A region of a quarter of each side, off the 8 x 8 grid."""
    height, width = pixels.shape[:2]
    top, left = height // 3 // 8 * 8, width // 3 // 8 * 8
    return slice(top, top + height // 4), slice(left, left + width // 4)


def blurred(pixels: ByteArray) -> ByteArray:
    """With a softened region."""
    out = pixels.copy()
    soft = ndimage.gaussian_filter(pixels.astype(np.float64), (1.3, 1.3, 0))
    out[centre(pixels)] = soft[centre(pixels)].astype(np.uint8)
    return out


def noisy(pixels: ByteArray) -> ByteArray:
    """With a region from a noisier camera."""
    out = pixels.astype(np.float64)
    region = out[centre(pixels)]
    region += np.random.default_rng(9).normal(0, 6, region.shape[:2])[..., None]
    return np.clip(out, 0, 255).astype(np.uint8)


def speech(seconds: float = 3.0, rate_hz: int = 8000, seed: int = 0) -> Floats:
    """Glottal pulses with jitter through moving formants, with syllables and a quiet room."""
    rng = np.random.default_rng(seed)
    count = int(seconds * rate_hz)
    source = np.zeros(count)
    at = 0.0
    while at < count - 1:
        source[int(at)] = 1 + 0.1 * rng.normal()
        pitch = 110 + 15 * np.sin(2 * np.pi * at / rate_hz * 0.7)
        at += rate_hz / pitch * (1 + 0.012 * rng.normal())
    out = np.zeros(count)
    step = rate_hz // 10
    for index, begin in enumerate(range(0, count, step)):
        piece = np.zeros(count)
        piece[begin : begin + step] = source[begin : begin + step]
        drift = np.sin(index * 1.3)
        for hertz, width in ((500 + 150 * drift, 80), (1500 - 300 * drift, 120), (2600, 160)):
            radius = np.exp(-np.pi * width / rate_hz)
            turn = 2 * np.pi * hertz / rate_hz
            piece = signal.lfilter([1 - radius], [1, -2 * radius * np.cos(turn), radius**2], piece)
        out += piece
    envelope = np.clip(np.sin(2 * np.pi * np.arange(count) / rate_hz * 1.5) + 0.6, 0, 1)
    out = out * envelope / np.abs(out).max()
    return 0.7 * out + rng.normal(0, 0.001, count)


def griffin_lim(waveform: Floats, rounds: int = 32) -> Floats:
    """The same magnitudes with an estimated phase (Griffin & Lim 1984)."""
    options = {"nperseg": 256, "noverlap": 192}
    magnitude = np.abs(signal.stft(waveform, **options)[2])
    rng = np.random.default_rng(0)
    phase = np.exp(2j * np.pi * rng.random(magnitude.shape))
    out = waveform
    for _ in range(rounds):
        out = signal.istft(magnitude * phase, **options)[1][: waveform.size]
        again = signal.stft(out, **options)[2]
        phase = np.exp(1j * np.angle(again[:, : magnitude.shape[1]]))
    return out


def sound(waveform: npt.NDArray[np.floating], rate_hz: int = 8000) -> AudioSamples:
    """As audio of its own rate."""
    return AudioSamples(waveform.astype(np.float32), rate_hz, rate_hz)


def film(count: int = 12, seed: int = 0) -> list[ByteArray]:
    """A camera panning unevenly over a scene, with fresh noise in every frame."""
    rng = np.random.default_rng(seed)
    scene = picture(160, 480, seed).astype(np.float64)
    at = np.cumsum(rng.integers(3, 16, count))
    frames = [scene[:, x : x + 192] + rng.normal(0, 1.5, (160, 192, 1)) for x in at]
    return [np.clip(frame, 0, 255).astype(np.uint8) for frame in frames]


def media(
    frames: list[ByteArray] | None = None,
    audio: AudioSamples | None = None,
    rate_hz: float = 4.0,
) -> DecodedMedia:
    """Decoded media: one frame is a still, several are a film."""
    batch, modality, duration = None, Modality.AUDIO, 0.0
    if audio is not None:
        duration = audio.duration_seconds
    if frames is not None:
        pixels = np.stack(frames)
        batch = FrameBatch(pixels, np.arange(len(frames)) / rate_hz, *pixels.shape[1:3])
        modality = Modality.IMAGE if len(frames) == 1 else Modality.VIDEO
        duration = max(duration, len(frames) / rate_hz if len(frames) > 1 else 0.0)
    metadata = MediaMetadata("made", 0, "", (), (), "made")
    return DecodedMedia(metadata, modality, duration, batch, audio)
