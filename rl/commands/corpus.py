"""`moderation corpus`: labelled media to train and measure a judge on."""

import os
from pathlib import Path
from typing import Annotated

import typer

from rl.commands.corpus_import import import_command

app = typer.Typer(help="Corpora of genuine and forged media.", no_args_is_help=True)


@app.callback()
def corpus() -> None:
    """Corpora of genuine and forged media."""


@app.command("build")
def build_command(
    recipe: Annotated[Path, typer.Option(help="A corpus recipe, TOML.")],
    out: Annotated[Path, typer.Option(help="Folder of the corpus.")],
    sources: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder to look for genuine media in, before MODERATION_SOURCES; repeatable.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one a core.")] = 0,
) -> None:
    """Build genuine media and paired, graded forgeries of them.

    Stop it at any time; the same command goes on where it was.
    """
    from rich.console import Console

    from rl.corpus.build import build, count_table
    from rl.corpus.recipe import load_recipe
    from rl.corpus.sources import search_roots

    built = build(
        load_recipe(recipe),
        out,
        search_roots(sources or []),
        workers=workers or os.cpu_count() or 1,
        console=Console(stderr=True),
    )
    Console().print(count_table(built.rows))


app.command("import")(import_command)
