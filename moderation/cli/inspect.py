"""`moderation inspect`: everything about one file, on the terminal and as a report."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderation.cli.score import ModeChoice

if TYPE_CHECKING:
    from moderation.types import Examination

_NAME_BYTES_MAX = 255


def inspect_command(
    file: Annotated[Path, typer.Argument(help="The file to look into.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where to write the HTML report; FILE.report.html here, if not named "
            "(with --json: none).",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
    mode: Annotated[
        ModeChoice, typer.Option(help="fast: score only; full: a rationale first.")
    ] = ModeChoice.FULL,
    open_report: Annotated[
        bool, typer.Option("--open", help="Open the report in the browser.")
    ] = False,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", show_default=False)
    ] = None,
) -> None:
    """Show a file's streams, sampling, signals and claims, and write a one-page report."""
    from moderation.cli.interruption import Interruption
    from moderation.settings import Settings
    from moderation.types import Mode

    settings = Settings.load(**({} if device is None else {"device": device}))
    if out is None and (open_report or not as_json):
        out = default_report(file)
    if out is not None:
        check_report_path(out, file)
    with ExitStack() as stack:
        interruption = stack.enter_context(Interruption().installed())
        with interruption.allowed():
            from moderation.app import build_dispatcher

            dispatcher = stack.enter_context(build_dispatcher(settings))
            examination = dispatcher.examine(file, Mode(mode))
    show_examination(examination, as_json=as_json, out=out)
    if open_report and out is not None:
        typer.launch(out.resolve().as_uri())


def default_report(file: Path) -> Path:
    """`FILE.report.html` here, its name cut to what file systems take (255 bytes)."""
    import os

    suffix = ".report.html"
    stem = os.fsencode(file.name)[: _NAME_BYTES_MAX - len(suffix)]
    if stem != os.fsencode(file.name):
        stem = stem.decode("utf-8", "ignore").encode()  # or a character might be cut in half
    return Path(os.fsdecode(stem) + suffix)


def check_report_path(out: Path, file: Path) -> None:
    """Refuse a report that cannot be written, or would overwrite the evidence.

    Raises:
        ConfigurationError: it is.
    """
    import os

    from moderation.errors import ConfigurationError

    is_evidence = out.exists() and file.exists() and out.samefile(file)
    if is_evidence or out.is_dir() or not os.access(out.parent, os.W_OK | os.X_OK):
        raise ConfigurationError(
            f"report file {out} " + ("is the file itself" if is_evidence else "cannot be written"),
            expected="a file of its own in an existing, writable folder",
            remedy="Name another file with --out.",
        )


def show_examination(examination: "Examination", *, as_json: bool, out: Path | None) -> None:
    """Print `examination`, and write its report to `out`, if any."""
    from moderation.cli.examination_view import print_examination, to_json

    if as_json:
        typer.echo(to_json(examination))
    else:
        print_examination(examination)
    if out is None:
        return
    from moderation.cli.report import render
    from moderation.cli.text import printable

    out.write_text(render(examination), encoding="utf-8")
    if not as_json:
        typer.echo(f"\nReport: {printable(str(out))}")
