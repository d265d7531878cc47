"""`python -m encoders.forensic.typical FOLDER ...` measures what is usual on genuine media.

It writes `typical.json`: 5th and 95th percentiles of each signal, and the middle and scale of
each feature, by which the encoder standardises.

Stills, WAV files and films are decoded here directly: this runs on trusted files, by hand.
"""

import argparse
import datetime as dt
import json
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import signal
from scipy.io import wavfile

from encoders.base import ReadLimits
from encoders.forensic.catalogue import KINDS
from encoders.forensic.encoder import ForensicEncoder, frame_columns, read_frame, read_sound
from encoders.forensic.norms import NORMS_PATH, parse, percentile_range, robust_scale
from encoders.forensic.temporal import read_motion
from encoders.readers.selection import reduced
from encoders.types import (
    AudioSamples,
    DecodedMedia,
    FloatArray,
    FrameBatch,
    MediaMetadata,
    Modality,
)

STILLS = {".jpg", ".jpeg", ".png"}
FILMS = {".mp4", ".avi", ".mov", ".mkv", ".webm"}
FRAMES_A_CLIP = 16
RATE_HZ = 4.0
SPEECH_SECONDS_MIN = 1.0
SAMPLE_RATE_HZ = 16_000
_FRAME_SIDE_MAX = ReadLimits().frame_side_max


def decoded(
    path: Path,
    modality: Modality,
    duration: float,
    frames: FrameBatch | None,
    audio: AudioSamples | None,
) -> DecodedMedia:
    """With the little metadata that the encoder needs."""
    metadata = MediaMetadata(path.suffix, 0, "", (), (), "survey")
    return DecodedMedia(metadata, modality, duration, frames, audio)


def still(path: Path, side_max: int = _FRAME_SIDE_MAX) -> DecodedMedia:
    """A picture, reduced to `side_max` as the readers reduce it."""
    with Image.open(path) as picture:
        rgb = picture.convert("RGB")
    width, height = rgb.size
    frames = FrameBatch(reduced(np.asarray(rgb), side_max)[None], np.zeros(1), height, width)
    return decoded(path, Modality.IMAGE, 0.0, frames, None)


