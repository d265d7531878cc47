"""What happens to photographs on their way: recompression, blur, resizing, noise."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from encoders.types import Modality
from rl.probes.alteration import Alteration

JPEG_QUALITIES = (100, 90, 80, 70, 60, 50, 40, 30, 20, 10)
BLUR_SIGMAS_PIXELS = (0.5, 1.0, 2.0, 3.0)
SCALES = (0.75, 0.5, 0.25)
INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
NOISE_SIGMAS_LEVELS = (2.0, 5.0, 10.0, 20.0)


def _read(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def png_bytes(picture: Image.Image) -> bytes:
    """Lossless, so that nothing but the degradation acts."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def jpeg(path: Path, _: int, *, quality: int) -> bytes:
    """Decode, and encode as a baseline JPEG with 4:2:0 chroma."""
    buffer = io.BytesIO()
    _read(path).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return buffer.getvalue()


def blur(path: Path, _: int, *, sigma_pixels: float) -> bytes:
    """Gaussian blur."""
    return png_bytes(_read(path).filter(ImageFilter.GaussianBlur(sigma_pixels)))


def resize(path: Path, _: int, *, scale: float, method: Image.Resampling) -> bytes:
    """Down to `scale` of either side, and back to the size it had."""
    picture = _read(path)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return png_bytes(picture.resize((width, height), method).resize(picture.size, method))


def noise(path: Path, seed: int, *, sigma_levels: float) -> bytes:
    """White Gaussian noise in each channel, in grey levels of 0..255."""
    pixels = np.asarray(_read(path), np.float32)
    rng = np.random.default_rng(seed)
    noisy = pixels + rng.normal(0.0, sigma_levels, pixels.shape)
    return png_bytes(Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8)))


def picture_grid() -> tuple[Alteration, ...]:
    """Every degradation of a still picture."""
    made: list[Alteration] = []

    def add(name: str, level: str, make: Callable[[Path, int], bytes], suffix: str) -> None:
        made.append(Alteration(name, level, Modality.IMAGE, make, suffix, order=len(made)))

    for quality in JPEG_QUALITIES:
        add("jpeg", f"quality {quality}", partial(jpeg, quality=quality), ".jpg")
    for sigma in BLUR_SIGMAS_PIXELS:
        add("blur", f"sigma {sigma:g} px", partial(blur, sigma_pixels=sigma), ".png")
    for name, method in INTERPOLATIONS.items():
        for scale in SCALES:
            make = partial(resize, scale=scale, method=method)
            add(f"resize {name}", f"scale {scale:g}", make, ".png")
    for sigma in NOISE_SIGMAS_LEVELS:
        add("noise", f"sigma {sigma:g}", partial(noise, sigma_levels=sigma), ".png")
    return tuple(made)
