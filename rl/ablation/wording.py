"""The table as Markdown and as JSON."""

from collections.abc import Mapping, Sequence

from moderation.calibration.estimate import Difference, Estimate
from moderation.cli.chapters.wording import counted, interval, number
from rl.ablation.figures import FIGURES
from rl.ablation.table import AblationTable, TableRow

ARROWS = {1: " ↑", -1: " ↓", 0: ""}
_INTERVALS = "95 % intervals by a bootstrap over sources and seeds"


def markdown(table: AblationTable) -> str:
    """The runs, then for each split the figures of all rows and their differences to the
    reference."""
    parts = ["# Ablation\n", _runs(table)]
    for split, items in table.items.items():
        sources = counted(table.sources[split], "source")
        parts.append(f"## {split}\n\n{counted(items, 'item')} of {sources}. Mean over seeds, ")
        parts[-1] += f"{_INTERVALS} ({table.draws:,} draws).\n"
        parts.append(_table([(row.name, row.splits[split]) for row in table.rows]))
        compared = [(r.name, r.differences[split]) for r in table.rows if r.differences]
        if compared:
            parts.append(f"Row less {table.reference}, paired, on the seeds that both have:\n")
            parts.append(_table(compared))
    return "\n".join(parts)


def headline(table: AblationTable, split: str) -> list[tuple[str, ...]]:
    """(row, mode, seeds, then figures) for a terminal, with a head line."""
    names = ("spearman", "mae", "crps", "auc", "scale_use")
    head = ("row", "mode", "seeds", *(FIGURES[name].label for name in names))
    lines = [
        (
            row.name,
            row.mode.value,
            str(len(row.seeds)) if row.seeds else "–",
            *(interval(row.splits[split].get(name)) for name in names),
        )
        for row in table.rows
    ]
    return [head, *lines]


def _runs(table: AblationTable) -> str:
    lines = [
        "| row | tested in | seeds | optimiser steps | generated tokens | wall minutes |",
        "|---|---|---:|---:|---:|---:|",
    ]
    lines += [_run_line(row) for row in table.rows]
    return "\n".join(lines) + "\n"


def _run_line(row: TableRow) -> str:
    seeds = str(len(row.seeds)) if row.seeds else "–"
    minutes = number(row.wall_seconds / 60, 1)
    return (
        f"| {_cell(row.name)} | {row.mode.value} mode | {seeds} | {row.steps:,.0f} "
        f"| {row.generated_tokens:,.0f} | {minutes} |"
    )


def _table(rows: Sequence[tuple[str, Mapping[str, Estimate] | Mapping[str, Difference]]]) -> str:
    names = [name for name in FIGURES if any(name in found for _, found in rows)]
    labels = [FIGURES[name].label + ARROWS[FIGURES[name].better] for name in names]
    lines = ["| row | " + " | ".join(labels) + " |", "|---|" + "---:|" * len(names)]
    for row, found in rows:
        cells = " | ".join(interval(found.get(name)) for name in names)
        lines.append(f"| {_cell(row)} | {cells} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """A cell may hold a bar, as in |s − y|, that does not end it."""
    return text.replace("|", "\\|")