def at_16_khz(waveform: npt.NDArray[np.floating], rate_hz: int) -> AudioSamples:
    """Mono audio at 16 kHz."""
    out = waveform
    if rate_hz != SAMPLE_RATE_HZ:
        common = int(np.gcd(rate_hz, SAMPLE_RATE_HZ))
        out = signal.resample_poly(waveform, SAMPLE_RATE_HZ // common, rate_hz // common)
    return AudioSamples(np.clip(out, -1, 1).astype(np.float32), SAMPLE_RATE_HZ, rate_hz)


def voice(paths: list[Path], seconds_max: float = 20.0) -> DecodedMedia | None:
    """16-bit WAV files of one rate, joined; None if silent or shorter than a second."""
    parts = []
    for path in paths:
        rate_hz, found = wavfile.read(path)
        parts.append(found.mean(axis=1) if found.ndim == 2 else found)
    samples = np.concatenate(parts)[: int(seconds_max * rate_hz)]
    if len(samples) < SPEECH_SECONDS_MIN * rate_hz or np.abs(samples).max() < 33:
        return None
    audio = at_16_khz(samples / 32768, rate_hz)
    return decoded(paths[0], Modality.AUDIO, audio.duration_seconds, None, audio)


def film_audio(path: Path) -> FloatArray | None:
    """The whole first audio track at 16 kHz, mono."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
        parts = [
            piece.to_ndarray().ravel()
            for frame in container.decode(audio=0)
            for piece in resampler.resample(frame)
        ]
    return np.concatenate(parts).astype(np.float32)


def clips(path: Path, clips_max: int, rate_hz: float = RATE_HZ) -> Iterator[DecodedMedia]:
    """Clips of 16 frames at about `rate_hz`, spread over the film, with their sound."""
    sound = film_audio(path)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        seconds = float((stream.duration or 0) * stream.time_base)
        length = FRAMES_A_CLIP / rate_hz
        step = max(length, seconds / clips_max)
        pixels: list[npt.NDArray[np.uint8]] = []
        times: list[float] = []
        begin, due = 0.0, 0.0
        for frame in container.decode(stream):
            if frame.time is None or frame.time < due:
                continue
            pixels.append(frame.to_ndarray(format="rgb24"))
            times.append(frame.time - begin)
            due += 1 / rate_hz
            if len(pixels) == FRAMES_A_CLIP:
                batch = np.stack(pixels)
                height, width = batch.shape[1:3]
                audio = None
                if sound is not None:
                    first = int(begin * SAMPLE_RATE_HZ)
                    piece = sound[first : first + int(length * SAMPLE_RATE_HZ)]
                    if piece.size:
                        audio = AudioSamples(piece, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ)
                frames = FrameBatch(batch, np.maximum(np.array(times), 0), height, width)
                yield decoded(path, Modality.VIDEO, length, frames, audio)
                pixels, times = [], []
                begin += step
                due = begin


def spread(paths: list[Path], count: int) -> list[Path]:
    """`count` of the paths in an order that depends on nothing but their names."""
    return sorted(paths, key=lambda path: zlib.crc32(path.name.encode()))[:count]


def utterances(paths: list[Path]) -> list[list[Path]]:
    """Each file by itself, but six at a time of one speaker where they are single digits.

    Single digits are named DIGIT_SPEAKER_INDEX, as in the Free Spoken Digit Dataset.
    """
    alone: list[list[Path]] = []
    spoken: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        digit = re.fullmatch(r"\d_([a-z]+)_\d+", path.stem)
        if digit:
            spoken[digit[1]].append(path)
        else:
            alone.append([path])
    joined = [
        found[i : i + 6] for i in range(0, 300, 6) for found in spoken.values() if found[i : i + 6]
    ]
    return joined + alone


def gather(folders: list[Path], stills: int, voices: int, films: int) -> Iterator[DecodedMedia]:
    """Items of all folders; the number of voices is shared out evenly over the folders."""
    files = {folder: sorted(p for p in folder.rglob("*") if p.is_file()) for folder in folders}
    everything = [path for found in files.values() for path in found]
    yield from map(still, spread([p for p in everything if p.suffix.lower() in STILLS], stills))
    speaking = [[p for p in found if p.suffix.lower() == ".wav"] for found in files.values()]
    speaking = [found for found in speaking if found]
    for found in speaking:
        kept = 0
        for paths in utterances(spread(found, len(found))):
            item = voice(paths)
            if item is not None and kept < voices / len(speaking):
                kept += 1
                yield item
    for path in everything:
        if path.suffix.lower() in FILMS:
            yield from clips(path, films)


def unmeasured(document: Mapping[str, Any]) -> list[str]:
    """Signals for which no item gave a value."""
    return [
        name
        for name, by in document["signals"].items()
        if not any(count for _, _, count in by.values())
    ]


def survey(items: Iterator[DecodedMedia]) -> dict[str, Any]:
    """Feature scales first; the ranges of signals, with the same items, by the encoder itself."""
    columns: dict[str, dict[str, list[npt.NDArray[np.float64]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    kept: list[DecodedMedia] = []
    counts: dict[str, int] = defaultdict(int)
    for media in items:
        kept.append(media)
        counts[media.modality.value] += 1
        layers: dict[str, dict[str, npt.NDArray[np.float64]]] = {}
        if media.frames is not None:
            pairs = [read_frame(pixels) for pixels in media.frames.pixels_FHWC]
            layers |= {
                f"forensic_image.{layer}": found
                for layer, found in frame_columns([readings for readings, _ in pairs]).items()
            }
            if len(pairs) >= 3:
                sketches = [kept_frame for _, kept_frame in pairs]
                motion = read_motion(sketches, media.frames.timestamps_seconds_F)
                layers["forensic_motion.motion"] = motion.features
        sound = read_sound(media)
        if sound is not None:
            layers |= {f"forensic_audio.{name}": r.features for name, r in sound[1].items()}
        for layer, found in layers.items():
            for name, values in found.items():
                # At most four positions an item, so that no long item rules the scale.
                pick = np.linspace(0, len(values) - 1, min(4, len(values))).astype(int)
                columns[layer][name].append(values[pick])
    document: dict[str, Any] = {
        "features": {
            layer: {name: robust_scale(np.concatenate(parts)) for name, parts in by.items()}
            for layer, by in columns.items()
        }
    }
    open_ranges = {kind.name: {"image": (0.0, 0.0, 0)} for kind in KINDS}
    # An EITHER signal's worst frame needs a range to be far from: the first pass gives it.
    for _ in range(2):
        encoder = ForensicEncoder(norms=parse(document | {"signals": open_ranges}, "survey"))
        values_by: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for media in kept:
            for found_signal in encoder.encode([media])[0].signals:
                values_by[found_signal.name][found_signal.modality.value].append(found_signal.value)
        open_ranges |= {
            name: {modality: percentile_range(values) for modality, values in by.items()}
            for name, by in values_by.items()
        }
    return {"items": dict(counts), **document, "signals": dict(sorted(open_ranges.items()))}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--media", default="", help="what the folders hold, for the record")
    parser.add_argument("--stills", type=int, default=150)
    parser.add_argument("--voices", type=int, default=150)
    parser.add_argument("--clips", type=int, default=15, help="of each film")
    parser.add_argument("--out", type=Path, default=NORMS_PATH)
    options = parser.parse_args()
    found = survey(gather(options.folders, options.stills, options.voices, options.clips))
    missing = unmeasured(found)
    if missing:
        parser.error(
            f"nothing gave {', '.join(missing)}; expected stills, voices and films with sound. "
            "Name further folders: an encoder without these ranges would not load."
        )
    head = {"measured": dt.datetime.now(dt.UTC).date().isoformat()}
    document = head | {"media": options.media} | found
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
