"""`moderation train-text`: judges of written answers, row by row."""

from pathlib import Path
from typing import Annotated, Any

import typer


def train_text_command(
    recipe: Annotated[
        Path, typer.Option(help="A recipe of text-judge rows, TOML, or a shipped one's name.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Adapters, rows.jsonl, report.json.", show_default=False)
    ] = None,
    sources: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder to look for data in, before MODERATION_SOURCES; repeatable.",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[
        list[int] | None,
        typer.Option(
            help="A seed to run and report; repeatable. Default: all of the recipe.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", show_default=False)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only parse the recipe and estimate its memory.")
    ] = False,
    devices: Annotated[int, typer.Option(min=1, help="Of the dry run: how many share it.")] = 1,
    json_output: Annotated[bool, typer.Option("--json", help="JSON instead of tables.")] = False,
) -> None:
    """Train and test judges of written answers by a rubric.

    Stop it at any time; the same command goes on with the row that was not finished.
    """
    import json

    from rich.console import Console

    from moderation.errors import ConfigurationError
    from moderation.settings import Settings
    from rl.recipe_file import recipe_file

    recipe = recipe_file(recipe)
    settings = Settings.load(**({} if device is None else {"device": device}))
    if dry_run:
        from rl.commands.dry_run_view import show
        from rl.text_judge.dry_run import dry_run as estimate

        found = estimate(recipe, settings, devices=devices)
        if json_output:
            typer.echo(json.dumps(found.as_json(), indent=1))
        else:
            show(found, Console())
        return
    if out is None:
        raise ConfigurationError(
            "no --out", expected="--out, or --dry-run", remedy="Add it to the command."
        )
    from rl.corpus.fetch import default_folder
    from rl.corpus.sources import search_roots
    from rl.text_judge.report import write_report
    from rl.text_judge.running import TextRun

    roots = (*search_roots(sources or []), default_folder())
    run = TextRun.of(recipe, roots, out, settings, Console(stderr=True))
    table = write_report(run, run.rows(seeds or ()))
    if json_output:
        typer.echo(json.dumps(table, indent=1).replace("NaN", "null"))
    else:
        _show(table)


def _show(table: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from moderation.calibration.estimate import Estimate

    figures = ("pearson", "spearman", "mean_absolute_error", "wasserstein", "scale_use")
    for benchmark, found in table.items():
        title = f"{benchmark}: {found['items']} answers, {found['questions']} questions"
        shown = Table("row", *(name.replace("_", " ") for name in figures), title=title, box=None)
        for name, row in found["rows"].items():
            shown.add_row(name, *(str(Estimate(**row[figure])) for figure in figures))
        Console().print(shown)
