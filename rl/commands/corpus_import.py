"""`moderation corpus import`: a public data set, in its own layout, as a manifest."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rl.imports.names import LayoutName

if TYPE_CHECKING:
    from rich.table import Table


def import_command(
    layout: Annotated[LayoutName, typer.Argument(help="How the set lies on disk.")],
    root: Annotated[Path, typer.Argument(help="The set's folder, or its label file.")],
    out: Annotated[Path, typer.Option(help="Folder for manifest.parquet.")],
    split: Annotated[
        list[str] | None,
        typer.Option(help="Keep this split only; repeatable.", show_default=False),
    ] = None,
    shares: Annotated[
        str | None,
        typer.Option(
            help="Splits for a set that has none, by a hash of the source; test=1 for all of it."
            " Without it: train=0.7,validation=0.1,calibration=0.1,test=0.1.",
            show_default=False,
        ),
    ] = None,
    compression: Annotated[
        str | None,
        typer.Option(help="faceforensics, deepfakebench: raw, c23 (default) or c40."),
    ] = None,
    frames_per_video: Annotated[
        int, typer.Option(min=0, help="deepfakebench: evenly spaced frames; 0 for all.")
    ] = 0,
    media: Annotated[
        Path | None,
        typer.Option(help="csv, deepfakebench: where paths start, if not beside the file."),
    ] = None,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Take paths that lead out of that folder.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail where a file is missing or unreadable.")
    ] = False,
    skip_inspection: Annotated[
        bool,
        typer.Option("--skip-inspection", help="Do not open the media: no hashes, no durations."),
    ] = False,
    workers: Annotated[int, typer.Option(min=0, help="Files at a time; 0: one a core.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Write a manifest for a public data set that lies here in its own layout.

    Media are not copied. Each file is opened once, in the sandbox. Stop it at any time; the same
    command goes on where it was.

    \b
    auto            finds out which of these it is
    deepfakebench   a JSON file of DeepfakeBench, or a folder of them
    faceforensics   FaceForensics++: original_sequences, manipulated_sequences
    fakeavceleb     FakeAVCeleb: meta_data.csv
    av-deepfake1m   AV-Deepfake1M: train_metadata.json, train/
    asvspoof5       ASVspoof 5: ASVspoof5.train.tsv, flac_T/
    asvspoof2019    ASVspoof 2019 LA: ASVspoof2019_LA_cm_protocols
    in-the-wild     In-the-Wild: meta.csv
    genimage        GenImage: GENERATOR/train/ai, GENERATOR/train/nature
    csv             a file with the columns path, source, and label or score
    """
    from rich.console import Console

    from moderation.app import build_sandbox
    from moderation.cli.text import printable
    from moderation.settings import Settings
    from rl.imports.importing import LEFT_OUT, ImportOptions, import_corpus, summary
    from rl.imports.layouts import choose
    from rl.imports.record import ReadOptions
    from rl.imports.splits import DEFAULT_SHARES, known_split, parse_shares

    reading = ReadOptions(compression, frames_per_video, media, allow_outside)
    chosen = choose(layout, root, reading)
    options = ImportOptions(
        reading,
        tuple(known_split(name) for name in split or ()),
        parse_shares(shares) if shares else DEFAULT_SHARES,
        strict,
        workers or os.cpu_count() or 1,
    )
    console = Console(stderr=True)
    if skip_inspection:
        imported = import_corpus(chosen, root, out, options, None, console=console)
    else:
        with build_sandbox(Settings.load()) as sandbox:
            imported = import_corpus(chosen, root, out, options, sandbox, console=console)
    found = summary(imported, chosen)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        Console().print(_table(found))
    for path, reason in imported.left_out[:10]:
        typer.echo(f"left out: {printable(path)}: {printable(reason)}", err=True)
    if imported.left_out:
        typer.echo(f"{len(imported.left_out)} files left out: {out / LEFT_OUT}", err=True)
    for sentence in imported.warnings:
        typer.echo(f"warning: {sentence}", err=True)


def _table(found: dict[str, Any]) -> "Table":
    from rich.markup import escape
    from rich.table import Table

    title = f"{found['files']} files of {found['sources']} sources"
    table = Table("split", "modality", "class", "generator", title=title)
    table.add_column("files", justify="right")
    for row in found["counts"]:
        kind = "manipulated" if row["is_manipulated"] else "genuine"
        table.add_row(
            row["split"], row["modality"], kind, escape(row["generator"]), str(row["files"])
        )
    return table
