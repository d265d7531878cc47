"""The data card: what a corpus holds, of what origin, under which licence, and what is missing."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rl.corpus.fingerprints import PICTURE_BITS_MAX, SHARED_LANDMARKS_MIN
from rl.corpus.leaks import Origins
from rl.corpus.recipe import SPLITS, CorpusRecipe, Source

CARD_NAME = "data-card.md"
ENGINES = ("espeak-ng", "festival", "flite")
Row = Mapping[str, Any]


def _table(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)


def generators(rows: Iterable[Row]) -> set[tuple[str, str]]:
    """(recipe, generator) of every forgery; a file with two counts for both."""
    found: set[tuple[str, str]] = set()
    for row in rows:
        if row["is_manipulated"]:
            names = row["recipe"].split("+"), row["generator"].split(" + ")
            found |= set(zip(*names, strict=True))
    return found


def engine(generator: str) -> str:
    """The engine behind a generator: a speech engine without its voice, else the name itself."""
    return next((name for name in ENGINES if generator.startswith(f"{name}_")), generator)


def hours(rows: Iterable[Row]) -> float:
    """Duration of the rows together."""
    return sum(float(row["duration_seconds"]) for row in rows) / 3600.0


def _by_split(rows: Sequence[Row]) -> str:
    lines = []
    for split in SPLITS:
        for modality in ("image", "audio", "video"):
            members = [r for r in rows if (r["split"], r["modality"]) == (split, modality)]
            if not members:
                continue
            forged = sum(r["is_manipulated"] for r in members)
            sources = len({r["source"] for r in members})
            made = len({(r, engine(g)) for r, g in generators(members)})
            counts = (len(members) - forged, forged, f"{hours(members):.2f}", sources, made)
            lines.append((split, modality, *counts))
    head = ("split", "modality", "genuine", "forged", "hours", "sources", "recipes and engines")
    return _table(head, lines)


def _by_generator(rows: Sequence[Row]) -> str:
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for row in rows:
        for recipe, generator in generators([row]):
            counts[row["modality"], recipe, engine(generator), row["split"]] += 1
    keys = sorted({key[:3] for key in counts})
    head = ("modality", "recipe", "generator or engine", *SPLITS)
    return _table(head, [(*key, *(counts[(*key, split)] for split in SPLITS)) for key in keys])


def _sources(recipe: CorpusRecipe, rows: Sequence[Row], origins: Sequence[Origins]) -> str:
    files: dict[str, set[str]] = defaultdict(set)
    for origin in origins:
        modality, name = origin.pair_id.split("/")[:2]
        used = list(origin.files.values())
        # After a photograph or a film come the donor or the voices, which other sources lent.
        files[name].update(used if modality == "audio" else used[:1])
    listed: tuple[Source, ...] = (
        *recipe.images.sources,
        *recipe.audio.sources,
        *recipe.audio.folders,
        *recipe.video.sources,
        *recipe.video.folders,
    )
    lines = []
    for source in listed:
        name = source.name.split("/")[0]
        if name in files:
            text = "\n".join(sorted(files[name]))
            digest = hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
            place = (source.collection_name, source.origin, source.licence)
            lines.append((source.name, *place, len(files[name]), f"`{digest}`"))
    return _table(("source", "collection", "origin", "licence", "files", "SHA-256"), lines)


def data_card(
    recipe: CorpusRecipe,
    rows: Sequence[Row],
    origins: Sequence[Origins],
    left_out: Sequence[str],
) -> str:
    """Markdown; the same text for the same corpus."""
    made = generators(rows)
    engines = {(name, engine(generator)) for name, generator in made}
    seconds = Counter[str]()
    for row in rows:
        seconds[row["modality"]] += row["duration_seconds"]
    forged = sum(row["is_manipulated"] for row in rows)
    weak = Counter(part.split()[0] for row in rows for part in row["quality"].split("; ") if part)
    quiet = "\n".join(f"- {sentence}" for sentence in left_out) or "Nothing."
    return f"""# Corpus {recipe.name}

{len(rows):,} files: {len(rows) - forged:,} genuine, {forged:,} forged, seed {recipe.seed}.
{seconds["audio"] / 3600:.2f} hours of audio, {seconds["video"] / 3600:.2f} hours of video,
{sum(row["modality"] == "image" for row in rows):,} pictures,
from {len({row["source"] for row in rows}):,} sources.

Generators: {len(engines)} pairs of recipe and engine; {len(made)} where each voice of a speech
engine counts for itself.

The label is y = 9 (1 - m^{recipe.gamma}); m is the share of time times the root of the area times
the distance to the original. Both members of a pair have one length, one codec and the same weak
operations. Forgeries are made by simple programs: a judge that knows them does not thereby know
the generators of today. Voices are laid under films, so a moved sound shows by its seams and not
by lips.

## Splits

A source (a photograph, a speaker, a film) is in one split only. In-domain: other sources of the
collections of training. Unseen generators: such sources, forged by recipes that no other split
has. Unseen sources: collections that no other split has, forged as in training. Checked when
built: equal files, pictures within {PICTURE_BITS_MAX} of 256 PDQ bits (mirrored too), sounds that
share {SHARED_LANDMARKS_MIN} landmarks at one offset.

{_by_split(rows)}

## Recipes and generators

A film whose picture and sound are both forged counts twice.

{_by_generator(rows)}

## Weak operations

Files that carry each; the label does not change.

{_table(("operation", "files"), sorted(weak.items()))}

## Sources

The digest is over the SHA-256 of the genuine files used.

{_sources(recipe, rows, origins)}

## Left out

{quiet}
"""
