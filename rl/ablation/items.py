"""The items of an ablation: the same for every row and seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from moderation.app import build_extractor, build_sandbox
from moderation.progress import counted
from moderation.settings import Settings
from rl.ablation.recipe import AblationRecipe
from rl.ablation.table import CALIBRATION
from rl.corpus.manifest import read_manifest
from rl.data import Example, load_rows
from rl.preflight import TRAIN, VALIDATION, require_readable, require_rows


@dataclass(frozen=True, slots=True)
class AblationItems:
    """train, validation: as training takes them. tested: the splits that are tested, and the one
    that calibrators are fitted on."""

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    tested: tuple[Example, ...]


def load_items(
    recipe: AblationRecipe, corpus: Path, settings: Settings, *, console: Console
) -> AblationItems:
    """What the recipe's limits leave of each split, with the features kept beside the corpus.

    Raises:
        ConfigurationError: a split without rows, or a row that cannot be used.
    """
    limits = recipe.items
    wanted = {
        TRAIN: limits.train,
        VALIDATION: limits.validation,
        CALIBRATION: limits.calibration,
        **dict.fromkeys(recipe.splits, limits.test),
    }
    rows = read_manifest(corpus)
    require_rows(rows, corpus, {split: f"items of {split}" for split in wanted})
    kept = {split: limited(rows, split, count) for split, count in wanted.items()}
    chosen = [row for mine in kept.values() for row in mine]
    found: list[Example] = []
    with build_sandbox(settings) as sandbox:
        stream = load_rows(corpus, build_extractor(settings, sandbox), chosen)
        with counted(console, len(chosen), "files with features") as advance:
            for row, example in zip(chosen, stream, strict=True):
                found.append(require_readable(row["path"], example))
                advance()
    read = iter(found)
    by_split = {split: tuple(islice(read, len(mine))) for split, mine in kept.items()}
    tested = [e for split in (CALIBRATION, *recipe.splits) for e in by_split[split]]
    return AblationItems(
        train=by_split[TRAIN],
        validation=by_split[VALIDATION],
        tested=tuple(tested),
    )


def limited(
    rows: Sequence[Mapping[str, Any]], split: str, count: int | None
) -> list[dict[str, Any]]:
    """Rows of a split in their order: all of them, or whole pairs until there are `count`.

    Pairs are drawn alike whatever the run's seed, so that all runs see the same items.
    """
    mine = [dict(row) for row in rows if row["split"] == split]
    if count is None or len(mine) <= count:
        return mine
    pairs = sorted({(row["modality"], row["pair_id"]) for row in mine})
    sizes = dict.fromkeys(pairs, 0)
    for row in mine:
        sizes[row["modality"], row["pair_id"]] += 1
    kept: set[tuple[str, str]] = set()
    total = 0
    for place in np.random.default_rng(0).permutation(len(pairs)):
        pair = pairs[place]
        if total + sizes[pair] <= count:
            kept.add(pair)
            total += sizes[pair]
    return [row for row in mine if (row["modality"], row["pair_id"]) in kept]
