"""The chapter on slices: the worst of each column beside the mean, a forest plot, all of them."""

from moderation.cli.chapters.section import Block, Paragraph, Picture, Section, Table
from moderation.cli.chapters.wording import interval, number
from moderation.cli.text import printable
from rl.evaluation.evaluation import Evaluation
from rl.evaluation.pictures import ForestRow, forest
from rl.evaluation.slices import FEW_SOURCES, SliceFigures, summaries

FOREST_ROWS_MAX = 48
ROWS_SHOWN_MAX = 30


def slice_section(evaluation: Evaluation) -> Section:
    """Slices of all judges; a slice with too few items says so."""
    blocks: list[Block] = [
        Paragraph(
            "A recipe's or generator's forgeries are measured against the genuine items of the "
            "same modality. With fewer than 10 items of a class there are too few to measure."
        )
    ]
    for judge in evaluation.judges:
        rows = tuple(
            (
                line.column,
                f"{line.slices}",
                f"{line.left_out}",
                number(line.mean_auc),
                "–" if line.worst is None else line.worst.value,
                "–" if line.worst is None else _auc(line.worst),
            )
            for line in summaries(judge.slices)
        )
        header = (f"{judge.name}, by", "measured", "too small", "mean AUC", "worst", "its AUC")
        blocks.append(Table(header, rows, f"† {FEW_SOURCES}."))
    blocks += _forest(evaluation)
    blocks.append(_everything(evaluation))
    figures = {judge.name: [_figures(part) for part in judge.slices] for judge in evaluation.judges}
    return Section("slices", "Slices", figures, tuple(blocks))


def _forest(evaluation: Evaluation) -> list[Block]:
    first = evaluation.judges[0].slices
    chosen = [
        k for k, part in enumerate(first) if part.measured is not None and part.column != "source"
    ][:FOREST_ROWS_MAX]
    if not chosen:
        return []
    rows = [
        ForestRow(
            printable(f"{first[k].column} {first[k].value}")[:60],
            tuple(judge.slices[k].estimates.get("auc") for judge in evaluation.judges),
        )
        for k in chosen
    ]
    names = [judge.name for judge in evaluation.judges]
    return [Picture(forest(rows, names, "AUC", 0.5), "AUC of each slice with its interval.")]


def _everything(evaluation: Evaluation) -> Table:
    first = evaluation.judges[0].slices
    shown = [k for k, part in enumerate(first) if part.measured or part.column != "source"]
    rows = tuple(
        (
            f"{first[k].column} {first[k].value}",
            f"{first[k].items - first[k].manipulated:,} + {first[k].manipulated:,}",
            f"{first[k].sources:,}",
            *(_auc(judge.slices[k]) for judge in evaluation.judges),
            *(interval(judge.slices[k].estimates.get("mae")) for judge in evaluation.judges),
        )
        for k in shown
    )
    names = [judge.name for judge in evaluation.judges]
    header = ("slice", "genuine + manipulated", "sources")
    columns = (*(f"AUC {name}" for name in names), *(f"MAE {name}" for name in names))
    worst = {
        line.worst for judge in evaluation.judges for line in summaries(judge.slices) if line.worst
    }
    marked = frozenset(
        row
        for row, k in enumerate(shown)
        if any(judge.slices[k] in worst for judge in evaluation.judges)
    )
    caption = (
        "Marked: the worst AUC of its column, for a judge. Sources too small are not listed. "
        f"† {FEW_SOURCES}."
    )
    return Table((*header, *columns), rows, caption, marked, is_folded=len(rows) > ROWS_SHOWN_MAX)


def _auc(part: SliceFigures) -> str:
    if part.measured is None:
        return "too few"
    found = part.estimates["auc"]
    return interval(found) + (" †" if part.note else "")


def _figures(part: SliceFigures) -> dict[str, object]:
    return {
        "column": part.column,
        "value": part.value,
        "items": part.items,
        "manipulated": part.manipulated,
        "sources": part.sources,
        "note": part.note,
        "estimates": part.estimates,
    }
