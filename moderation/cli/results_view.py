"""How a batch looks: progress while it runs, then a table for people or JSON for machines."""

import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from encoders.provenance.types import ManifestState, Provenance
from moderation.cli.batch import BatchOutcome, Watch
from moderation.cli.batch_progress import batch_progress
from moderation.cli.text import duration, printable, score_bar, score_colour, span
from moderation.results import RunContext, json_line, to_row
from moderation.types import ItemResult, Strength

PIPE_WIDTH = 160
ROWS_SHOWN = 1000


def output_console() -> Console:
    """Standard output; wide enough for a row when it is no terminal."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        return Console(highlight=False, markup=False, emoji=False, width=PIPE_WIDTH)
    return console


class ResultsView:
    """Shows one batch."""

    def __init__(
        self, context: RunContext, *, as_json: bool, is_sorted: bool, out: Path | None
    ) -> None:
        self._context = context
        self._as_json = as_json
        self._is_sorted = is_sorted
        self._out = out

    @contextmanager
    def following(self) -> Iterator[tuple[Watch, Callable[[ItemResult], None]]]:
        """Progress on standard error, if that is a terminal; JSON lines as results come."""
        with batch_progress(Console(stderr=True)) as watch:
            yield watch, self._on_result

    def _on_result(self, result: ItemResult) -> None:
        if self._as_json and not self._is_sorted:
            self._print_json(result)

    def show(self, outcome: BatchOutcome) -> None:
        """The results and a closing line."""
        results = outcome.results
        if self._is_sorted:
            results = tuple(sorted(results, key=_by_score))
        if not self._as_json:
            console = output_console()
            shown = results if self._out is None else results[:ROWS_SHOWN]
            if shown:
                console.print(_table(shown, console))
            if len(shown) < len(results):
                console.print(f"… and {len(results) - len(shown)} more in {self._out}")
        elif self._is_sorted:
            for result in results:
                self._print_json(result)
        # The closing line is for people: beside JSON it goes to standard error.
        sys.stdout.flush()
        closing = Console(stderr=True, highlight=False) if self._as_json else output_console()
        closing.print(self._closing_line(outcome), soft_wrap=True)

    def _print_json(self, result: ItemResult) -> None:
        print(json_line(to_row(result, self._context)), flush=True)

    def _closing_line(self, outcome: BatchOutcome) -> Text:
        counts = [f"{outcome.scored} scored", f"{outcome.failed} failed"]
        if outcome.duplicates:
            counts.append(f"{outcome.duplicates} with the bytes of another")
        if outcome.kept:
            counts.append(f"{outcome.kept} kept from before")
        if outcome.made > 1 and outcome.seconds > 0:
            counts.append(f"{outcome.items_per_second:.2f} items/s")
        line = Text(", ".join(counts))
        if outcome.is_interrupted or outcome.unwritten:
            rest = outcome.inputs - len(outcome.results)
            why = "Interrupted" if outcome.is_interrupted else "Stopped"
            line = Text(f"{why} with {rest} to go: ").append(line)
        if self._out is not None and outcome.results and not outcome.unwritten:
            where = f"{printable(str(self._out))}"
            line.append(f"; written to {where}" if outcome.is_written else self._unwritten(where))
            if outcome.is_interrupted:
                line.append("; go on with --resume")
        return line

    @staticmethod
    def _unwritten(where: str) -> str:
        return f"; {where} left as it was, finished rows are in {where}.partial.jsonl"


def _by_score(result: ItemResult) -> float:
    # Lowest, most suspicious, first; failed rows last. sorted() is stable.
    return result.judgment.expected_score if result.judgment else math.inf


def _table(results: tuple[ItemResult, ...], console: Console) -> Table:
    unicode = console.encoding.lower().startswith("utf")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("0       9", no_wrap=True, min_width=9)
    table.add_column("file", overflow="fold", ratio=2)
    table.add_column("kind", no_wrap=True)
    table.add_column("length", justify="right", no_wrap=True)
    table.add_column("evidence", overflow="fold", ratio=3)
    for result in results:
        judgment = result.judgment
        if judgment:
            colour = score_colour(judgment.expected_score)
            filled, empty = score_bar(judgment.expected_score, unicode=unicode)
            score = Text(f"{judgment.expected_score:.2f}", style=f"bold {colour}")
            bar = Text(filled, style=colour).append(empty, style="dim")
        else:
            score, bar = Text("–" if unicode else "-"), Text("failed", style="bold reverse")
        table.add_row(
            score,
            bar,
            Text(printable(result.path)),
            str(result.modality or ""),
            duration(result.duration_seconds),
            _evidence(result),
        )
    return table


def _declared(provenance: Provenance | None) -> list[str]:
    """What the file says of itself, where it says anything."""
    if provenance is None:
        return []
    parts = []
    if provenance.manifest not in (ManifestState.ABSENT, ManifestState.UNCHECKED):
        parts.append(f"C2PA manifest: {provenance.manifest}")
    if provenance.declares_synthetic:
        parts.append(f"says of itself: {', '.join(map(printable, provenance.source_types))}")
    return parts


def _evidence(result: ItemResult) -> Text:
    """What a person needs beside the score, in one cell."""
    if result.error:
        error = result.error
        text = Text(printable(error.code), style="bold")
        text.append(f": {printable(error.found)}", style="not bold")
        return text.append(f". {printable(error.remedy)}", style="not bold dim")
    parts: list[str] = []
    if result.duplicate_of is not None:
        parts.append(f"same bytes as {printable(result.duplicate_of)}")
    rationale = result.judgment.rationale if result.judgment else None
    if rationale:
        parts += [
            f"{claim.strength} {printable(claim.cue)} ({claim.modality}, {span(claim.span)})"
            for claim in rationale.claims
            if claim.strength is not Strength.CLEAN
        ]
    if result.unusual_signals:
        parts.append("unusual: " + ", ".join(map(printable, result.unusual_signals)))
    parts += _declared(result.provenance)
    parts += [f"note: {printable(note)}" for note in result.notes]
    return Text("; ".join(parts))
