"""Small pictures, films and voices with structure: for tests and trials without any media."""

import cv2
import numpy as np

from encoders.types import ByteArray, FloatArray

RATE_HZ = 8_000


def picture(seed: int = 0, height: int = 96, width: int = 128) -> ByteArray:
    """Smooth colour fields with edges and fine noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(30, 220, size=(6, 8, 3)).astype(np.float32)
    base = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(5):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        colour = tuple(float(c) for c in rng.uniform(0, 255, size=3))
        cv2.circle(base, (x, y), int(rng.integers(6, 20)), colour, -1)
    base += rng.normal(0, 4, size=base.shape)
    result: ByteArray = np.clip(base, 0, 255).astype(np.uint8)
    return result


def film(seed: int = 0, frames: int = 24, height: int = 72, width: int = 96) -> ByteArray:
    """A camera that pans over a picture: each frame differs from the one before."""
    wide = picture(seed, height, width + 3 * frames)
    rng = np.random.default_rng(seed)
    views = [wide[:, 3 * f : 3 * f + width].astype(np.float32) for f in range(frames)]
    noisy = np.stack([view + rng.normal(0, 2, size=view.shape) for view in views])
    result: ByteArray = np.clip(noisy, 0, 255).astype(np.uint8)
    return result


def voice(seed: int = 0, seconds: float = 1.5) -> FloatArray:
    """A buzz of moving pitch through moving resonances, with pauses and a little noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    pitch = 120.0 + 30.0 * np.sin(2 * np.pi * (0.7 + 0.2 * seed) * t)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
    formant = 700.0 + 400.0 * np.sin(2 * np.pi * 1.3 * t + seed)
    buzz = sum(
        np.cos(k * phase) * np.exp(-(((k * pitch - formant) / 500.0) ** 2)) for k in range(1, 25)
    )
    syllables = np.clip(np.sin(2 * np.pi * 2.5 * t) + 0.6, 0.0, 1.0)
    sound = 0.1 * buzz * syllables + 0.001 * rng.standard_normal(t.size)
    return np.asarray(sound, np.float32)
