"""What happens to films on their way: H.264 again, blur, resizing, noise, a thinner soundtrack."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from encoders.types import Modality
from rl.probes.alteration import Alteration
from rl.probes.media import PIXELS, X264, has_sound, picture_size, transcode

CRFS = (23, 28, 35)
# What comes after a filter has to be coded again, and this loses next to nothing.
FINE_CRF = 12
BLUR_SIGMAS_PIXELS = (1.0, 2.0)
SCALES = (0.75, 0.5)
INTERPOLATIONS = ("neighbor", "bilinear", "bicubic", "lanczos")
NOISE_STRENGTHS = (8, 20)
AAC_KBPS = (48, 24)


def _copied_sound(path: Path) -> tuple[str, ...]:
    return ("-map", "0:a:0", "-c:a", "copy") if has_sound(path) else ()


def h264(path: Path, _: int, *, crf: int) -> bytes:
    """The picture coded again at a constant rate factor; the sound as it was."""
    arguments = ("-map", "0:v:0", *_copied_sound(path), *X264, "-crf", str(crf), *PIXELS)
    return transcode(path, arguments, ".mp4")


def filtered(path: Path, seed: int, *, video_filter: str) -> bytes:
    """The picture through an FFmpeg filter; `{seed}` in it is filled in."""
    chosen = video_filter.format(seed=seed % 2**31)
    arguments = ("-map", "0:v:0", *_copied_sound(path), "-vf", chosen)
    return transcode(path, (*arguments, *X264, "-crf", str(FINE_CRF), *PIXELS), ".mp4")


def resize(path: Path, seed: int, *, scale: float, method: str) -> bytes:
    """Down to `scale` of either side, and back to the size it had."""
    width, height = picture_size(path)
    small = "x".join(str(max(2, 2 * round(side * scale / 2))) for side in (width, height))
    chain = f"scale={small}:flags={method},scale={width}x{height}:flags={method}"
    return filtered(path, seed, video_filter=chain)


def soundtrack(path: Path, _: int, *, kbps: int) -> bytes:
    """The sound through AAC at a bit rate; the picture as it was."""
    arguments: tuple[str, ...] = ("-map", "0:v:0", "-c:v", "copy")
    if has_sound(path):
        arguments += ("-map", "0:a:0", "-c:a", "aac", "-b:a", f"{kbps}k")
    return transcode(path, arguments, ".mp4")


def film_grid() -> tuple[Alteration, ...]:
    """Every degradation of a film."""
    made: list[Alteration] = []

    def add(name: str, level: str, make: Callable[[Path, int], bytes]) -> None:
        made.append(Alteration(name, level, Modality.VIDEO, make, ".mp4", order=len(made)))

    for crf in CRFS:
        add("h264", f"CRF {crf}", partial(h264, crf=crf))
    for sigma in BLUR_SIGMAS_PIXELS:
        make = partial(filtered, video_filter=f"gblur=sigma={sigma}")
        add("blur", f"sigma {sigma:g} px", make)
    for method in INTERPOLATIONS:
        for scale in SCALES:
            make = partial(resize, scale=scale, method=method)
            add(f"resize {method}", f"scale {scale:g}", make)
    for strength in NOISE_STRENGTHS:
        make = partial(filtered, video_filter=f"noise=alls={strength}:allf=t:all_seed={{seed}}")
        add("noise", f"strength {strength}", make)
    for kbps in AAC_KBPS:
        add("aac", f"{kbps} kbit per s", partial(soundtrack, kbps=kbps))
    return tuple(made)
