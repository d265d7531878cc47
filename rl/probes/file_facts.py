"""What a file gives away without being looked at: container, codecs, rates, lengths, silence."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from encoders.types import FloatArray, Modality
from rl.corpus.loudness import sounding_range
from rl.probes.media import has_sound, read_waveform
from rl.probes.sample import Row

Numbers = dict[str, float]
Texts = dict[str, str]


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Everything about a file that no forgery should show in; a fact that is absent is left out.

    codec: numbers and names of container, codecs, bit rates, rates, size and quality.
    duration: seconds, frames, samples. silence: seconds before and after the sound.
    """

    codec: Numbers
    codec_names: Texts
    duration: Numbers
    silence: Numbers


def read_facts(path: Path, modality: Modality) -> FileFacts:
    """The facts of one readable file.

    Raises:
        OSError, av.FFmpegError: the file cannot be opened.
    """
    if modality is Modality.IMAGE:
        return _picture_facts(path)
    codec: Numbers = {}
    names: Texts = {}
    duration: Numbers = {}
    with av.open(str(path)) as container:
        names["container"] = container.format.name
        sizes: dict[int, int] = {}
        counts: dict[int, int] = {}
        for packet in container.demux():
            sizes[packet.stream_index] = sizes.get(packet.stream_index, 0) + packet.size
            counts[packet.stream_index] = counts.get(packet.stream_index, 0) + (packet.size > 0)
        for stream in (*container.streams.video[:1], *container.streams.audio[:1]):
            kind = stream.type
            names[f"{kind}.codec"] = stream.codec_context.name
            seconds = float((stream.duration or 0) * (stream.time_base or 0))
            duration[f"{kind}.seconds"] = seconds
            if kind == "video":
                duration["video.frames"] = float(counts.get(stream.index, 0))
                codec["video.pixels"] = float(stream.width * stream.height)
                codec["video.rate_hz"] = float(stream.average_rate or 0)
            else:
                codec["audio.rate_hz"] = float(stream.rate)
                codec["audio.channels"] = float(stream.channels)
            # Of the packets, not of the file: a header's size over its length tells the length.
            if seconds > 0:
                codec[f"{kind}.bits_per_second"] = 8.0 * sizes.get(stream.index, 0) / seconds
    return FileFacts(codec, names, duration, silence_facts(path))


def _picture_facts(path: Path) -> FileFacts:
    with Image.open(path) as picture:
        pixels = picture.width * picture.height
        tables: dict[int, list[int]] = getattr(picture, "quantization", None) or {}
        codec = {
            "pixels": float(pixels),
            "aspect": picture.width / picture.height,
            "bits_per_pixel": 8.0 * path.stat().st_size / pixels,
            **{f"quantisation.{k}": float(np.mean(table)) for k, table in tables.items()},
        }
        return FileFacts(codec, {"container": picture.format or "", "mode": picture.mode}, {}, {})


def silence_facts(path: Path) -> Numbers:
    """Seconds before the first sound and after the last, 38 dB below the loudest; none if mute."""
    if not has_sound(path):
        return {}
    waveform, rate_hz = read_waveform(path)
    return silence_of(waveform, rate_hz)


def silence_of(waveform_T: FloatArray, rate_hz: int) -> Numbers:
    """As `silence_facts`, of a mono float32 waveform."""
    start, end = sounding_range(waveform_T, rate_hz)
    return {
        "leading.seconds": start / rate_hz,
        "trailing.seconds": (waveform_T.size - end) / rate_hz,
    }


def facts_of(corpus: Path, row: Row) -> FileFacts:
    """Facts of one row of a manifest."""
    return read_facts(corpus / row["path"], Modality(row["modality"]))
