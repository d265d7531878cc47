"""`moderation train`: a judge from a recipe and a corpus."""

from pathlib import Path
from typing import Annotated

import typer


def train_command(
    recipe: Annotated[Path, typer.Option(help="A training recipe, TOML, or a shipped one's name.")],
    corpus: Annotated[
        Path | None, typer.Option(help="Folder with manifest.parquet.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Checkpoint, log, and the judge in OUT/judge.", show_default=False),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", show_default=False)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only parse the recipe and estimate its memory.")
    ] = False,
    devices: Annotated[int, typer.Option(min=1, help="Of the dry run: how many share it.")] = 1,
    json_output: Annotated[bool, typer.Option("--json", help="The dry run as JSON.")] = False,
) -> None:
    """Train a judge on a corpus.

    Stop it at any time; the same command goes on from the last checkpoint.
    """
    from rich.console import Console

    from moderation.errors import ConfigurationError
    from moderation.settings import Settings
    from rl.recipe_file import recipe_file

    recipe = recipe_file(recipe)
    settings = Settings.load(**({} if device is None else {"device": device}))
    if dry_run:
        _dry_run(recipe, settings, devices, as_json=json_output)
        return
    if corpus is None or out is None:
        raise ConfigurationError(
            "no --corpus" if corpus is None else "no --out",
            expected="--corpus and --out, or --dry-run",
            remedy="Add it to the command.",
        )
    from rl.training import run

    description = run(recipe, corpus, out, settings, console=Console(stderr=True))
    typer.echo(f"{description.judge_id} is in {out / 'judge'}")


def _dry_run(recipe: Path, settings: object, devices: int, *, as_json: bool) -> None:
    import json

    from rich.console import Console

    from rl.commands.dry_run_view import show
    from rl.dry_run import dry_run

    found = dry_run(recipe, settings, devices=devices)  # type: ignore[arg-type]
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=1))
    else:
        show(found, Console())
