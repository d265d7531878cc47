"""Training examples: a corpus manifest's rows with the features that serving would compute."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from encoders.types import DecodedMedia, MediaFeatures, Modality, Span
from moderation.errors import ConfigurationError, TypedError
from moderation.extraction import Extractor
from moderation.types import LEVELS_K, Claim, Strength
from rl.corpus.manifest import read_manifest
from rl.feature_store import FeatureStore

LENGTH_POOL = 16
"""Batches whose pairs are sorted by length together: more would spoil the order of chance."""


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled item.

    y: authenticity in [0, 9]. source: identity that a split never cuts. pair_id: shared by a
    genuine item and the forgeries made of it.
    """

    path: str
    features: MediaFeatures
    y: float
    is_manipulated: bool
    recipe: str
    source: str
    pair_id: str
    split: str
    claims: tuple[Claim, ...]

    def __post_init__(self) -> None:
        if not 0.0 <= self.y <= LEVELS_K - 1:
            raise ConfigurationError(
                f"label y = {self.y} of {self.path}",
                expected="a number from 0 (fabricated) to 9 (authentic)",
                remedy="Correct the row in the manifest.",
            )

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """What a rationale has to speak of: the picture, then the sound."""
        found: list[Modality] = []
        for sequence in self.features.sequences:
            if sequence.modality not in found:
                found.append(sequence.modality)
        return tuple(found)


def load_examples(
    corpus: Path, extractor: Extractor, *, splits: Sequence[str], workers: int = 2
) -> Iterator[Example | TypedError]:
    """Examples of the named splits in manifest order, or why a file could not be read.

    Features are those kept beside the corpus where they were computed before.
    """
    rows = [row for row in read_manifest(corpus) if row["split"] in splits]
    return load_rows(corpus, extractor, rows, workers=workers)


def load_rows(
    corpus: Path, extractor: Extractor, rows: Sequence[dict[str, Any]], *, workers: int = 2
) -> Iterator[Example | TypedError]:
    """The same for chosen rows of a corpus's manifest."""
    store = FeatureStore(corpus, extractor)
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(rows), 16):
            chunk = rows[start : start + 16]
            for row, features in zip(
                chunk, _features(corpus, extractor, store, chunk, pool), strict=True
            ):
                yield features if isinstance(features, TypedError) else _example(row, features)


def _features(
    corpus: Path,
    extractor: Extractor,
    store: FeatureStore,
    rows: Sequence[dict[str, Any]],
    pool: ThreadPoolExecutor,
) -> list[MediaFeatures | TypedError]:
    found: list[MediaFeatures | TypedError | None] = [store.get(row["sha256"]) for row in rows]
    wanted = [place for place, features in enumerate(found) if features is None]
    paths = [corpus / rows[place]["path"] for place in wanted]
    media = list(pool.map(lambda path: _decode(extractor, path), paths))
    encoded = iter(extractor.encode([item for item in media if not isinstance(item, TypedError)]))
    for place, item in zip(wanted, media, strict=True):
        features = item if isinstance(item, TypedError) else next(encoded)
        if isinstance(features, MediaFeatures):
            store.put(features)
        found[place] = features
    return [features for features in found if features is not None]


def _decode(extractor: Extractor, path: Path) -> DecodedMedia | TypedError:
    try:
        return extractor.decode(path)
    except TypedError as error:
        return error


def _example(row: dict[str, Any], features: MediaFeatures) -> Example:
    return Example(
        path=row["path"],
        features=features,
        y=float(row["y"]),
        is_manipulated=bool(row["is_manipulated"]),
        recipe=row["recipe"],
        source=row["source"],
        pair_id=row["pair_id"],
        split=row["split"],
        claims=tuple(
            Claim(
                Modality(claim["modality"]),
                Span(claim["start"], max(claim["start"], claim["end"])),
                claim["cue"],
                Strength(claim["strength"]),
            )
            for claim in row["claims"] or ()
            if claim["strength"] != Strength.CLEAN
        ),
    )


def paired_batches(
    examples: Sequence[Example],
    *,
    size: int,
    generator: np.random.Generator,
    lengths: Sequence[int] | None = None,
) -> list[list[int]]:
    """Indices in batches of one modality, a genuine item beside the forgeries made of it.

    Batches hold whole pairs, so they vary a little around `size`. lengths: tokens of each example;
    with them, pairs of like length share a batch, as far as `LENGTH_POOL` batches' worth of drawn
    pairs allow.
    """
    pairs: dict[tuple[str, str], list[int]] = {}
    for index, example in enumerate(examples):
        key = (example.features.modality.value, example.pair_id)
        pairs.setdefault(key, []).append(index)
    batches: list[list[int]] = []
    for modality in sorted({key[0] for key in pairs}):
        keys = sorted(key for key in pairs if key[0] == modality)
        drawn = [pairs[keys[place]] for place in generator.permutation(len(keys))]
        if lengths is not None:
            drawn = _by_length(drawn, lengths, pool_items=LENGTH_POOL * size)
        batch: list[int] = []
        for pair in drawn:
            batch = batch + pair
            if len(batch) >= size:
                batches.append(batch)
                batch = []
        if batch:
            batches.append(batch)
    return [batches[i] for i in generator.permutation(len(batches))]


def _by_length(
    pairs: Sequence[list[int]], lengths: Sequence[int], *, pool_items: int
) -> list[list[int]]:
    """The pairs pool by pool, each pool in order of its pairs' longest."""
    ordered: list[list[int]] = []
    pool: list[list[int]] = []
    for place, pair in enumerate(pairs):
        pool.append(pair)
        if sum(map(len, pool)) >= pool_items or place == len(pairs) - 1:
            ordered += sorted(pool, key=lambda pair: max(lengths[i] for i in pair))
            pool = []
    return ordered
