"""A genuine utterance and its forgeries: one length, one noise, one lossy codec for all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from encoders.types import FloatArray, Modality
from moderation.types import Claim
from rl.corpus.clips import Clip, Made, Utterance, VoicePair
from rl.corpus.codecs import read_sound, sound_bytes, through_codec
from rl.corpus.fingerprints import RATE_HZ, landmarks
from rl.corpus.forgeries.griffin_lim import griffin_lim
from rl.corpus.forgeries.lpc import lpc
from rl.corpus.forgeries.speech import SpeechEngineError, speech
from rl.corpus.forgeries.speech_splice import Passage, speech_splice
from rl.corpus.forgeries.types import Forged
from rl.corpus.forgeries.world import world
from rl.corpus.loudness import fade_ends, resample_to, rms, trim_silence
from rl.corpus.plan import SPLICE_SUFFIX
from rl.corpus.recipe import Audio, CorpusRecipe
from rl.corpus.redraw import until_visible
from rl.corpus.seeds import generator_for
from rl.corpus.severity import modality_severity, temporal_fraction
from rl.corpus.truth import clean_claim, forged_claims
from rl.corpus.weak import draw_sound_weakness

REBUILT: dict[str, Callable[[FloatArray, int, np.random.Generator], Forged[FloatArray]]] = {
    "griffin_lim": griffin_lim,
    "lpc": lpc,
    "world": world,
}
GAP_SECONDS = (0.04, 0.14)
LEVEL_DB = (-26.0, -18.0)
# A synthetic reading that is shorter than this share of the recording cannot stand for it.
SHORTEST_SHARE = 0.6


def read_utterance(
    utterance: Utterance, rate_hz: int, rng: np.random.Generator
) -> tuple[FloatArray, tuple[Passage, ...]]:
    """The recordings, trimmed, joined with short gaps, at a level drawn from `rng`.

    Returns the waveform and where in it each recording lies, with its words.
    """
    parts: list[FloatArray] = []
    passages: list[Passage] = []
    length = 0
    for path, text in zip(utterance.paths, utterance.texts, strict=True):
        part = trim_silence(read_sound(path, rate_hz), rate_hz)
        if parts:
            parts.append(np.zeros(round(rng.uniform(*GAP_SECONDS) * rate_hz), np.float32))
            length += parts[-1].size
        parts.append(fade_ends(part * np.float32(0.1 / max(rms(part), 1e-4)), rate_hz, 0.005))
        passages.append(Passage(length, length + part.size, text))
        length += part.size
    joined = np.concatenate(parts)
    gain = 10.0 ** (rng.uniform(*LEVEL_DB) / 20.0) / max(rms(joined), 1e-4)
    gain = min(gain, 0.95 / max(float(np.abs(joined).max()), 1e-4))
    levelled: FloatArray = (joined * np.float32(gain)).astype(np.float32)
    return levelled, tuple(passages)


def first_seconds(
    waveform_T: FloatArray, passages: Sequence[Passage], length: int
) -> tuple[FloatArray, tuple[Passage, ...]]:
    """The first `length` samples, and the passages that lie wholly within them."""
    return waveform_T[:length], tuple(p for p in passages if p.end <= length)


def forge_voice(
    waveform_T: FloatArray,
    passages: Sequence[Passage],
    utterance: Utterance,
    name: str,
    recipe: CorpusRecipe,
    draws: str,
) -> Forged[FloatArray] | None:
    """Forge an utterance by recipe `name`; None where nothing audible or too little came out."""
    rate_hz = recipe.audio.rate_hz
    engine = name.removesuffix(SPLICE_SUFFIX)
    voices = recipe.audio.voices.get(engine, ())

    def forge(rng: np.random.Generator) -> Forged[FloatArray]:
        if name in REBUILT:
            return REBUILT[name](waveform_T, rate_hz, rng)
        if name.endswith(SPLICE_SUFFIX):
            return speech_splice(
                waveform_T,
                rate_hz,
                rng,
                passages=passages,
                language=utterance.language,
                engine=engine,
                voices=voices,
            )
        return speech(
            waveform_T,
            rate_hz,
            rng,
            text=utterance.text,
            language=utterance.language,
            engine=engine,
            voices=voices,
        )

    try:
        forged = until_visible(forge, recipe, draws, name)
    except SpeechEngineError:
        return None
    if forged is None or forged.media.size < SHORTEST_SHARE * waveform_T.size:
        return None
    return forged


def add_noise(
    waveform_T: FloatArray, level_rms: float, noise_db: float, rng: np.random.Generator
) -> FloatArray:
    """White noise `noise_db` below `level_rms`, so that digital silence is in neither class."""
    noise = rng.standard_normal(waveform_T.size) * level_rms * 10.0 ** (-noise_db / 20.0)
    noisy: FloatArray = (waveform_T + noise).astype(np.float32)
    return noisy


@dataclass(frozen=True, slots=True)
class SoundCodec:
    """name: `libmp3lame`, `libopus`, or None for none at all. repeats: how often, one or two."""

    name: str | None
    kbps: int
    repeats: int

    def apply(self, waveform_T: FloatArray, rate_hz: int) -> FloatArray:
        """Through the codec and back."""
        for _ in range(self.repeats if self.name is not None else 0):
            waveform_T = through_codec(waveform_T, rate_hz, str(self.name), self.kbps)
        return waveform_T

    @property
    def words(self) -> tuple[str, ...]:
        """Codec and rate, where there is one."""
        if self.name is None:
            return ()
        twice = ("recompressed",) if self.repeats > 1 else ()
        return (f"{self.name.removeprefix('lib')} {self.kbps} kbps", *twice)


def draw_codec(audio: Audio, rng: np.random.Generator) -> SoundCodec:
    """Which codec a pair goes through, and how often."""
    if rng.random() >= audio.lossy_probability:
        return SoundCodec(None, 0, 1)
    name = str(rng.choice(["libmp3lame", "libopus"]))
    bounds = audio.mp3_kbps if name == "libmp3lame" else audio.opus_kbps
    kbps = 8 * round(float(rng.uniform(*bounds)) / 8)
    return SoundCodec(name, kbps, 2 if rng.random() < audio.weak.recompression else 1)


def build_voice_pair(pair: VoicePair, recipe: CorpusRecipe) -> Made:
    """The genuine copy first, then one clip for each forgery that can be heard."""
    audio = recipe.audio
    rate_hz = audio.rate_hz
    rng = generator_for(recipe.seed, "codec", pair.pair_id)
    whole, passages = read_utterance(pair.utterance, rate_hz, rng)
    genuine, passages = first_seconds(whole, passages, round(audio.seconds[1] * rate_hz))
    noise_db = float(rng.uniform(*audio.noise_db))
    noise_seed = int(rng.integers(2**63))
    codec = draw_codec(audio, rng)
    weakness = draw_sound_weakness(audio.weak, rng)
    made = [
        (name, forged)
        for name in pair.forgeries
        if (forged := forge_voice(genuine, passages, pair.utterance, name, recipe, pair.pair_id))
        is not None
    ]
    length = min([genuine.size, *(forged.media.size for _, forged in made)])
    kept = weakness.bounds(length)
    seconds = (kept[1] - kept[0]) / rate_hz
    level = rms(genuine)
    quality = "; ".join((f"noise {noise_db:.0f} dB", *weakness.words, *codec.words))

    def content(waveform_T: FloatArray) -> bytes:
        cut = add_noise(waveform_T[:length], level, noise_db, np.random.default_rng(noise_seed))
        cut = fade_ends(weakness.apply(cut, rate_hz), rate_hz)
        return sound_bytes(codec.apply(cut, rate_hz), rate_hz)

    def clip(
        waveform_T: FloatArray, m: float, name: str, generator: str, claims: tuple[Claim, ...]
    ) -> Clip:
        return Clip(
            content=content(waveform_T),
            suffix=".wav",
            modality=Modality.AUDIO,
            duration_seconds=seconds,
            m=m,
            recipe=name,
            generator=generator,
            language=pair.utterance.language,
            source=pair.utterance.source,
            licence=pair.utterance.licence,
            claims=claims,
            quality=quality,
        )

    clips = [clip(genuine, 0.0, "genuine", "", (clean_claim(Modality.AUDIO, seconds),))]
    for name, forged in made:
        spans = weakness.spans(forged.spans, length, rate_hz)
        if not spans:
            continue
        m = modality_severity(temporal_fraction(spans, seconds), 1.0, forged.strength)
        claims = forged_claims(Modality.AUDIO, spans, forged.cue, m)
        clips.append(clip(forged.media, m, name, forged.generator, claims))
    narrow = resample_to(genuine, rate_hz, RATE_HZ)
    return Made(tuple(clips), sound_prints=landmarks(narrow))
