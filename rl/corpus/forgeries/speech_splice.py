"""A few words of a recording replaced by a machine that says the same words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from encoders.types import FloatArray
from rl.corpus.forgeries.segment import put_segment
from rl.corpus.forgeries.speech import SpeechEngineError, choose_speaker, read_aloud
from rl.corpus.forgeries.types import Forged
from rl.corpus.loudness import match_loudness

CUE = "synthetic words"
SHORTEST_SECONDS = 0.12


@dataclass(frozen=True, slots=True)
class Passage:
    """Samples [start, end) of a recording, and the words spoken there."""

    start: int
    end: int
    text: str


def choose_passage(passages: Sequence[Passage], rng: np.random.Generator) -> Passage:
    """Up to half of the passages, in a row; of a single one, up to half of its words.

    Where the words of one passage lie is estimated from their letters.

    Raises:
        SpeechEngineError: there are no words.
    """
    spoken = [passage for passage in passages if passage.text]
    if not spoken:
        raise SpeechEngineError(
            "a recording without its words",
            expected="a transcript",
            remedy="Leave speech forgeries out for this source.",
        )
    if len(spoken) > 1:
        size = int(rng.integers(1, max(1, len(spoken) // 2) + 1))
        first = int(rng.integers(0, len(spoken) - size + 1))
        chosen = spoken[first : first + size]
        return Passage(chosen[0].start, chosen[-1].end, ", ".join(p.text for p in chosen))
    (only,) = spoken
    words = only.text.split()
    size = int(rng.integers(1, max(1, len(words) // 2) + 1))
    first = int(rng.integers(0, len(words) - size + 1))
    letters = np.cumsum([0, *(len(word) + 1 for word in words)]) / (len(only.text) + 1)
    start, end = np.clip(letters[[first, first + size]], 0.0, 1.0) * (only.end - only.start)
    text = " ".join(words[first : first + size])
    return Passage(only.start + round(float(start)), only.start + round(float(end)), text)


def speech_splice(
    waveform_T: FloatArray,
    rate_hz: int,
    rng: np.random.Generator,
    *,
    passages: Sequence[Passage],
    language: str,
    engine: str,
    voices: Sequence[str] = (),
) -> Forged[FloatArray]:
    """Replace one passage by a synthetic reading of it, at the recording's pace and loudness.

    waveform_T: float32 mono in [-1, 1]. voices: of the engine; () for all.

    Raises:
        SpeechEngineError: no engine, voice or words; or the words are over in .12 s.
    """
    speaker = choose_speaker(engine, language, rng, voices)
    passage = choose_passage(passages, rng)
    target = passage.end - passage.start
    first = read_aloud(speaker, passage.text, rate_hz)
    speed = float(np.clip(first.size / max(target, 1), 0.6, 2.0))
    reading = read_aloud(speaker, passage.text, rate_hz, speed)[:target]
    if reading.size < SHORTEST_SECONDS * rate_hz:
        raise SpeechEngineError(
            f"{reading.size / rate_hz:.2f} s of speech for {passage.text!r}",
            expected=f"at least {SHORTEST_SECONDS} s",
            remedy="Choose longer recordings.",
        )
    segment = (passage.start, passage.start + reading.size)
    voice = np.zeros_like(waveform_T)
    voice[slice(*segment)] = match_loudness(reading, waveform_T[slice(*segment)])
    return put_segment(waveform_T, voice, segment, rate_hz, CUE, f"{engine}_{speaker.voice}")
