"""`moderation evaluate`: how good judges are on labelled media."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderation.cli.score import ModeChoice

if TYPE_CHECKING:
    from rich.table import Table

    from rl.evaluation.evaluation import Evaluation


def evaluate_command(
    manifest: Annotated[
        Path,
        typer.Option(
            "--manifest",
            "--corpus",
            help="A corpus folder, or a Parquet manifest.",
            show_default=False,
        ),
    ],
    judge: Annotated[
        list[str] | None,
        typer.Option(
            help="'starter', a judge's or a detector's folder, or recorded scores (.parquet, .csv, "
            ".jsonl); repeat it to compare. Default: MODERATION_JUDGE.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(
            help="Rows to evaluate; repeatable. Default: all splits that begin with 'test'.",
            show_default=False,
        ),
    ] = None,
    mode: Annotated[ModeChoice, typer.Option(help="How judges score.")] = ModeChoice.FAST,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for scores, copies, report.json and report.html; a second run goes on "
            "there.",
            show_default=False,
        ),
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the bootstrap and of samples.")] = 0,
    robustness_pairs: Annotated[
        int, typer.Option(min=0, help="Pairs of each modality to degrade; 0 leaves it out.")
    ] = 12,
    injection_pairs: Annotated[
        int, typer.Option(min=0, help="Pairs of each modality to put text into; 0 leaves it out.")
    ] = 6,
    controls: Annotated[
        bool, typer.Option(help="Measure what could be learnt instead of forgeries.")
    ] = True,
    probabilities: Annotated[
        bool, typer.Option(help="Score a calibration split too, to fit P(manipulated) on.")
    ] = True,
    quick: Annotated[
        bool, typer.Option("--quick", help="No controls, no degraded or injected copies.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json.")] = False,
) -> None:
    """Score labelled media, and say how well, with intervals over sources.

    With two judges or more, all are measured on the rows that every one of them scored, and
    compared in pairs. Copies that were made and scores that were given are kept in --out.
    """
    from rich.console import Console
    from rich.text import Text

    from moderation.cli.chapters.page import write_report
    from moderation.cli.interruption import Interruption
    from moderation.cli.results_view import output_console
    from moderation.cli.text import printable
    from moderation.settings import Settings
    from moderation.types import Mode
    from rl.evaluation.control_chapter import failing
    from rl.evaluation.run import Request, build_report, evaluate

    settings = Settings.load()
    request = Request(
        manifest=manifest,
        judges=tuple(judge or (settings.judge,)),
        splits=tuple(split or ()),
        mode=Mode(mode),
        out=out,
        draws=draws,
        seed=seed,
        fits_probabilities=probabilities,
        has_controls=controls and not quick,
        robustness_pairs=0 if quick else robustness_pairs,
        injection_pairs=0 if quick else injection_pairs,
    )
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    with Interruption().installed() as interruption:
        evaluation = evaluate(
            request, settings, interruption=interruption, console=Console(stderr=True)
        )
    report = build_report(evaluation, request, settings)
    page = None if out is None else write_report(report, out)
    if as_json:
        typer.echo(report.json_text(), nl=False)
        return
    console = output_console()
    console.print(_figures(evaluation))
    console.print(_slices(evaluation))
    for line in failing(evaluation):
        console.print(Text(printable(f"Failed control: {line}"), style="bold"))
    if page is not None:
        typer.echo(f"Report: {printable(str(page))}")


def _figures(evaluation: "Evaluation") -> "Table":
    from rich.table import Table
    from rich.text import Text

    from moderation.cli.chapters.wording import interval
    from moderation.cli.text import printable
    from rl.evaluation.measurement import METRICS

    first = evaluation.judges[0].items
    title = f"{len(first)} items of {first.sources} sources"
    table = Table(title=title, box=None, pad_edge=False, header_style="bold", title_justify="left")
    table.add_column("")
    for judge in evaluation.judges:
        lost = f", {len(judge.failed)} failed" if judge.failed else ""
        lost += f", {judge.missing} missing" if judge.missing else ""
        table.add_column(Text(f"{printable(judge.name)}{lost}"), justify="right")
    found = [judge.measured.estimates for judge in evaluation.judges]
    for name, metric in METRICS.items():
        if any(name in figures for figures in found):
            table.add_row(metric.label, *(interval(figures.get(name)) for figures in found))
    for judge in evaluation.judges:
        if judge.claims is not None:
            said = f"{judge.claims.precision:.3f}, {judge.claims.recall:.3f}"
            table.add_row(f"claims, precision and recall: {printable(judge.name)}", said)
    return table


def _slices(evaluation: "Evaluation") -> "Table":
    from rich.table import Table
    from rich.text import Text

    from moderation.cli.chapters.wording import interval, number
    from moderation.cli.text import printable
    from rl.evaluation.slices import summaries

    table = Table("judge", "by", "mean AUC", "worst", "AUC", box=None, header_style="bold")
    for judge in evaluation.judges:
        for line in summaries(judge.slices):
            if line.worst is not None:
                table.add_row(
                    Text(printable(judge.name)),
                    line.column,
                    number(line.mean_auc),
                    Text(printable(line.worst.value)),
                    interval(line.worst.estimates["auc"]),
                )
    return table
