"""Which pairs a recipe asks for, from the media that are here. Order and chance by names only."""

import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rl.corpus.clips import FilmPair, Pair, PhotoPair, Utterance, VoicePair
from rl.corpus.codecs import film_duration
from rl.corpus.recipe import CorpusRecipe, Split, VoiceSource
from rl.corpus.seeds import generator_for, unit_for
from rl.corpus.sources import Photo, Recording, film, photos, recordings

DIGITS_PER_UTTERANCE = (4, 8)
SPEECH_COMMANDS = ("espeak-ng", "flite")


@dataclass(frozen=True, slots=True)
class Plan:
    """pairs: to be built. left_out: a sentence for each thing that is not here."""

    pairs: tuple[Pair, ...]
    left_out: tuple[str, ...]


def plan(recipe: CorpusRecipe, roots: Sequence[Path], cache: Path) -> Plan:
    """Look for the recipe's sources under `roots` and lay out the pairs."""
    left_out: list[str] = []
    photo_pairs = _photo_pairs(recipe, roots, left_out)
    utterances = _utterances(recipe, roots, left_out)
    voice_pairs = _voice_pairs(recipe, utterances, left_out)
    film_pairs = _film_pairs(recipe, roots, cache, utterances, left_out)
    return Plan((*photo_pairs, *voice_pairs, *film_pairs), tuple(left_out))


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
            names = [n for n in recipe.images.forgeries if n != "splice" or others]
            donor = others[int(rng.integers(len(others)))] if others else photo
            chosen = _choose(rng, names, _count(rng, recipe.images.forgeries_per_clip))
            pairs.append(
                PhotoPair(
                    pair_id=f"image/{photo.identity}",
                    source=photo.identity,
                    split=split,
                    licence=photo.licence,
                    path=photo.path,
                    donor=donor.path,
                    forgeries=chosen,
                )
            )
    return pairs


def _utterances(
    recipe: CorpusRecipe, roots: Sequence[Path], left_out: list[str]
) -> dict[Split, list[Utterance]]:
    by_split: dict[Split, list[Utterance]] = defaultdict(list)
    for source in recipe.audio.sources:
        found = recordings(source, roots)
        if not found:
            left_out.append(f"voice {source.name}: no {source.folder} ({source.origin})")
        by_split[source.split] += _of_speaker(source, found, recipe)
    return by_split


def _of_speaker(
    source: VoiceSource, found: Sequence[Recording], recipe: CorpusRecipe
) -> list[Utterance]:
    identity = f"voice/{source.speaker or source.name}"

    def utterance(name: str, parts: Sequence[Recording]) -> Utterance:
        return Utterance(
            name=f"{source.name}/{name}",
            source=identity,
            language=source.language,
            licence=source.licence,
            paths=tuple(part.path for part in parts),
            text=", ".join(part.text for part in parts),
        )

    if source.kind == "digits":
        rng = generator_for(recipe.seed, "digits", source.name)
        shuffled = [found[i] for i in rng.permutation(len(found))]
        made: list[Utterance] = []
        while len(made) < source.clips:
            size = int(rng.integers(*DIGITS_PER_UTTERANCE))
            parts, shuffled = shuffled[:size], shuffled[size:]
            if len(parts) < size:
                break
            made.append(utterance(f"{len(made):03d}", parts))
        return made
    shortest, longest = recipe.audio.seconds
    # The size of a file tells its length well enough: 16-bit samples at 8 kHz.
    bounds = (shortest * 16_000, longest * 16_000)
    fitting = [r for r in found if bounds[0] <= r.path.stat().st_size <= bounds[1]]
    ranked = sorted(fitting, key=lambda r: unit_for(recipe.seed, "prompt", source.name, r.name))
    return [utterance(r.name, [r]) for r in ranked[: source.clips]]


def _voice_pairs(
    recipe: CorpusRecipe, utterances: dict[Split, list[Utterance]], left_out: list[str]
) -> list[VoicePair]:
    missing = [
        name
        for name in recipe.audio.forgeries
        if name in SPEECH_COMMANDS and shutil.which(name) is None
    ]
    left_out += [f"forgery {name}: no such command (Debian package {name})" for name in missing]
    pairs: list[VoicePair] = []
    for split, members in utterances.items():
        for utterance in members:
            rng = generator_for(recipe.seed, "voice", utterance.name)
            names = [
                name
                for name in recipe.audio.forgeries
                if name not in missing and (name != "flite" or utterance.language == "en")
            ]
            chosen = _choose(rng, names, _count(rng, recipe.audio.forgeries_per_clip))
            pairs.append(VoicePair(f"audio/{utterance.name}", split, utterance, chosen))
    return pairs


def _film_pairs(
    recipe: CorpusRecipe,
    roots: Sequence[Path],
    cache: Path,
    utterances: dict[Split, list[Utterance]],
    left_out: list[str],
) -> list[FilmPair]:
    video = recipe.video
    pairs: list[FilmPair] = []
    sounds = [n for n in recipe.audio.forgeries if n in ("world", "griffin_lim", "espeak-ng")]
    if shutil.which("espeak-ng") is None:
        sounds = [name for name in sounds if name != "espeak-ng"]
    for source in video.sources:
        found = film(source, roots, cache)
        if found is None:
            left_out.append(f"film {source.name}: no {source.path} ({source.origin})")
            continue
        duration = film_duration(found.path)
        for index in range(source.clips):
            name = f"{source.name}/{index:03d}"
            rng = generator_for(recipe.seed, "film", name)
            seconds = round(float(rng.uniform(*video.seconds)), 3)
            room = max(0.0, duration - seconds - 0.3)
            start = round(room * index / max(1, source.clips - 1), 3)
            voices = utterances.get(source.split, [])
            voice = None
            if voices and rng.random() < video.soundtrack_probability:
                voice = voices[int(rng.integers(len(voices)))]
            forgeries: list[tuple[str | None, str | None]] = []
            for picture in _choose(rng, video.forgeries, _count(rng, video.forgeries_per_clip)):
                has_forged_sound = bool(
                    voice is not None
                    and sounds
                    and rng.random() < video.forged_soundtrack_probability
                )
                sound = str(rng.choice(sounds)) if has_forged_sound else None
                is_picture_kept = sound is not None and rng.random() < 0.4
                forgeries.append((None if is_picture_kept else picture, sound))
            pairs.append(
                FilmPair(
                    pair_id=f"video/{name}",
                    source=f"film/{source.name}",
                    split=source.split,
                    licence=source.licence,
                    path=found.path,
                    start_seconds=start,
                    seconds=seconds,
                    utterance=voice,
                    forgeries=tuple(forgeries),
                )
            )
    return pairs
