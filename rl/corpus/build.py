"""Builds a corpus: genuine media, and forgeries of each through the same codecs.

`moderation corpus build` is its command. Stop it at any time; the next run goes on where it was.
"""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from moderation.atomic import write_bytes
from moderation.progress import counted
from rl.corpus.clips import Pair
from rl.corpus.contact_sheet import choose_rows, contact_sheet
from rl.corpus.data_card import CARD_NAME, data_card
from rl.corpus.leaks import Origins, require_no_leak
from rl.corpus.manifest import NAME, write_manifest
from rl.corpus.pair_store import Outcome, build_pair
from rl.corpus.plan import plan
from rl.corpus.recipe import SPLITS, CorpusRecipe
from rl.corpus.seeds import unit_for
from rl.worker_pool import worker_pool

# A few pairs at a time go to the pool, so that an interrupt finds little under way.
PAIRS_AHEAD_PER_WORKER = 4
MODALITIES = ("image", "audio", "video")
# On a contact sheet.
FORGERIES_SHOWN = 18


@dataclass(frozen=True, slots=True)
class Built:
    """manifest: its path. rows: all of it. left_out: what was absent or failed, in sentences."""

    manifest: Path
    rows: tuple[dict[str, Any], ...]
    left_out: tuple[str, ...]
    pairs_new: int


def build(
    recipe: CorpusRecipe,
    out: Path,
    roots: Sequence[Path],
    *,
    workers: int = 1,
    console: Console | None = None,
) -> Built:
    """Build what `recipe` asks for into `out`: media, masks, manifest, data card, contact sheets.

    workers: processes; 1 builds in this one.

    Raises:
        LeakError: something is in two splits; there is no manifest then.
        ConfigurationError: a section of the recipe has no media under `roots`.
    """
    console = console or Console(stderr=True, quiet=True)
    laid_out = plan(recipe, roots, out / "sources")
    for sentence in laid_out.left_out:
        console.print(f"[yellow]left out[/yellow] {sentence}", highlight=False)
    rows: list[dict[str, Any]] = []
    origins: list[Origins] = []
    failures: list[str] = []
    pairs_new = 0
    # Mixed, so that the time left is foreseen well: films take longest.
    ordered = sorted(laid_out.pairs, key=lambda pair: unit_for("order", pair.pair_id))
    with counted(console, len(laid_out.pairs), "pairs") as advance:
        for outcome in _outcomes(ordered, recipe, out, workers):
            rows += outcome.rows
            pairs_new += outcome.is_new
            if outcome.origins is not None:
                origins.append(outcome.origins)
            if outcome.failure is not None:
                failures.append(f"{outcome.pair_id}: {outcome.failure}")
            advance()
    for sentence in sorted(failures):
        console.print(f"[yellow]failed[/yellow] {sentence}", highlight=False)
    # The processes end in any order; what is written must not depend on it.
    rows.sort(key=lambda row: row["path"])
    origins.sort(key=lambda origin: origin.pair_id)
    (out / NAME).unlink(missing_ok=True)
    require_no_leak(rows, origins)
    left_out = (*laid_out.left_out, *sorted(failures))
    _remove_stale(out, rows)
    for modality in MODALITIES:
        _write_sheet(rows, out, modality)
    write_bytes(out / CARD_NAME, data_card(recipe, rows, origins, left_out).encode("utf-8"))
    manifest = write_manifest(rows, out)
    return Built(manifest, tuple(rows), left_out, pairs_new)


def _write_sheet(rows: Sequence[dict[str, Any]], out: Path, modality: str) -> None:
    chosen = choose_rows(rows, modality, FORGERIES_SHOWN)
    target = out / f"contact-{modality}.png"
    target.unlink(missing_ok=True)
    if chosen:
        buffer = io.BytesIO()
        contact_sheet(out, chosen, modality).save(buffer, "PNG")
        write_bytes(target, buffer.getvalue())


def _remove_stale(out: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Delete media of earlier recipes, so that the folder holds what its manifest says."""
    wanted = {row[column] for row in rows for column in ("path", "mask")}
    for folder in ("media", "masks"):
        for path in (out / folder).glob("*/*"):
            if path.relative_to(out).as_posix() not in wanted:
                path.unlink()


def _outcomes(
    pairs: Sequence[Pair], recipe: CorpusRecipe, out: Path, workers: int
) -> Iterator[Outcome]:
    if workers <= 1:
        for pair in pairs:
            yield build_pair(pair, recipe, out)
        return
    pool = worker_pool(workers)
    try:
        waiting = iter(pairs)
        running = set()
        for pair in waiting:
            running.add(pool.submit(build_pair, pair, recipe, out))
            if len(running) >= workers * PAIRS_AHEAD_PER_WORKER:
                done = next(as_completed(running))
                running.discard(done)
                yield done.result()
        for done in as_completed(running):
            yield done.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def count_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Genuine and forged files by split and modality."""
    counts = Counter((row["split"], row["modality"], row["is_manipulated"]) for row in rows)
    table = Table("split", *MODALITIES, title=f"{len(rows):,} files, genuine + forged")
    for split in SPLITS:
        cells = [f"{counts[split, m, False]} + {counts[split, m, True]}" for m in MODALITIES]
        table.add_row(split, *cells)
    return table
