"""`moderation audit`: verify the audit trail, export it, look into it."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from moderation.cli.audit_erasure import erase_command
from moderation.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from moderation.audit.verification import Verification

app = typer.Typer(
    help="The audit trail: verify, export, show; statements of reasons.", no_args_is_help=True
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Anchors = Annotated[
    list[str] | None,
    typer.Option(
        "--anchor",
        metavar="NUMBER:HASH",
        help="A head kept from earlier; may be given several times.",
        show_default=False,
    ),
]


@app.command("verify")
def verify_command(
    file: Annotated[
        Path | None,
        typer.Option(help="An export to verify; the database, if none.", show_default=False),
    ] = None,
    anchor: Anchors = None,
    heads: Annotated[
        Path | None,
        typer.Option(
            help="Heads of earlier runs, one a line: all are checked, and the present one is "
            "added when all is whole. Keep it where the database's owner cannot write.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say how many records there are, the head, and what was tampered with where; exit 5 if so."""
    from rich.console import Console

    from moderation.audit.chain import Head
    from moderation.audit.heads import keep_head, read_heads
    from moderation.progress import measured

    kept = [Head.parse(text) for text in anchor or []]
    if heads is not None:
        kept += read_heads(heads)
    beside: dict[str, int] = {}
    if file is not None:
        from moderation.audit.export import verify_file

        size = file.stat().st_size if file.is_file() else 0
        with measured(Console(stderr=True), "verifying") as show:
            found = verify_file(file, anchors=kept, progress=lambda done: show(done, size))
    else:
        from moderation.audit.check import verify_store

        with measured(Console(stderr=True), "verifying") as show:
            whole = verify_store(_engine(), anchors=kept, progress=show)
        found = whole.chain
        beside = {
            name: getattr(whole, name) for name in ("texts_kept", "texts_erased", "statements")
        }
    if heads is not None and found.is_whole:
        keep_head(heads, found.head)
    _show_verification(found, beside, as_json=as_json)
    if not found.is_whole:
        raise typer.Exit(ExitCode.BROKEN)


def _show_verification(found: "Verification", beside: dict[str, int], *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        told: dict[str, Any] = {
            "is_whole": found.is_whole,
            "records": found.records,
            "head": str(found.head),
            "faults_found": found.faults_found,
            "faults": [asdict(fault) for fault in found.faults],
        }
        typer.echo(json.dumps(told | beside, indent=2))
        return
    from moderation.cli.text import printable

    counts = [f"{found.records} records"]
    counts += [f"{count} {name.replace('_', ' ')}" for name, count in beside.items()]
    typer.echo(f"{', '.join(counts)}; head {found.head}")
    for fault in found.faults:
        typer.echo(f"{fault.kind} record {fault.sequence}: {printable(fault.detail)}")
    if found.faults_found > len(found.faults):
        typer.echo(f"and {found.faults_found - len(found.faults)} faults more")
    typer.echo("The chain is whole." if found.is_whole else "The chain is broken.")


@app.command("export")
def export_command(
    out: Annotated[
        Path, typer.Option(help="The file: .jsonl, .jsonl.gz or .jsonl.zst.", show_default=False)
    ],
    as_json: Json = False,
) -> None:
    """Write the whole chain to a file that `verify --file` checks without this database."""
    from rich.console import Console

    from moderation.audit.export import export_entries
    from moderation.audit.store import read_head, stream_entries
    from moderation.database import reading
    from moderation.progress import measured

    engine = _engine()
    with reading(engine) as connection:
        head = read_head(connection)
    with measured(Console(stderr=True), "exporting") as show:
        done = export_entries(
            stream_entries(engine, up_to=head.sequence),
            head,
            out,
            progress=lambda count: show(count, head.sequence),
        )
    if as_json:
        typer.echo(json.dumps({"records": done, "head": str(head), "file": str(out)}))
    else:
        typer.echo(f"{done} records; head {head}; written to {out}")


@app.command("show")
def show_command(
    item: Annotated[str | None, typer.Option(help="Of this item.", show_default=False)] = None,
    actor: Annotated[
        str | None, typer.Option(help="By this actor, such as reviewer:7f3a.", show_default=False)
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Of this kind, such as decided.", show_default=False)
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(help="From this time on (UTC).", show_default=False)
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="Before this time (UTC).", show_default=False)
    ] = None,
    after: Annotated[
        int | None,
        typer.Option(help="Beyond this record, the last of the page before.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Records of a page.")] = 50,
    newest: Annotated[bool, typer.Option("--newest", help="The newest first.")] = False,
    as_json: Json = False,
) -> None:
    """List records; texts that they commit to are not in them."""
    from moderation.audit.store import Search, search
    from moderation.database import reading

    wanted = Search(
        item=item,
        actor=actor,
        kind=None if kind is None else _kind(kind),
        since=_utc(since),
        until=_utc(until),
        after=after,
        limit=limit,
        newest_first=newest,
    )
    with reading(_engine()) as connection:
        found = search(connection, wanted)
    if as_json:
        for row in found:
            typer.echo(json.dumps(row))
        return
    from rich.table import Table
    from rich.text import Text

    from moderation.cli.results_view import output_console
    from moderation.cli.text import printable

    table = Table("record", "at", "kind", "actor", "item", "what", box=None, header_style="bold")
    table.columns[0].justify = "right"
    for row in found:
        what = ", ".join(f"{name} {_brief(value)}" for name, value in row["body"].items())
        cells = (row["at"][:19], row["kind"], row["actor"], row["item"] or "", what)
        table.add_row(str(row["sequence"]), *(Text(printable(cell)) for cell in cells))
    output_console().print(table)


@app.command("statements")
def statements_command(
    out: Annotated[Path, typer.Option(help="The folder for the files.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Export the statements of reasons that were not exported yet, in files of up to 100.

    Each is the body of one request to the DSA Transparency Database (API version 2). A run that
    was cut off is completed by the next one, and nothing is exported twice.
    """
    from datetime import UTC

    from moderation.audit.statement_store import export_statements

    written = list(export_statements(_engine(), out, actor="system:export", at=datetime.now(UTC)))
    if as_json:
        rows = [
            {"file": str(b.path), "statements": b.statements, "sha256": b.sha256} for b in written
        ]
        typer.echo(json.dumps(rows, indent=2))
    else:
        for batch in written:
            typer.echo(f"{batch.path}: {batch.statements} statements")
        typer.echo(f"{sum(batch.statements for batch in written)} statements exported")


def _engine() -> "Engine":
    from moderation.app import build_engine
    from moderation.settings import Settings

    return build_engine(Settings.load())


def _kind(text: str) -> Any:
    from moderation.audit.records import RecordKind
    from moderation.errors import ConfigurationError

    try:
        return RecordKind(text)
    except ValueError:
        raise ConfigurationError(
            f"--kind is {text!r}",
            expected=f"one of {', '.join(RecordKind)}",
            remedy="Correct --kind.",
        ) from None


def _utc(moment: datetime | None) -> datetime | None:
    from datetime import UTC

    return None if moment is None else moment.replace(tzinfo=UTC)


def _brief(value: Any) -> str:
    if isinstance(value, list | dict):
        return f"({len(value)})"
    text = str(value)
    return text if len(text) <= 24 else f"{text[:12]}…"


app.command("erase")(erase_command)
