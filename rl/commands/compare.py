"""`moderation compare`: which generator's outputs look most authentic."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderation.cli.score import ModeChoice

if TYPE_CHECKING:
    from rl.evaluation.ranking import Comparison


def compare_command(
    systems: Annotated[
        list[Path],
        typer.Argument(
            metavar="A B …",
            help="Folders of outputs, or result files of `moderation score`, one a generator.",
            show_default=False,
        ),
    ],
    judge: Annotated[
        str | None, typer.Option(help="'starter', or a judge's folder.", show_default=False)
    ] = None,
    mode: Annotated[ModeChoice, typer.Option(help="How the judge scores.")] = ModeChoice.FAST,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for scores, report.json and report.html; a second run goes on there.",
            show_default=False,
        ),
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json.")] = False,
) -> None:
    """Rank generators or checkpoints by the judged authenticity of their outputs.

    Outputs of one input have the same name in each folder, whatever their suffix: they are
    compared with each other. The score is this judge's view, not a person's.
    """
    from moderation.app import build_sandbox
    from moderation.cli.chapters.page import write_report
    from moderation.cli.interruption import Interruption
    from moderation.cli.text import printable
    from moderation.settings import Settings
    from moderation.types import Mode
    from rl.evaluation import compare
    from rl.evaluation.comparison_chapters import comparison_report

    settings = Settings.load(**({} if judge is None else {"judge": judge}))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    with Interruption().installed() as interruption:
        comparison = compare(
            systems,
            settings,
            mode=Mode(mode),
            out=out,
            draws=draws,
            seed=seed,
            interruption=interruption,
        )
    if as_json or out is not None:
        with build_sandbox(settings) as sandbox:
            report = comparison_report(comparison, sandbox)
        if out is not None:
            page = write_report(report, out)
        if as_json:
            typer.echo(report.json_text(), nl=False)
            return
    _show(comparison)
    if out is not None:
        typer.echo(f"Report: {printable(str(page))}")


def _show(comparison: "Comparison") -> None:
    from rich.table import Table
    from rich.text import Text

    from moderation.cli.chapters.wording import interval, p_value
    from moderation.cli.results_view import output_console
    from moderation.cli.text import printable
    from rl.evaluation.comparison_chapters import pairing

    header = ("", "system", "mean score", "comes first", "behind the leader", "p", "outputs")
    table = Table(*header, box=None, pad_edge=False, header_style="bold")
    for place, one in enumerate(comparison.ranking, start=1):
        table.add_row(
            str(place),
            Text(printable(one.name)),
            interval(one.mean),
            f"{100 * one.first_share:.0f} %",
            interval(one.behind),
            "–" if one.behind is None else p_value(one.behind.p),
            f"{one.items}" + (f", {one.failed} failed" if one.failed else ""),
        )
    console = output_console()
    console.print(table)
    console.print(Text(printable(pairing(comparison))))
