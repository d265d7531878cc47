"""A genuine utterance and its forgeries: one length, one noise, one lossy codec for all."""

import numpy as np

from encoders.types import FloatArray, Modality
from moderation.types import Claim
from rl.corpus.clips import Clip, Utterance, VoicePair
from rl.corpus.codecs import read_sound, sound_bytes, through_codec
from rl.corpus.forgeries.griffin_lim import griffin_lim
from rl.corpus.forgeries.speech import SpeechEngineError, speech
from rl.corpus.forgeries.types import Forged
from rl.corpus.forgeries.world import world
from rl.corpus.loudness import fade_ends, rms, trim_silence
from rl.corpus.recipe import CorpusRecipe
from rl.corpus.redraw import until_visible
from rl.corpus.seeds import generator_for
from rl.corpus.severity import modality_severity, temporal_fraction
from rl.corpus.truth import clean_claim, forged_claims, shifted

GAP_SECONDS = (0.04, 0.14)
LEVEL_DB = (-26.0, -18.0)
# A synthetic reading that is shorter than this share of the recording cannot stand for it.
SHORTEST_SHARE = 0.6


def read_utterance(utterance: Utterance, rate_hz: int, rng: np.random.Generator) -> FloatArray:
    """The recordings, trimmed, joined with short gaps, at a level drawn from `rng`."""
    parts: list[FloatArray] = []
    for path in utterance.paths:
        part = trim_silence(read_sound(path, rate_hz), rate_hz)
        if parts:
            parts.append(np.zeros(round(rng.uniform(*GAP_SECONDS) * rate_hz), np.float32))
        parts.append(fade_ends(part * np.float32(0.1 / max(rms(part), 1e-4)), rate_hz, 0.005))
    joined = np.concatenate(parts)
    gain = 10.0 ** (rng.uniform(*LEVEL_DB) / 20.0) / max(rms(joined), 1e-4)
    gain = min(gain, 0.95 / max(float(np.abs(joined).max()), 1e-4))
    levelled: FloatArray = (joined * np.float32(gain)).astype(np.float32)
    return levelled


def forge_voice(
    waveform_T: FloatArray, utterance: Utterance, name: str, recipe: CorpusRecipe, pair_id: str
) -> Forged[FloatArray] | None:
    """Forge an utterance by recipe `name`; None where nothing audible or too little came out."""
    rate_hz = recipe.audio.rate_hz

    def forge(rng: np.random.Generator) -> Forged[FloatArray]:
        if name == "world":
            return world(waveform_T, rate_hz, rng)
        if name == "griffin_lim":
            return griffin_lim(waveform_T, rate_hz, rng)
        return speech(
            waveform_T,
            rate_hz,
            rng,
            text=utterance.text,
            language=utterance.language,
            engine=name,
        )

    try:
        forged = until_visible(forge, recipe, pair_id, name)
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


def build_voice_pair(pair: VoicePair, recipe: CorpusRecipe) -> list[Clip]:
    """The genuine copy first, then one clip for each forgery that can be heard."""
    audio = recipe.audio
    rate_hz = audio.rate_hz
    rng = generator_for(recipe.seed, "codec", pair.pair_id)
    genuine = read_utterance(pair.utterance, rate_hz, rng)[: round(audio.seconds[1] * rate_hz)]
    noise_db = float(rng.uniform(*audio.noise_db))
    noise_seed = int(rng.integers(2**63))
    codec, kbps = None, 0
    if rng.random() < audio.lossy_probability:
        codec = str(rng.choice(["libmp3lame", "libopus"]))
        bounds = audio.mp3_kbps if codec == "libmp3lame" else audio.opus_kbps
        kbps = 8 * round(float(rng.uniform(*bounds)) / 8)
    made = [
        (name, forged)
        for name in pair.forgeries
        if (forged := forge_voice(genuine, pair.utterance, name, recipe, pair.pair_id)) is not None
    ]
    length = min([genuine.size, *(forged.media.size for _, forged in made)])
    seconds = length / rate_hz
    level = rms(genuine)

    def content(waveform_T: FloatArray) -> bytes:
        cut = add_noise(waveform_T[:length], level, noise_db, np.random.default_rng(noise_seed))
        cut = fade_ends(cut, rate_hz)
        if codec is not None:
            cut = through_codec(cut, rate_hz, codec, kbps)
        return sound_bytes(cut, rate_hz)

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
        )

    clips = [clip(genuine, 0.0, "genuine", "", (clean_claim(Modality.AUDIO, seconds),))]
    for name, forged in made:
        spans = shifted(forged.spans, 0.0, seconds)
        if not spans:
            continue
        m = modality_severity(temporal_fraction(spans, seconds), 1.0, forged.strength)
        claims = forged_claims(Modality.AUDIO, spans, forged.cue, m)
        clips.append(clip(forged.media, m, name, forged.generator, claims))
    return clips
