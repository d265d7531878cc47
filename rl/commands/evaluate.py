"""`moderation evaluate`: how good a judge is on labelled media."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from moderation.cli.score import ModeChoice

if TYPE_CHECKING:
    from rich.table import Table


def evaluate_command(
    corpus: Annotated[Path, typer.Option(help="Folder with manifest.parquet.")],
    split: Annotated[str, typer.Option(help="Which rows of the manifest.")] = "test-in-domain",
    mode: Annotated[ModeChoice, typer.Option(help="How the judge scores.")] = ModeChoice.FAST,
    judge: Annotated[
        str | None,
        typer.Option(help="A judge's folder, or 'starter'; by default MODERATION_JUDGE."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the report as JSON.", show_default=False)
    ] = None,
) -> None:
    """Score a corpus split, and say how well, with intervals over sources."""
    from rich.console import Console

    from moderation.settings import Settings
    from moderation.types import Mode
    from rl.evaluate import evaluate

    settings = Settings.load(**({} if judge is None else {"judge": judge}))
    report = evaluate(corpus, split, Mode(mode), settings, console=Console(stderr=True))
    Console().print(_table(report))
    for key in ("failed", "claim_precision", "claim_recall"):
        if key in report:
            typer.echo(f"{key}: {report[key]:.3g}")
    if out is not None:
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _table(report: dict[str, Any]) -> "Table":
    from rich.table import Table

    from rl.metrics import Estimate

    title = f"{report['judge']} {report['mode']}"
    table = Table("slice", "items", "sources", "AUC", "Spearman", "MAE", title=title)
    for name, figures in report["slices"].items():
        values = [str(Estimate(**figures[key])) for key in ("auc", "spearman", "mae")]
        table.add_row(name, str(figures["items"]), str(figures["sources"]), *values)
    return table
