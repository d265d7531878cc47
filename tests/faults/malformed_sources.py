"""Real files of every container and codec at hand, to be mutated."""

import subprocess
from pathlib import Path

from PIL import Image

from tests.media_factory import ffmpeg, photograph, write_good

_PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=1"]
_TONE = ["-f", "lavfi", "-i", "sine=440:r=16000:d=1"]
_FILMS = {
    "hevc.mp4": ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"],
    "av1.mkv": ["-c:v", "libsvtav1", "-preset", "12"],
    "vp9.webm": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"],
    "mjpeg.avi": ["-c:v", "mjpeg"],
    "prores.mov": ["-c:v", "prores"],
    "ffv1.mkv": ["-c:v", "ffv1"],
    "theora.ogv": ["-c:v", "libtheora"],
    "wmv2.wmv": ["-c:v", "wmv2"],
    "flv1.flv": ["-c:v", "flv1"],
    "mpeg1.mpg": ["-c:v", "mpeg1video"],
    "h263.3gp": ["-c:v", "h263", "-s", "176x144"],
    "huffyuv.avi": ["-c:v", "huffyuv"],
    "qtrle.mov": ["-c:v", "qtrle"],
    "raw.avi": ["-c:v", "rawvideo"],
    "dnxhd.mov": [
        "-c:v",
        "dnxhd",
        "-profile:v",
        "dnxhr_lb",
        "-pix_fmt",
        "yuv422p",
        "-s",
        "256x144",
    ],
    "png.mov": ["-c:v", "png"],
}
_SOUNDS = {
    "opus.ogg": ["-c:a", "libopus"],
    "alac.m4a": ["-c:a", "alac"],
    "pcm.aiff": ["-c:a", "pcm_s16be"],
    "pcm.au": ["-c:a", "pcm_mulaw"],
    "pcm.caf": ["-c:a", "pcm_s24le"],
    "wma.wma": ["-c:a", "wmav2"],
    "adpcm.wav": ["-c:a", "adpcm_ms"],
    "adts.aac": ["-c:a", "aac"],
    "ac3.mkv": ["-c:a", "ac3"],
    "eac3.mp4": ["-c:a", "eac3"],
    "mp2.ts": ["-c:a", "mp2"],
    "speex.ogg": ["-c:a", "libspeex"],
    "wavpack.mka": ["-c:a", "wavpack"],
    "gsm.wav": ["-c:a", "libgsm_ms", "-ar", "8000"],
    "amr.amr": ["-c:a", "libopencore_amrnb", "-ar", "8000"],
}


def write_sources(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """Content by name, and the names of those that this machine's FFmpeg cannot write."""
    found = {name: path.read_bytes() for name, path in write_good(folder / "good").items()}
    missing = []
    for inputs, wanted in ((_PICTURE, _FILMS), (_TONE, _SOUNDS)):
        for name, arguments in wanted.items():
            path = folder / name
            try:
                ffmpeg(*inputs, *arguments, "-threads", "1", str(path))
            except subprocess.CalledProcessError:
                missing.append(name)
                continue
            found[name] = path.read_bytes()
    for suffix in ("bmp", "tiff"):
        photograph().save(folder / f"still.{suffix}")
        found[f"still.{suffix}"] = (folder / f"still.{suffix}").read_bytes()
    pages = [Image.new("L", (64, 48), 40 * number) for number in range(3)]
    pages[0].save(folder / "pages.tiff", save_all=True, append_images=pages[1:])
    found["pages.tiff"] = (folder / "pages.tiff").read_bytes()
    return found, missing
