"""`moderation ablate`: judges trained in many ways, tested alike."""

from pathlib import Path
from typing import Annotated

import typer


def ablate_command(
    recipe: Annotated[
        Path, typer.Option(help="An ablation's recipe, TOML, or a shipped one's name.")
    ],
    corpus: Annotated[Path, typer.Option(help="Folder with manifest.parquet.")],
    out: Annotated[Path, typer.Option(help="Runs, runs.jsonl, and OUT/report.")],
    only: Annotated[
        list[str] | None,
        typer.Option(help="Name of a row to run; repeatable. Default: all.", show_default=False),
    ] = None,
    seeds: Annotated[
        list[int] | None,
        typer.Option(
            help="A seed to run; repeatable. Default: all of the recipe.", show_default=False
        ),
    ] = None,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Run nothing: table and pictures of what is done.")
    ] = False,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws of sources and seeds.")] = 1000,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print report/table.json.")] = False,
) -> None:
    """Train every row of a recipe with every seed, test all on the same items, and compare.

    Stop it at any time; the same command goes on. Each finished run is a line of OUT/runs.jsonl,
    and the report is of what is finished.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from moderation.cli.results_view import output_console
    from moderation.cli.text import printable
    from moderation.settings import Settings
    from rl.ablation.plan import plan
    from rl.ablation.recipe import read_ablation_recipe
    from rl.ablation.report import finished_rows, report_table, write_report
    from rl.ablation.running import run
    from rl.ablation.wording import headline
    from rl.recipe_file import recipe_file

    chosen = plan(read_ablation_recipe(recipe_file(recipe)))
    if not report_only:
        settings = Settings.load(**({} if device is None else {"device": device}))
        run(
            chosen,
            corpus,
            out,
            settings,
            only=only or (),
            seeds=seeds or (),
            console=Console(stderr=True),
        )
    rows = finished_rows(chosen, out)
    found = report_table(chosen, rows, draws=draws)
    folder = write_report(chosen, rows, found, out)
    if as_json:
        typer.echo((folder / "table.json").read_text(encoding="utf-8"), nl=False)
        return
    console = output_console()
    for split in found.items:
        head, *lines = headline(found, split)
        table = Table(title=split, box=None, header_style="bold", title_justify="left")
        for number, name in enumerate(head):
            table.add_column(Text(name), justify="left" if number < 2 else "right")
        for line in lines:
            table.add_row(*(Text(printable(cell)) for cell in line))
        console.print(table)
    typer.echo(f"Report: {printable(str(folder / 'table.md'))}")
