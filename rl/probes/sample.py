"""A sample of a manifest's rows: whole pairs, so that both classes of each source are in it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rl.corpus.seeds import unit_for

Row = Mapping[str, Any]


def sample_pairs(rows: Sequence[Row], pairs_a_modality: int, *, seed: int = 0) -> list[Row]:
    """All rows of up to this many pairs of each modality, in the order of `rows`.

    Pairs are taken from the sources in turn, so that no source crowds out another; which pairs
    depends on names and the seed only.
    """
    chosen: set[tuple[str, str]] = set()
    for modality in sorted({row["modality"] for row in rows}):
        by_source: dict[str, set[str]] = {}
        for row in rows:
            if row["modality"] == modality:
                by_source.setdefault(row["source"], set()).add(row["pair_id"])
        queue = sorted(
            (turn, unit_for(seed, source), pair)
            for source, pairs in by_source.items()
            for turn, pair in enumerate(sorted(pairs, key=lambda name: unit_for(seed, name)))
        )
        chosen |= {(modality, pair) for _, _, pair in queue[:pairs_a_modality]}
    return [row for row in rows if (row["modality"], row["pair_id"]) in chosen]
