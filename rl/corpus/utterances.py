"""Utterances of a speaker: single prompts, or several recordings that follow one another."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from rl.corpus.clips import Utterance
from rl.corpus.codecs import sound_seconds
from rl.corpus.recipe import CorpusRecipe, Split, VoiceSource
from rl.corpus.seeds import generator_for, unit_for
from rl.corpus.sources import Recording, recordings, speakers

DIGITS_PER_UTTERANCE = (4, 8)
JOIN_GAP_SECONDS = 0.09


def utterances(
    recipe: CorpusRecipe, roots: Sequence[Path], left_out: list[str]
) -> dict[Split, list[Utterance]]:
    """All utterances by split; a sentence goes to `left_out` for each source that is absent."""
    by_split: dict[Split, list[Utterance]] = defaultdict(list)
    listed = list(recipe.audio.sources)
    for folder in recipe.audio.folders:
        found = speakers(folder, roots, recipe.seed)
        if not found:
            left_out.append(f"voices {folder.name}: no {folder.folder} ({folder.origin})")
        listed += found
    for source in listed:
        members = recordings(source, roots)
        if not members:
            left_out.append(f"voice {source.name}: no {source.folder} ({source.origin})")
        by_split[source.split] += of_speaker(source, members, recipe)
    return by_split


def of_speaker(
    source: VoiceSource, found: Sequence[Recording], recipe: CorpusRecipe
) -> list[Utterance]:
    """At most `clips` utterances; no recording is in two of them."""
    if source.joined or source.kind in ("letters", "words"):
        return _joined(source, found, recipe)
    if source.kind == "digits":
        return _digits(source, found, recipe)
    shortest, longest = recipe.audio.seconds
    # The size of a file tells its length well enough: 16-bit samples at 8 kHz.
    bounds = (shortest * 16_000, longest * 16_000)
    fitting = [r for r in found if bounds[0] <= r.path.stat().st_size <= bounds[1]]
    ranked = sorted(fitting, key=lambda r: unit_for(recipe.seed, "prompt", source.name, r.name))
    return [_utterance(source, r.name, [r]) for r in ranked[: source.clips]]


def _utterance(source: VoiceSource, name: str, parts: Sequence[Recording]) -> Utterance:
    return Utterance(
        name=f"{source.name}/{name}",
        source=f"voice/{source.speaker or source.name}",
        language=source.language,
        licence=source.licence,
        paths=tuple(part.path for part in parts),
        texts=tuple(part.text for part in parts),
        collection=source.collection_name,
    )


def _digits(
    source: VoiceSource, found: Sequence[Recording], recipe: CorpusRecipe
) -> list[Utterance]:
    rng = generator_for(recipe.seed, "digits", source.name)
    shuffled = [found[i] for i in rng.permutation(len(found))]
    made: list[Utterance] = []
    while len(made) < source.clips:
        size = int(rng.integers(*DIGITS_PER_UTTERANCE))
        parts, shuffled = shuffled[:size], shuffled[size:]
        if len(parts) < size:
            break
        made.append(_utterance(source, f"{len(made):03d}", parts))
    return made


def _joined(
    source: VoiceSource, found: Sequence[Recording], recipe: CorpusRecipe
) -> list[Utterance]:
    """Recordings in random order, taken until a length drawn from the recipe's is reached."""
    rng = generator_for(recipe.seed, "joined", source.name)
    shortest, longest = recipe.audio.seconds
    made: list[Utterance] = []
    parts: list[Recording] = []
    reached, wanted = 0.0, float(rng.uniform(shortest, longest))
    for index in rng.permutation(len(found)):
        seconds = sound_seconds(found[index].path)
        if seconds > longest or len(made) == source.clips:
            continue
        parts.append(found[index])
        reached += seconds + JOIN_GAP_SECONDS
        if reached >= wanted:
            made.append(_utterance(source, f"{len(made):03d}", parts))
            parts, reached, wanted = [], 0.0, float(rng.uniform(shortest, longest))
    return made
