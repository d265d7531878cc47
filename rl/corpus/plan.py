"""Which pairs a recipe asks for, from the media that are here. Order and chance by names only."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from moderation.errors import ConfigurationError
from rl.corpus.clips import FilmPair, Pair, PhotoPair, Utterance, VoicePair
from rl.corpus.codecs import film_duration
from rl.corpus.forgeries.speech import COMMANDS, FESTIVAL_VOICES, installed_voices
from rl.corpus.recipe import CorpusRecipe, FilmSource, Source, Split, forgeries_of
from rl.corpus.seeds import generator_for, unit_for
from rl.corpus.sources import Photo, film, films, photos
from rl.corpus.utterances import utterances

SPLICE_SUFFIX = "_splice"
# A film's stated length may be that much too long.
END_SECONDS = 0.3
FILM_SECONDS_MIN = 1.0 + END_SECONDS
# What can be done to a voice under a film.
SOUNDTRACK_FORGERIES = ("world", "griffin_lim", "lpc", "espeak-ng", "festival")


@dataclass(frozen=True, slots=True)
class Plan:
    """pairs: to be built. left_out: a sentence for each thing that is not here."""

    pairs: tuple[Pair, ...]
    left_out: tuple[str, ...]


def plan(recipe: CorpusRecipe, roots: Sequence[Path], cache: Path) -> Plan:
    """Look for the recipe's sources under `roots` and lay out the pairs.

    Raises:
        ConfigurationError: a section of the recipe names sources, and none of them is here.
    """
    left_out = _absent_engines(recipe)
    photo_pairs = _photo_pairs(recipe, roots, left_out)
    by_split = utterances(recipe, roots, left_out)
    voice_pairs = _voice_pairs(recipe, by_split)
    film_pairs = _film_pairs(recipe, roots, cache, by_split, left_out)
    _require_media("images", recipe.images.sources, photo_pairs, roots)
    _require_media("audio", (*recipe.audio.sources, *recipe.audio.folders), voice_pairs, roots)
    _require_media("video", (*recipe.video.sources, *recipe.video.folders), film_pairs, roots)
    return Plan((*photo_pairs, *voice_pairs, *film_pairs), tuple(left_out))


def _require_media(
    section: str, named: Sequence[Source], pairs: Sequence[Pair], roots: Sequence[Path]
) -> None:
    if named and not pairs:
        raise ConfigurationError(
            f"none of the sources of [{section}] is here",
            expected="at least one, under " + ", ".join(str(root) for root in roots),
            remedy="Fetch them with `moderation corpus fetch`, or say where they lie: --sources.",
        )


def engine_of(forgery: str) -> str | None:
    """The speech engine that a forgery of sound needs, or None."""
    engine = forgery.removesuffix(SPLICE_SUFFIX)
    return engine if engine in COMMANDS else None


def _absent_engines(recipe: CorpusRecipe) -> list[str]:
    named = (*recipe.audio.forgeries, *recipe.audio.unseen_forgeries)
    engines = sorted({engine for name in named if (engine := engine_of(name)) is not None})
    absent = [
        f"forgeries by {engine}: no command {COMMANDS[engine]}, or no voice of it"
        for engine in engines
        if not installed_voices(engine, "en")
    ]
    wanted = recipe.audio.voices.get("festival", FESTIVAL_VOICES) if "festival" in engines else ()
    voices = set(wanted) - set(installed_voices("festival", "en"))
    return [*absent, *(f"festival's voice {voice}: not installed" for voice in sorted(voices))]


def possible_forgeries(recipe: CorpusRecipe, split: Split, utterance: Utterance) -> tuple[str, ...]:
    """Of the recipe's forgeries of sound, those that this machine can make of an utterance."""

    def is_possible(name: str) -> bool:
        engine = engine_of(name)
        if engine is None:
            return True
        allowed = recipe.audio.voices.get(engine, ())
        found = installed_voices(engine, utterance.language)
        return bool(utterance.text) and any(not allowed or v in allowed for v in found)

    return tuple(name for name in forgeries_of(recipe.audio, split) if is_possible(name))


def _count(rng: np.random.Generator, bounds: tuple[int, int]) -> int:
    return int(rng.integers(bounds[0], bounds[1] + 1))


def _choose(rng: np.random.Generator, names: Sequence[str], count: int) -> tuple[str, ...]:
    """`count` different names, or all of them."""
    order = rng.permutation(len(names))[:count]
    return tuple(names[i] for i in order)


