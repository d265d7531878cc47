"""The demonstration media of docs/samples: a photograph, a voice and a film, genuine and forged.

`python -m rl.corpus.samples --out docs/samples`. None of their sources is in a training recipe.
The forgeries are those of the corpus; the seeds were chosen by looking at the results.
"""

import argparse
import csv
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from encoders.types import ByteArray, FloatArray
from moderation.atomic import write_bytes
from moderation.errors import ConfigurationError
from rl.corpus.codecs import (
    film_bytes,
    fit,
    jpeg_bytes,
    read_film_sound,
    read_frames,
    read_picture,
    read_sound,
    sound_bytes,
)
from rl.corpus.forgeries.speech import speech
from rl.corpus.forgeries.splice import splice
from rl.corpus.forgeries.types import Forged
from rl.corpus.forgeries.warp import warp
from rl.corpus.loudness import fade_ends, match_loudness, rms, trim_silence
from rl.corpus.recipe import FilmSource
from rl.corpus.severity import modality_severity, score, temporal_fraction
from rl.corpus.sources import film, find, read_transcript, search_roots
from rl.corpus.voice_pair import add_noise

PHOTO_SEED, VOICE_SEED, FILM_SEED = 4, 0, 50
PHOTO_SIDE, PHOTO_QUALITY = 560, 90
VOICE_HZ, VOICE_NAME, VOICE_NOISE_DB = 8_000, "demo-thanks", 45.0
FILM_START_SECONDS, FILM_SECONDS, FILM_SIDE, FILM_CRF = 2.0, 4.0, 480, 23
FILM_SOUND_RMS = 0.05
CUP = FilmSource(
    name="cup",
    origin="Debian opencv-doc",
    licence="Apache-2.0",
    clips=1,
    split="test-in-domain",
    path="doc/opencv-doc/opencv4/html/cup.mp4.gz",
)
SOUNDS = "asterisk/sounds/fr_CA_f_June"
TRANSCRIPT = "doc/asterisk-core-sounds-fr/core-sounds-fr.txt.gz"


@dataclass(frozen=True, slots=True)
class Sample:
    """One file of docs/samples. y: authenticity label in [0, 9]."""

    name: str
    content: bytes
    y: float
    change: str
    transcript: str = ""


def photo_samples() -> list[Sample]:
    """scikit-learn's `china.jpg`, and the same with a region of its `flower.jpg` in it."""
    images = Path(str(files("sklearn.datasets") / "images"))
    genuine = fit(read_picture(images / "china.jpg"), PHOTO_SIDE)
    donor = fit(read_picture(images / "flower.jpg"), PHOTO_SIDE)
    forged = splice(genuine, donor, np.random.default_rng(PHOTO_SEED))
    before, after = (jpeg_bytes(picture, PHOTO_QUALITY) for picture in (genuine, forged.media))
    return [
        Sample("photo-genuine.jpg", before, 9.0, "resized, JPEG"),
        Sample("photo-manipulated.jpg", after, label(forged), forged.cue),
    ]


def voice_samples(roots: Sequence[Path]) -> list[Sample]:
    """A French prompt of Asterisk, and espeak-ng reading the same words in its place.

    Raises:
        ConfigurationError: the Debian packages with the prompts are not here.
    """
    sounds, transcript = find(SOUNDS, roots), find(TRANSCRIPT, roots)
    if sounds is None or transcript is None:
        raise _missing("the French prompts", "asterisk-core-sounds-fr-wav asterisk-core-sounds-fr")
    text = read_transcript(transcript)[VOICE_NAME]
    genuine = trim_silence(read_sound(sounds / f"{VOICE_NAME}.wav", VOICE_HZ), VOICE_HZ)
    forged = speech(
        genuine,
        VOICE_HZ,
        np.random.default_rng(VOICE_SEED),
        text=text,
        language="fr",
        engine="espeak-ng",
    )

    def content(waveform_T: FloatArray) -> bytes:
        cut = waveform_T[: forged.media.size]
        noise = np.random.default_rng(VOICE_SEED)
        noisy = add_noise(cut, rms(genuine), VOICE_NOISE_DB, noise)
        return sound_bytes(fade_ends(noisy, VOICE_HZ), VOICE_HZ)

    y = label(forged, forged.media.size / VOICE_HZ)
    return [
        Sample("voice-genuine.wav", content(genuine), 9.0, "silence trimmed, faint noise", text),
        Sample("voice-manipulated.wav", content(forged.media), y, forged.cue, text),
    ]


def film_samples(roots: Sequence[Path], cache: Path) -> list[Sample]:
    """A cup turned by a hand, with the sound of the room; and with a region warped.

    Raises:
        ConfigurationError: the Debian package with the film is not here.
    """
    found = film(CUP, roots, cache)
    if found is None:
        raise _missing("the film cup.mp4", "opencv-doc")
    full, rate_hz = read_frames(found.path, FILM_START_SECONDS, FILM_SECONDS, (10.0, 15.0))
    frames = np.stack([fit(frame, FILM_SIDE, multiple=2) for frame in full])
    seconds = len(frames) / rate_hz
    sound = read_film_sound(found.path, FILM_START_SECONDS, seconds, 16_000)
    sound = match_loudness(sound, np.full(1, FILM_SOUND_RMS, np.float32))
    forged = warp(frames, rate_hz, np.random.default_rng(FILM_SEED))

    def content(pixels_FHWC: ByteArray) -> bytes:
        return film_bytes(pixels_FHWC, rate_hz, FILM_CRF, sound, 16_000)

    return [
        Sample("video-genuine.mp4", content(frames), 9.0, "cut, resized, H.264, sound louder"),
        Sample("video-manipulated.mp4", content(forged.media), label(forged, seconds), forged.cue),
    ]


def label(forged: Forged[ByteArray] | Forged[FloatArray], duration_seconds: float = 0.0) -> float:
    """The authenticity label of a file with this one forgery in it."""
    fraction = temporal_fraction(forged.spans, duration_seconds)
    return score(modality_severity(fraction, forged.area, forged.strength))


def manifest_bytes(samples: Sequence[Sample]) -> bytes:
    """CSV with path, label, y, change and transcript."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["path", "label", "y", "change", "transcript"])
    for sample in samples:
        kind = "genuine" if sample.y == 9.0 else "manipulated"
        writer.writerow([sample.name, kind, f"{sample.y:.2f}", sample.change, sample.transcript])
    return buffer.getvalue().encode("utf-8")


def _missing(what: str, packages: str) -> ConfigurationError:
    return ConfigurationError(
        f"{what} not found",
        expected=f"the Debian packages {packages}",
        remedy="Install them, or name the folder that holds their /usr/share with --sources.",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 when written, 2 when a source is missing."""
    parser = argparse.ArgumentParser(prog="python -m rl.corpus.samples", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sources", type=Path, action="append", default=[])
    parser.add_argument("--cache", type=Path, default=Path("build/samples"))
    options = parser.parse_args(arguments)
    roots = search_roots(options.sources)
    try:
        samples = [*photo_samples(), *voice_samples(roots), *film_samples(roots, options.cache)]
    except ConfigurationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for sample in samples:
        write_bytes(options.out / sample.name, sample.content)
        print(f"{sample.name:24} {len(sample.content):8,} bytes  y {sample.y:.2f}  {sample.change}")
    write_bytes(options.out / "manifest.csv", manifest_bytes(samples))
    return 0


if __name__ == "__main__":
    sys.exit(main())
