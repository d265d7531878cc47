"""A machine reads what the recording says, whole or in part: espeak-ng and flite.

Both are run as commands on a text file and give the same samples on every run.
"""

import io
import shutil
import subprocess
import wave
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from encoders.errors import PermanentError
from encoders.types import FloatArray
from rl.corpus.forgeries.segment import choose_segment, put_segment
from rl.corpus.forgeries.types import Forged
from rl.corpus.loudness import match_loudness, resample_to, trim_silence

CUE = "synthetic voice"
ESPEAK_VOICES = {"en": "en-us", "es": "es-419", "fr": "fr-fr", "it": "it", "ru": "ru"}
ESPEAK_VARIANTS = ("", "+f2", "+f4", "+m3", "+m7")
ESPEAK_WORDS_PER_MINUTE = 165
FLITE_VOICES = ("awb", "kal16", "rms", "slt")
TIMEOUT_SECONDS = 30.0


class SpeechEngineError(PermanentError):
    """The speech engine is not installed, or does not know the language or the text."""

    code = "speech_unavailable"


@dataclass(frozen=True, slots=True)
class Speaker:
    """engine: `espeak-ng` or `flite`. voice: its name there."""

    engine: str
    voice: str


def choose_speaker(engine: str, language: str, rng: np.random.Generator) -> Speaker:
    """A voice of `engine` for an ISO 639-1 language.

    Raises:
        SpeechEngineError: the engine is missing or has no such voice.
    """
    if shutil.which(engine) is None:
        raise SpeechEngineError(
            f"no command {engine}",
            expected="the speech engine on the PATH",
            remedy=f"Install the Debian package {engine}.",
        )
    if engine == "espeak-ng" and language in ESPEAK_VOICES:
        return Speaker(engine, ESPEAK_VOICES[language] + str(rng.choice(ESPEAK_VARIANTS)))
    if engine == "flite" and language == "en":
        return Speaker(engine, str(rng.choice(FLITE_VOICES)))
    raise SpeechEngineError(
        f"{engine} and language {language!r}",
        expected=f"espeak-ng with one of {sorted(ESPEAK_VOICES)}, or flite with 'en'",
        remedy="Name another engine in the recipe.",
    )


def read_aloud(speaker: Speaker, text: str, rate_hz: int, speed: float = 1.0) -> FloatArray:
    """What `speaker` makes of `text`, silence trimmed, float32 at `rate_hz`; speed 1 is normal.

    Raises:
        SpeechEngineError: the engine failed or stayed silent.
    """
    with TemporaryDirectory() as folder:
        script, sound = Path(folder, "text"), Path(folder, "sound.wav")
        script.write_text(text, encoding="utf-8")
        if speaker.engine == "espeak-ng":
            pace = str(int(np.clip(round(ESPEAK_WORDS_PER_MINUTE * speed), 80, 450)))
            command = ["espeak-ng", "-v", speaker.voice, "-s", pace, "-f", str(script)]
            command += ["-w", str(sound)]
        else:
            stretch = f"duration_stretch={1.0 / speed:.3f}"
            command = ["flite", "-voice", speaker.voice, "--setf", stretch, "-f", str(script)]
            command += ["-o", str(sound)]
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
        content = sound.read_bytes() if sound.exists() else b""
    if done.returncode != 0 or len(content) <= 44:
        raise SpeechEngineError(
            f"{speaker.engine} gave no sound (status {done.returncode})",
            expected="speech",
            remedy="Check that the engine's voices are installed and that the text has words.",
        )
    with wave.open(io.BytesIO(content)) as file:
        source_hz = file.getframerate()
        samples = np.frombuffer(content[44:], "<i2")
    return trim_silence(
        resample_to((samples / 32768.0).astype(np.float32), source_hz, rate_hz), rate_hz
    )


def speech(
    waveform_T: FloatArray,
    rate_hz: int,
    rng: np.random.Generator,
    *,
    text: str,
    language: str,
    engine: str,
) -> Forged[FloatArray]:
    """Replace a segment, or all, by a machine that reads `text` at the recording's pace.

    waveform_T: float32 mono in [-1, 1]. The whole is cut to the synthetic voice's end where
    that comes first, so the forged waveform may be up to a fifth shorter.

    Raises:
        SpeechEngineError: see `choose_speaker` and `read_aloud`.
    """
    speaker = choose_speaker(engine, language, rng)
    first = read_aloud(speaker, text, rate_hz)
    speed = float(np.clip(first.size / waveform_T.size, 0.6, 2.0))
    voice = read_aloud(speaker, text, rate_hz, speed)
    length = min(waveform_T.size, voice.size)
    recording = waveform_T[:length]
    voice = match_loudness(voice[:length], recording)
    segment = choose_segment(length, rng)
    generator = f"{engine}_{speaker.voice}"
    return put_segment(recording, voice, segment, rate_hz, CUE, generator)
