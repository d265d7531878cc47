"""A window of a genuine film and its forgeries: one size, one rate, one H.264 setting for all."""

from collections.abc import Callable

import numpy as np

from encoders.types import ByteArray, FloatArray, Modality
from moderation.types import Claim
from rl.corpus.clips import Clip, FilmPair
from rl.corpus.codecs import film_bytes, fit, read_frames
from rl.corpus.forgeries.region_shift import region_shift
from rl.corpus.forgeries.repeat import repeat
from rl.corpus.forgeries.types import Forged
from rl.corpus.forgeries.warp import warp
from rl.corpus.loudness import fade_ends, rms
from rl.corpus.recipe import CorpusRecipe
from rl.corpus.redraw import until_visible
from rl.corpus.seeds import generator_for
from rl.corpus.severity import modality_severity, severity, temporal_fraction
from rl.corpus.truth import clean_claim, forged_claims, shifted
from rl.corpus.voice_pair import add_noise, forge_voice, read_utterance

PICTURES: dict[str, Callable[[ByteArray, float, np.random.Generator], Forged[ByteArray]]] = {
    "region_shift": region_shift,
    "repeat": repeat,
    "warp": warp,
}


def build_film_pair(pair: FilmPair, recipe: CorpusRecipe) -> list[Clip]:
    """The genuine copy first, then one clip for each forgery that shows or can be heard."""
    video = recipe.video
    sound_hz = recipe.audio.rate_hz
    rng = generator_for(recipe.seed, "codec", pair.pair_id)
    side = int(rng.integers(int(video.side_pixels[0]), int(video.side_pixels[1]) + 1))
    crf = int(rng.integers(int(video.crf[0]), int(video.crf[1]) + 1))
    full, rate_hz = read_frames(
        pair.path, pair.start_seconds, pair.seconds, video.frames_per_second
    )
    genuine = np.stack([fit(frame, side, multiple=2) for frame in full])
    seconds = len(genuine) / rate_hz
    samples = round(seconds * sound_hz)
    voice: FloatArray | None = None
    offset = 0
    if pair.utterance is not None:
        voice = read_utterance(pair.utterance, sound_hz, rng)[:samples]
        offset = int(rng.integers(0, samples - voice.size + 1))
    noise_db = float(rng.uniform(*recipe.audio.noise_db))
    noise_seed = int(rng.integers(2**63))

    def soundtrack(waveform_T: FloatArray) -> FloatArray:
        placed = np.zeros(samples, np.float32)
        placed[offset : offset + waveform_T.size] = fade_ends(waveform_T, sound_hz)
        level = rms(waveform_T if voice is None else voice)
        return add_noise(placed, level, noise_db, np.random.default_rng(noise_seed))

    def clip(
        frames_FHWC: ByteArray,
        waveform_T: FloatArray | None,
        severities: dict[str, float],
        generators: list[str],
        claims: tuple[Claim, ...],
    ) -> Clip:
        track = None if waveform_T is None else soundtrack(waveform_T)
        return Clip(
            content=film_bytes(frames_FHWC, rate_hz, crf, track, sound_hz),
            suffix=".mp4",
            modality=Modality.VIDEO,
            duration_seconds=seconds,
            m=severity(severities.values()),
            recipe="+".join(severities) or "genuine",
            generator="+".join(generators),
            language="" if pair.utterance is None else pair.utterance.language,
            source=pair.source,
            licence=pair.licence,
            claims=claims,
        )

    clean_picture: tuple[Claim, ...] = (clean_claim(Modality.VIDEO, seconds),)
    clean_sound: tuple[Claim, ...] = (
        () if voice is None else (clean_claim(Modality.AUDIO, seconds),)
    )
    clips = [clip(genuine, voice, {}, [], (*clean_picture, *clean_sound))]
    for picture_name, sound_name in pair.forgeries:
        frames, sound = genuine, voice
        severities: dict[str, float] = {}
        generators: list[str] = []
        claims, sound_claims = clean_picture, clean_sound
        if picture_name is not None:
            forge = PICTURES[picture_name]
            shown = until_visible(
                lambda draw, forge=forge: forge(genuine, rate_hz, draw),  # type: ignore[misc]
                recipe,
                pair.pair_id,
                picture_name,
            )
            if shown is not None:
                frames = shown.media
                spans = shifted(shown.spans, 0.0, seconds)
                m = modality_severity(temporal_fraction(spans, seconds), shown.area, shown.strength)
                severities[picture_name] = m
                generators.append(shown.generator)
                claims = forged_claims(Modality.VIDEO, spans, shown.cue, m)
        if sound_name is not None and voice is not None and pair.utterance is not None:
            heard = forge_voice(voice, pair.utterance, sound_name, recipe, pair.pair_id)
            if heard is not None:
                sound = heard.media
                spans = shifted(heard.spans, offset / sound_hz, seconds)
                m = modality_severity(temporal_fraction(spans, seconds), 1.0, heard.strength)
                severities[sound_name] = m
                generators.append(heard.generator)
                sound_claims = forged_claims(Modality.AUDIO, spans, heard.cue, m)
        # A forgery that did not show may leave what another already is.
        if severities and "+".join(severities) not in {made.recipe for made in clips}:
            clips.append(clip(frames, sound, severities, generators, (*claims, *sound_claims)))
    return clips
