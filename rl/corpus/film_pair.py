"""A window of a genuine film and its forgeries: one size, one rate, one H.264 setting for all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from encoders.types import ByteArray, FloatArray, Modality, Span
from moderation.types import Claim
from rl.corpus.clips import Clip, FilmPair, Made
from rl.corpus.codecs import film_bytes, fit, read_frames, through_film_codec
from rl.corpus.fingerprints import picture_prints
from rl.corpus.forgeries.interpolate import interpolate
from rl.corpus.forgeries.offset import av_offset
from rl.corpus.forgeries.region_shift import region_shift
from rl.corpus.forgeries.repeat import repeat
from rl.corpus.forgeries.reverse import reverse
from rl.corpus.forgeries.speech_splice import Passage
from rl.corpus.forgeries.types import Forged
from rl.corpus.forgeries.warp import warp
from rl.corpus.loudness import fade_ends, rms
from rl.corpus.overlay import draw_overlay
from rl.corpus.picture_pair import AREA_MIN
from rl.corpus.recipe import CorpusRecipe
from rl.corpus.redraw import until_visible
from rl.corpus.seeds import generator_for
from rl.corpus.severity import modality_severity, severity, temporal_fraction
from rl.corpus.truth import clean_claim, forged_claims, shifted
from rl.corpus.voice_pair import add_noise, first_seconds, forge_voice, read_utterance
from rl.corpus.weak import FIRST_CRF, draw_picture_weakness, mask_png

# Frames whose fingerprints stand for a window, as shares of it.
PRINTED = (0.1, 0.5, 0.9)
PICTURES: dict[str, Callable[[ByteArray, float, np.random.Generator], Forged[ByteArray]]] = {
    "interpolate": interpolate,
    "region_shift": region_shift,
    "repeat": repeat,
    "reverse": reverse,
    "warp": warp,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One forgery of a film's picture or of its sound, as it lies in the finished file."""

    recipe: str
    generator: str
    m: float
    spans: tuple[Span, ...]
    cue: str
    mask_HW: FloatArray | None = None


