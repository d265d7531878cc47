"""`moderation corpus`: labelled media to train and measure a judge on."""

import os
from pathlib import Path
from typing import Annotated

import typer

from rl.commands.corpus_decisions import decisions_command
from rl.commands.corpus_import import import_command

app = typer.Typer(help="Corpora of genuine and forged media.", no_args_is_help=True)


@app.callback()
def corpus() -> None:
    """Corpora of genuine and forged media."""


Sources = Annotated[
    list[Path] | None,
    typer.Option(
        help="Folder to look for genuine media in, before MODERATION_SOURCES; repeatable.",
        show_default=False,
    ),
]


@app.command("fetch")
def fetch_command(
    listed: Annotated[Path, typer.Argument(metavar="LIST", help="A list of sources, TOML.")],
    to: Annotated[
        Path | None,
        typer.Option(help="Folder to fetch into; the cache without it.", show_default=False),
    ] = None,
    sources: Sources = None,
) -> None:
    """Fetch genuine media by checksum: Debian packages, wheels, repositories. Installs nothing."""
    from rl.corpus.fetch import default_folder, fetch
    from rl.corpus.source_list import load_sources
    from rl.corpus.sources import search_roots

    folder = to or default_folder()
    for sentence in fetch(load_sources(listed).entries(), folder, search_roots(sources or [])):
        typer.echo(sentence)
    typer.echo(f"in {folder}")


@app.command("build")
def build_command(
    recipe: Annotated[Path, typer.Option(help="A corpus recipe, TOML, or a shipped one's name.")],
    out: Annotated[Path, typer.Option(help="Folder of the corpus.")],
    sources: Sources = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one a core.")] = 0,
    fetch_missing: Annotated[
        bool, typer.Option("--fetch/--no-fetch", help="First fetch what the recipe's list has.")
    ] = True,
) -> None:
    """Build genuine media and paired, graded forgeries of them.

    Stop it at any time; the same command goes on where it was.
    """
    from rich.console import Console

    from moderation.settings import Settings
    from rl.corpus.build import build, count_table
    from rl.corpus.fetch import default_folder, fetch
    from rl.corpus.recipe import load_recipe
    from rl.corpus.source_list import load_sources
    from rl.corpus.sources import search_roots
    from rl.recipe_file import recipe_file

    recipe = recipe_file(recipe)
    wanted, console = load_recipe(recipe), Console(stderr=True)
    fetch_missing = fetch_missing and not Settings.load().offline
    roots, fetched = search_roots(sources or []), default_folder()
    if wanted.sources_list is not None and fetch_missing:
        listed = load_sources(recipe.parent / wanted.sources_list)
        for sentence in fetch(listed.entries(), fetched, roots):
            console.print(sentence, highlight=False)
    built = build(
        wanted,
        out,
        (*roots, fetched),
        workers=workers or os.cpu_count() or 1,
        console=console,
    )
    Console().print(count_table(built.rows))


app.command("import")(import_command)
app.command("decisions")(decisions_command)
