"""`moderation train`: a judge from a recipe and a corpus."""

from pathlib import Path
from typing import Annotated

import typer


def train_command(
    recipe: Annotated[Path, typer.Option(help="A training recipe, TOML.")],
    corpus: Annotated[Path, typer.Option(help="Folder with manifest.parquet.")],
    out: Annotated[Path, typer.Option(help="Checkpoint, log, and the judge in OUT/judge.")],
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", show_default=False)
    ] = None,
) -> None:
    """Train a judge on a corpus.

    Stop it at any time; the same command goes on from the last checkpoint.
    """
    from rich.console import Console

    from moderation.settings import Settings
    from rl.training import run

    settings = Settings.load(**({} if device is None else {"device": device}))
    description = run(recipe, corpus, out, settings, console=Console(stderr=True))
    typer.echo(f"{description.judge_id} is in {out / 'judge'}")