def build_film_pair(pair: FilmPair, recipe: CorpusRecipe) -> Made:
    """The genuine copy first, then one clip for each forgery that shows or can be heard."""
    video = recipe.video
    sound_hz = recipe.audio.rate_hz
    rng = generator_for(recipe.seed, "codec", pair.draws)
    side = int(rng.integers(int(video.side_pixels[0]), int(video.side_pixels[1]) + 1))
    crf = int(rng.integers(int(video.crf[0]), int(video.crf[1]) + 1))
    full, rate_hz = read_frames(
        pair.path, pair.start_seconds, pair.seconds, video.frames_per_second
    )
    genuine = np.stack([fit(frame, side, multiple=2) for frame in full])
    seconds = len(genuine) / rate_hz
    samples = round(seconds * sound_hz)
    voice: FloatArray | None = None
    passages: tuple[Passage, ...] = ()
    offset = 0
    if pair.utterance is not None:
        spoken, passages = read_utterance(pair.utterance, sound_hz, rng)
        voice, passages = first_seconds(spoken, passages, samples)
        offset = int(rng.integers(0, samples - voice.size + 1))
    noise_db = float(rng.uniform(*recipe.audio.noise_db))
    noise_seed = int(rng.integers(2**63))
    weakness = draw_picture_weakness(video.weak, rng, FIRST_CRF)
    overlay = None
    if pair.has_overlay:
        overlay = draw_overlay(generator_for(recipe.seed, "overlay", pair.pair_id))
    words = (*weakness.words, f"crf {crf}", *(("overlay",) if overlay else ()))

    def placed(waveform_T: FloatArray) -> FloatArray:
        track = np.zeros(samples, np.float32)
        track[offset : offset + waveform_T.size] = fade_ends(waveform_T, sound_hz)
        return track

    def encoded(frames_FHWC: ByteArray, track_T: FloatArray | None) -> bytes:
        final = np.stack([weakness.apply(frame, f, 2) for f, frame in enumerate(frames_FHWC)])
        if weakness.first_quality is not None:
            final = through_film_codec(final, rate_hz, weakness.first_quality)
        if overlay is not None:
            final = np.stack([overlay.draw(frame) for frame in final])
        noisy = None
        if track_T is not None and voice is not None:
            noise = np.random.default_rng(noise_seed)
            noisy = add_noise(track_T, rms(voice), noise_db, noise)
        return film_bytes(final, rate_hz, crf, noisy, sound_hz)

    def clip(
        frames_FHWC: ByteArray,
        track_T: FloatArray | None,
        changes: Sequence[Change],
        claims: tuple[Claim, ...],
    ) -> Clip:
        masks = [change.mask_HW for change in changes if change.mask_HW is not None]
        return Clip(
            content=encoded(frames_FHWC, track_T),
            suffix=".mp4",
            modality=Modality.VIDEO,
            duration_seconds=seconds,
            m=severity(change.m for change in changes),
            recipe="+".join(change.recipe for change in changes) or "genuine",
            generator=" + ".join(change.generator for change in changes),
            language="" if pair.utterance is None else pair.utterance.language,
            source=pair.source,
            licence=pair.licence,
            claims=claims,
            quality="; ".join(words),
            mask=mask_png(masks[0]) if masks else None,
        )

    def of_picture(name: str) -> tuple[Forged[ByteArray], Change] | None:
        forge = PICTURES[name]
        shown = until_visible(lambda draw: forge(genuine, rate_hz, draw), recipe, pair.draws, name)
        if shown is None:
            return None
        mask = None
        if shown.mask_HW is not None:
            height, width = genuine.shape[1:3]
            mask = shown.mask_HW[weakness.window(height, width, 2)]
        area = 1.0 if mask is None else float(mask.mean())
        if area < AREA_MIN:
            return None
        spans = shifted(shown.spans, 0.0, seconds)
        m = modality_severity(temporal_fraction(spans, seconds), min(area, 1.0), shown.strength)
        return shown, Change(name, shown.generator, m, spans, shown.cue, mask)

    def of_sound(name: str) -> tuple[FloatArray, Change] | None:
        if voice is None or pair.utterance is None:
            return None
        if name == "av_offset":
            heard = until_visible(
                lambda draw: av_offset(placed(voice), sound_hz, rate_hz, draw),
                recipe,
                pair.draws,
                name,
            )
            shift = 0.0
        else:
            heard = forge_voice(voice, passages, pair.utterance, name, recipe, pair.draws)
            shift = offset / sound_hz
        if heard is None:
            return None
        spans = shifted(heard.spans, shift, seconds)
        m = modality_severity(temporal_fraction(spans, seconds), 1.0, heard.strength)
        track = heard.media if name == "av_offset" else placed(heard.media)
        return track, Change(name, heard.generator, m, spans, heard.cue)

    clean_picture: tuple[Claim, ...] = (clean_claim(Modality.VIDEO, seconds),)
    clean_sound: tuple[Claim, ...] = (
        () if voice is None else (clean_claim(Modality.AUDIO, seconds),)
    )
    track = None if voice is None else placed(voice)
    clips = [clip(genuine, track, (), (*clean_picture, *clean_sound))]
    for picture_name, sound_name in pair.forgeries:
        frames, sound = genuine, track
        changes: list[Change] = []
        claims, sound_claims = clean_picture, clean_sound
        if picture_name is not None and (picture := of_picture(picture_name)) is not None:
            frames, change = picture[0].media, picture[1]
            changes.append(change)
            claims = forged_claims(Modality.VIDEO, change.spans, change.cue, change.m)
        if sound_name is not None and (heard := of_sound(sound_name)) is not None:
            sound, change = heard
            changes.append(change)
            sound_claims = forged_claims(Modality.AUDIO, change.spans, change.cue, change.m)
        # A forgery that did not show may leave what another already is.
        name = "+".join(change.recipe for change in changes)
        if changes and name not in {made.recipe for made in clips}:
            clips.append(clip(frames, sound, changes, (*claims, *sound_claims)))
    watched = [genuine[int(share * len(genuine))] for share in PRINTED]
    return Made(tuple(clips), tuple(p for frame in watched for p in picture_prints(frame)))
