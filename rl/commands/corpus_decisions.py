"""`moderation corpus decisions`: what reviewers ruled, as a manifest to train on."""

import json
from pathlib import Path
from typing import Annotated

import typer


def decisions_command(
    out: Annotated[Path, typer.Option(help="Folder for manifest.parquet.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Write a manifest of the uploads that people have ruled, from the deployment's database.

    Media are not copied: they stay in MODERATION_DATA_DIR, and go when they are erased there. A
    ruling says no more than manipulated or authentic, so all of a manipulated file counts as such.
    """
    from datetime import UTC, datetime

    from rich.console import Console

    from moderation.app import build_engine, build_sandbox
    from moderation.casework.feedback import reviewed
    from moderation.cli.text import printable
    from moderation.database import reading
    from moderation.service import build_blobs, build_context, build_review_rules
    from moderation.settings import Settings
    from rl.imports.decisions import decisions_layout
    from rl.imports.importing import ImportOptions, import_corpus

    settings = Settings.load()
    blobs = build_blobs(settings)
    beginning, now = datetime(2000, 1, 1, tzinfo=UTC), datetime.now(UTC)
    context = build_context(settings, settings.mode)
    with reading(build_engine(settings)) as connection:
        rules = build_review_rules(settings)
        found = list(reviewed(connection, rules, context, since=beginning, now=now))
    layout = decisions_layout(found, blobs)
    with build_sandbox(settings) as sandbox:
        imported = import_corpus(
            layout, blobs.media, out, ImportOptions(), sandbox, console=Console(stderr=True)
        )
    counts = {
        "files": len(imported.rows),
        "manipulated": sum(bool(row["is_manipulated"]) for row in imported.rows),
        "left_out": len(found) - len(imported.rows),
        "manifest": str(imported.manifest),
    }
    if as_json:
        typer.echo(json.dumps(counts))
    else:
        typer.echo(
            f"{counts['files']} files, {counts['manipulated']} manipulated; "
            f"{counts['left_out']} left out: {printable(str(imported.manifest))}"
        )
