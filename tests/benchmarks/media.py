"""Media for benchmarks: the bundled samples, changed so that every file has bytes of its own."""

import subprocess
from pathlib import Path

from PIL import Image

SAMPLES = Path("docs/samples")
SOURCES = sorted(p for p in SAMPLES.iterdir() if p.suffix in {".jpg", ".mp4", ".wav"})


def write_media(folder: Path, count: int) -> list[Path]:
    """`count` different files, photo, video and voice in turn.

    Photos are encoded anew; films and voices differ in a comment of the header only, which costs
    a reader the same.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for k in range(count):
        source = SOURCES[k % len(SOURCES)]
        target = folder / f"{k:05d}{source.suffix}"
        if source.suffix == ".jpg":
            with Image.open(source) as picture:
                picture.save(target, quality=60 + k % 36, comment=str(k).encode())
        else:
            command = ["ffmpeg", "-v", "error", "-y", "-i", source, "-c", "copy"]
            subprocess.run([*command, "-metadata", f"comment={k}", target], check=True)
        paths.append(target)
    return paths
