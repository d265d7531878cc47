"""A machine reads what the recording says, whole or in part: espeak-ng, flite and festival.

They are run as commands on a text file and give the same samples on every run.
"""

import io
import shutil
import subprocess
import wave
from collections.abc import Sequence
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
ESPEAK_VOICES = {
    "cs": "cs",
    "da": "da",
    "de": "de",
    "en": "en-us",
    "es": "es-419",
    "fr": "fr-fr",
    "hu": "hu",
    "it": "it",
    "lt": "lt",
    "nl": "nl",
    "pt": "pt-br",
    "ru": "ru",
    "uk": "uk",
}
ESPEAK_VARIANTS = ("", "+f2", "+f4", "+m3", "+m7")
ESPEAK_WORDS_PER_MINUTE = 165
FLITE_VOICES = ("awb", "kal16", "rms", "slt")
# Two diphone voices and one of hidden Markov models, each in a Debian package of its own.
FESTIVAL_VOICES = ("cmu_us_slt_arctic_hts", "kal_diphone", "ked_diphone")
FESTIVAL_FOLDER = Path("/usr/share/festival/voices")
COMMANDS = {"espeak-ng": "espeak-ng", "festival": "text2wave", "flite": "flite"}
TIMEOUT_SECONDS = 30.0


class SpeechEngineError(PermanentError):
    """The speech engine is not installed, or does not know the language or the text."""

    code = "speech_unavailable"


@dataclass(frozen=True, slots=True)
class Speaker:
    """engine: `espeak-ng`, `flite` or `festival`. voice: its name there."""

    engine: str
    voice: str


def speaks(engine: str, language: str) -> bool:
    """Whether the engine has voices for an ISO 639-1 language, installed or not."""
    return language in ESPEAK_VOICES if engine == "espeak-ng" else language == "en"


def installed_voices(engine: str, language: str) -> tuple[str, ...]:
    """Names of the voices for a language that are on this machine; () without the engine."""
    if shutil.which(COMMANDS[engine]) is None or not speaks(engine, language):
        return ()
    if engine == "espeak-ng":
        return tuple(ESPEAK_VOICES[language] + variant for variant in ESPEAK_VARIANTS)
    if engine == "flite":
        return FLITE_VOICES
    present = {path.name for path in FESTIVAL_FOLDER.glob("*/*")}
    return tuple(voice for voice in FESTIVAL_VOICES if voice in present)


def choose_speaker(
    engine: str, language: str, rng: np.random.Generator, voices: Sequence[str] = ()
) -> Speaker:
    """A voice of `engine` for an ISO 639-1 language, of `voices` where any are named.

    Raises:
        SpeechEngineError: the engine is missing or has no such voice.
    """
    found = [v for v in installed_voices(engine, language) if not voices or v in voices]
    if not found:
        raise SpeechEngineError(
            f"no voice of {engine} for language {language!r}",
            expected=f"espeak-ng with one of {sorted(ESPEAK_VOICES)}, or an engine with 'en'",
            remedy=f"Install the Debian package {engine}, or name another engine.",
        )
    return Speaker(engine, str(rng.choice(found)))


def command_for(speaker: Speaker, script: Path, sound: Path, speed: float) -> list[str]:
    """The command that reads the file `script` into the WAV `sound`."""
    if speaker.engine == "espeak-ng":
        pace = str(int(np.clip(round(ESPEAK_WORDS_PER_MINUTE * speed), 80, 450)))
        voice = ["-v", speaker.voice, "-s", pace]
        return ["espeak-ng", *voice, "-f", str(script), "-w", str(sound)]
    stretch = f"{1.0 / speed:.3f}"
    if speaker.engine == "flite":
        voice = ["-voice", speaker.voice, "--setf", f"duration_stretch={stretch}"]
        return ["flite", *voice, "-f", str(script), "-o", str(sound)]
    set_pace = f"(Parameter.set 'Duration_Stretch {stretch})"
    voice = ["-eval", f"(voice_{speaker.voice})", "-eval", set_pace]
    return ["text2wave", *voice, str(script), "-o", str(sound)]


def read_aloud(speaker: Speaker, text: str, rate_hz: int, speed: float = 1.0) -> FloatArray:
    """What `speaker` makes of `text`, silence trimmed, float32 at `rate_hz`; speed 1 is normal.

    Raises:
        SpeechEngineError: the engine failed or stayed silent.
    """
    with TemporaryDirectory() as folder:
        script, sound = Path(folder, "text"), Path(folder, "sound.wav")
        script.write_text(text, encoding="utf-8")
        command = command_for(speaker, script, sound, speed)
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
    voices: Sequence[str] = (),
) -> Forged[FloatArray]:
    """Replace a segment, or all, by a machine that reads `text` at the recording's pace.

    waveform_T: float32 mono in [-1, 1]. voices: of the engine; () for all. The whole is cut to
    the synthetic voice's end where that comes first, so the forged waveform may be shorter.

    Raises:
        SpeechEngineError: see `choose_speaker` and `read_aloud`.
    """
    speaker = choose_speaker(engine, language, rng, voices)
    first = read_aloud(speaker, text, rate_hz)
    speed = float(np.clip(first.size / waveform_T.size, 0.6, 2.0))
    voice = read_aloud(speaker, text, rate_hz, speed)
    length = min(waveform_T.size, voice.size)
    recording = waveform_T[:length]
    voice = match_loudness(voice[:length], recording)
    segment = choose_segment(length, rng)
    generator = f"{engine}_{speaker.voice}"
    return put_segment(recording, voice, segment, rate_hz, CUE, generator)