def _photo_pairs(
    recipe: CorpusRecipe, roots: Sequence[Path], left_out: list[str]
) -> list[PhotoPair]:
    by_split: dict[Split, list[Photo]] = defaultdict(list)
    for source in recipe.images.sources:
        found = photos(source, roots, recipe.seed)
        if not found:
            left_out.append(f"photographs {source.name}: no {source.folder} ({source.origin})")
        for photo in found:
            by_split[photo.split].append(photo)
    pairs: list[PhotoPair] = []
    for split, members in by_split.items():
        for photo in members:
            rng = generator_for(recipe.seed, "photo", photo.identity)
            others = [other for other in members if other is not photo]
            allowed = forgeries_of(recipe.images, split)
            names = [name for name in allowed if name != "splice" or others]
            donor = others[int(rng.integers(len(others)))] if others else photo
            chosen = _choose(rng, names, _count(rng, recipe.images.forgeries_per_clip))
            pair = PhotoPair(
                pair_id=f"image/{photo.identity}",
                source=photo.identity,
                split=split,
                licence=photo.licence,
                path=photo.path,
                donor=donor.path,
                forgeries=chosen,
                collection=photo.collection,
                draws=f"image/{photo.identity}",
            )
            pairs.append(pair)
            if unit_for(recipe.seed, "overlay", pair.pair_id) < recipe.images.weak.overlay:
                pairs.append(
                    replace(
                        pair,
                        pair_id=f"{pair.pair_id}/overlay",
                        forgeries=chosen[:1],
                        has_overlay=True,
                    )
                )
    return pairs


def _voice_pairs(
    recipe: CorpusRecipe, by_split: Mapping[Split, Sequence[Utterance]]
) -> list[VoicePair]:
    pairs: list[VoicePair] = []
    for split, members in by_split.items():
        for utterance in members:
            rng = generator_for(recipe.seed, "voice", utterance.name)
            names = possible_forgeries(recipe, split, utterance)
            chosen = _choose(rng, names, _count(rng, recipe.audio.forgeries_per_clip))
            pairs.append(VoicePair(f"audio/{utterance.name}", split, utterance, chosen))
    return pairs


def _film_pairs(
    recipe: CorpusRecipe,
    roots: Sequence[Path],
    cache: Path,
    by_split: Mapping[Split, Sequence[Utterance]],
    left_out: list[str],
) -> list[FilmPair]:
    listed = list(recipe.video.sources)
    for folder in recipe.video.folders:
        members = films(folder, roots, recipe.seed)
        if not members:
            left_out.append(f"films {folder.name}: no {folder.folder} ({folder.origin})")
        listed += members
    pairs: list[FilmPair] = []
    for source in listed:
        found = film(source, roots, cache)
        if found is None:
            left_out.append(f"film {source.name}: no {source.path} ({source.origin})")
            continue
        duration = film_duration(found.path)
        if duration < FILM_SECONDS_MIN:
            left_out.append(f"film {source.name}: lasts only {duration:.1f} s")
            continue
        for index in range(source.clips):
            pair = _film_pair(recipe, source, found.path, duration, index, by_split)
            pairs.append(pair)
            if unit_for(recipe.seed, "overlay", pair.pair_id) < recipe.video.weak.overlay:
                pairs.append(
                    replace(
                        pair,
                        pair_id=f"{pair.pair_id}/overlay",
                        forgeries=pair.forgeries[:1],
                        has_overlay=True,
                    )
                )
    return pairs


def _film_pair(
    recipe: CorpusRecipe,
    source: FilmSource,
    path: Path,
    duration: float,
    index: int,
    by_split: Mapping[Split, Sequence[Utterance]],
) -> FilmPair:
    video = recipe.video
    name = f"{source.name}/{index:03d}"
    rng = generator_for(recipe.seed, "film", name)
    seconds = min(round(float(rng.uniform(*video.seconds)), 3), round(duration - END_SECONDS, 3))
    room = max(0.0, duration - seconds - END_SECONDS)
    voices = by_split.get(source.split, [])
    voice = None
    if voices and rng.random() < video.soundtrack_probability:
        voice = voices[int(rng.integers(len(voices)))]
    sounds: tuple[str, ...] = ()
    if voice is not None:
        possible = possible_forgeries(recipe, source.split, voice)
        sounds = tuple(sound for sound in possible if sound in SOUNDTRACK_FORGERIES)
    allowed = forgeries_of(video, source.split)
    names = [forgery for forgery in allowed if forgery != "av_offset" or voice is not None]
    forgeries: list[tuple[str | None, str | None]] = []
    for chosen in _choose(rng, names, _count(rng, video.forgeries_per_clip)):
        if chosen == "av_offset":
            forgeries.append((None, chosen))
            continue
        has_forged_sound = bool(sounds and rng.random() < video.forged_soundtrack_probability)
        sound = str(rng.choice(sounds)) if has_forged_sound else None
        is_picture_kept = sound is not None and rng.random() < 0.4
        forgeries.append((None if is_picture_kept else chosen, sound))
    return FilmPair(
        pair_id=f"video/{name}",
        source=f"film/{source.subject or source.name}",
        split=source.split,
        licence=source.licence,
        path=path,
        start_seconds=round(room * index / max(1, source.clips - 1), 3),
        seconds=seconds,
        utterance=voice,
        forgeries=tuple(forgeries),
        collection=source.collection_name,
        draws=f"video/{name}",
    )
