"""Weak operations, which are no forgery: drawn once a pair, on all its copies, label unchanged."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from encoders.types import ByteArray, FloatArray, Span
from rl.corpus.loudness import resample_to
from rl.corpus.recipe import Weak

CROP_SHARE = (0.85, 0.97)
BRIGHTNESS = (0.85, 1.15)
NOISE_DEVIATION = (1.0, 4.0)
JPEG_QUALITY = (55, 95)
FIRST_CRF = (20, 28)
GAIN_DB = (-8.0, 4.0)
BAND_HZ = (5_000, 7_000)
CUT_SHARE = 0.08


@dataclass(frozen=True, slots=True)
class PictureWeakness:
    """crop: (share of either side that stays, left, top as shares of what goes). brightness: a
    factor. noise_deviation: of 255. first_quality: of a JPEG, or CRF of a film, before the last.
    """

    crop: tuple[float, float, float] | None = None
    brightness: float = 1.0
    noise_deviation: float = 0.0
    first_quality: int | None = None
    noise_seed: int = 0

    @property
    def words(self) -> tuple[str, ...]:
        """Each operation with its amount."""
        found = [] if self.crop is None else [f"crop {self.crop[0]:.2f}"]
        found += [f"gain {self.brightness:.2f}"] if self.brightness != 1.0 else []
        found += [f"noise {self.noise_deviation:.1f}"] if self.noise_deviation else []
        found += [] if self.first_quality is None else [f"recompressed {self.first_quality}"]
        return tuple(found)

    def window(self, height: int, width: int, multiple: int = 1) -> tuple[slice, slice]:
        """Rows and columns that stay."""
        if self.crop is None:
            return slice(0, height), slice(0, width)
        share, left, top = self.crop
        rows, columns = (
            max(multiple, int(side * share) // multiple * multiple) for side in (height, width)
        )
        first_row, first_column = int(top * (height - rows)), int(left * (width - columns))
        return slice(first_row, first_row + rows), slice(first_column, first_column + columns)

    def apply(self, image_HWC: ByteArray, index: int = 0, multiple: int = 1) -> ByteArray:
        """Crop, brightness, noise. index: of the frame, whose noise is its own."""
        rows, columns = self.window(image_HWC.shape[0], image_HWC.shape[1], multiple)
        cropped = image_HWC[rows, columns]
        if self.brightness == 1.0 and not self.noise_deviation:
            return np.ascontiguousarray(cropped)
        pixels = cropped.astype(np.float32) * np.float32(self.brightness)
        if self.noise_deviation:
            rng = np.random.default_rng([self.noise_seed, index])
            noise = rng.standard_normal((*pixels.shape[:2], 1), np.float32)
            pixels += np.float32(self.noise_deviation) * noise
        result: ByteArray = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
        return result


def draw_picture_weakness(
    weak: Weak, rng: np.random.Generator, first_quality: tuple[int, int] = JPEG_QUALITY
) -> PictureWeakness:
    """Which operations a pair of pictures or films undergoes."""
    is_cropped, is_lit, is_noisy, is_twice = rng.random(4) < (
        weak.crop,
        weak.gain,
        weak.noise,
        weak.recompression,
    )
    share, left, top = rng.uniform(*CROP_SHARE), rng.random(), rng.random()
    brightness, deviation = rng.uniform(*BRIGHTNESS), rng.uniform(*NOISE_DEVIATION)
    quality, seed = int(rng.integers(*first_quality)), int(rng.integers(2**63))
    return PictureWeakness(
        (share, left, top) if is_cropped else None,
        round(brightness, 3) if is_lit else 1.0,
        round(deviation, 2) if is_noisy else 0.0,
        quality if is_twice else None,
        seed,
    )


def mask_png(mask_HW: FloatArray) -> bytes:
    """An 8-bit grey PNG, 255 where the picture was changed wholly."""
    grey = np.clip(np.rint(mask_HW * 255.0), 0, 255).astype(np.uint8)
    return bytes(cv2.imencode(".png", grey)[1])


@dataclass(frozen=True, slots=True)
class SoundWeakness:
    """cut: shares taken off either end. gain_db. band_hz: the rate it went through, if any."""

    cut: tuple[float, float] = (0.0, 0.0)
    gain_db: float = 0.0
    band_hz: int | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """Each operation with its amount."""
        found = [f"cut {sum(self.cut):.2f}"] if any(self.cut) else []
        found += [f"gain {self.gain_db:+.1f} dB"] if self.gain_db else []
        found += [] if self.band_hz is None else [f"band {self.band_hz // 2} Hz"]
        return tuple(found)

    def bounds(self, length: int) -> tuple[int, int]:
        """First and past-the-last sample that stays."""
        return int(self.cut[0] * length), length - int(self.cut[1] * length)

    def spans(self, spans: Sequence[Span], length: int, rate_hz: int) -> tuple[Span, ...]:
        """The spans as they lie after the cut; what was cut away is gone."""
        start, end = (sample / rate_hz for sample in self.bounds(length))
        kept = [
            (max(span.start_seconds, start) - start, min(span.end_seconds, end) - start)
            for span in spans
        ]
        return tuple(Span(round(a, 3), round(b, 3)) for a, b in kept if b - a > 0.02)

    def apply(self, waveform_T: FloatArray, rate_hz: int) -> FloatArray:
        """Cut, gain (never beyond a peak of 1), band."""
        start, end = self.bounds(waveform_T.size)
        sound = waveform_T[start:end]
        if self.band_hz is not None:
            narrow = resample_to(sound, rate_hz, self.band_hz)
            sound = resample_to(narrow, self.band_hz, rate_hz)[: sound.size]
        factor = min(10.0 ** (self.gain_db / 20.0), 0.99 / max(float(np.abs(sound).max()), 1e-4))
        return (sound * np.float32(factor)).astype(np.float32) if self.gain_db else sound


def draw_sound_weakness(weak: Weak, rng: np.random.Generator) -> SoundWeakness:
    """Which operations an utterance and its forgeries undergo."""
    is_cut, is_louder, is_narrow = rng.random(3) < (weak.crop, weak.gain, weak.resize)
    cut, gain_db = rng.uniform(0.0, CUT_SHARE, size=2), rng.uniform(*GAIN_DB)
    band_hz = 500 * int(rng.integers(BAND_HZ[0] // 500, BAND_HZ[1] // 500 + 1))
    return SoundWeakness(
        (round(float(cut[0]), 4), round(float(cut[1]), 4)) if is_cut else (0.0, 0.0),
        round(float(gain_db), 2) if is_louder else 0.0,
        band_hz if is_narrow else None,
    )
