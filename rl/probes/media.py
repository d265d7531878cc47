"""Files in and out of FFmpeg, on one thread and without time stamps: equal input, equal bytes."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from encoders.errors import CorruptMedia
from encoders.types import FloatArray

TIMEOUT_SECONDS = 120.0
# x264's macroblock tree reads unset memory on some processors: other bytes on each run.
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-x264-params", "threads=1:mbtree=0")
PIXELS = ("-pix_fmt", "yuv420p")
_EXACT = ("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact")


def transcode(
    path: Path, arguments: Sequence[str], suffix: str, *, inputs: Sequence[Path] = ()
) -> bytes:
    """The bytes that FFmpeg makes of `path` (and `inputs`) with these output options.

    Metadata is dropped unless `arguments` set it.

    Raises:
        CorruptMedia: FFmpeg failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, f"out{suffix}")
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-threads", "1"]
        for source in (path, *inputs):
            command += ["-i", f"file:{source}"]
        command += ["-map_metadata", "-1", "-threads", "1", "-filter_threads", "1"]
        command += [*_EXACT, *arguments, str(target)]
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
        if done.returncode != 0 or not target.is_file():
            raise CorruptMedia(
                f"FFmpeg cannot alter {path.name}: {done.stderr.decode('utf-8', 'replace')[-200:]}",
                expected="a file that FFmpeg reads",
                remedy="Leave the file out of the sample.",
            )
        return target.read_bytes()


def has_sound(path: Path) -> bool:
    """Whether the file has a sound stream."""
    with av.open(str(path)) as container:
        return bool(container.streams.audio)


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels of the first video stream."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height


def read_waveform(path: Path) -> tuple[FloatArray, int]:
    """The first sound stream as mono float32 at its own rate, and that rate.

    Raises:
        CorruptMedia: there is no sound.
    """
    with av.open(str(path)) as container:
        if not container.streams.audio:
            raise CorruptMedia(
                f"{path.name} has no sound", expected="sound", remedy="Leave the file out."
            )
        rate_hz = container.streams.audio[0].rate
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
        blocks = [b for f in container.decode(audio=0) for b in resampler.resample(f)]
        blocks += resampler.resample(None)
    waveform = np.concatenate([block.to_ndarray()[0] for block in blocks])
    return waveform.astype(np.float32), rate_hz
