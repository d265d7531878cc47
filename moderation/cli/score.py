"""`moderation score`: the authenticity of many files."""

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderation.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from moderation.cli.batch import BatchDispatcher, BatchOutcome
    from moderation.cli.interruption import Interruption


class ModeChoice(StrEnum):
    """`moderation.types.Mode`, which would import NumPy just to show `--help`."""

    FAST = "fast"
    FULL = "full"


class Order(StrEnum):
    """In which order results are shown; files keep the order of the inputs."""

    INPUT = "input"
    SCORE = "score"


def engines() -> list[str]:
    """Names for `--engine`, for the shell."""
    from moderation.registry import PluginGroup, plugins

    return [plugin.name for plugin in plugins(PluginGroup.DISPATCHERS)]


def score_command(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Files, folders, patterns, lists (.csv or .parquet with a column 'path', "
            ".jsonl, .txt), or - for names from standard input.",
            show_default=False,
        ),
    ],
    mode: Annotated[
        ModeChoice, typer.Option(help="fast: score only; full: a rationale first.")
    ] = ModeChoice.FAST,
    out: Annotated[
        Path | None,
        typer.Option(help="Write results here: .parquet, .csv or .jsonl.", show_default=False),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep what --out holds already for the same bytes.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON lines instead of a table.")
    ] = False,
    sort: Annotated[Order, typer.Option(help="Order of what is printed.")] = Order.INPUT,
    engine: Annotated[
        str | None,
        typer.Option(
            autocompletion=engines,
            help="Where files are scored: local (this process), celery (the workers of the queue "
            "'batch', docs/workers.md), ray (a Ray cluster, or actors on this machine), or a "
            "plugin. Default: MODERATION_DISPATCHER, local without it.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", show_default=False)
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Decoder processes; 0: one a core.")
    ] = None,
    rationales: Annotated[
        int, typer.Option(min=1, max=64, help="Full mode: average over this many rationales.")
    ] = 1,
) -> None:
    """Score media files from 0 (wholly fabricated) to 9 (wholly authentic).

    One bad file never stops a batch: it gets a row with its error.

    With --engine celery the workers' own settings say which device and how many decoders; they
    see the files at the same paths, and refuse where their judge is another.

    Exit codes: 0 all scored; 3 some failed; 2 wrong usage or settings, or nobody who scores; 4
    the output could not be written; 130 interrupted, and what was finished is saved.
    """
    if resume and out is None:
        raise typer.BadParameter("--resume needs --out, the file to resume", param_hint="--resume")
    if rationales > 1 and mode is not ModeChoice.FULL:
        raise typer.BadParameter("needs --mode full", param_hint="--rationales")

    from moderation.cli.interruption import Interruption
    from moderation.inputs import expand
    from moderation.journal import journal_path
    from moderation.settings import Settings

    overrides = {"device": device, "workers": workers, "dispatcher": engine}
    settings = Settings.load(**{name: v for name, v in overrides.items() if v is not None})
    own = [] if out is None else [out, journal_path(out)]
    files = expand(paths, stdin=sys.stdin.buffer, exclude=own)
    if not files:
        raise typer.BadParameter(f"no files in {', '.join(paths)}", param_hint="PATH")
    if out is not None:
        from moderation.result_files import check_writable

        check_writable(out)
    warn_of_absent(files)

    with ExitStack() as stack:
        interruption = stack.enter_context(Interruption().installed())
        with interruption.allowed():
            from moderation.app import build_batch_engine

            dispatcher = stack.enter_context(build_batch_engine(settings))
        outcome = score_files(
            dispatcher,
            files,
            mode=mode,
            rationales=rationales,
            out=out,
            resume=resume,
            as_json=as_json,
            sort=sort,
            interruption=interruption,
        )
    if outcome.is_interrupted:
        raise typer.Exit(ExitCode.INTERRUPTED)
    if outcome.failed:
        raise typer.Exit(ExitCode.FAILED_ITEMS)


def warn_of_absent(files: "Sequence[Path]") -> None:
    """Say on standard error, before models are loaded, which files are not there."""
    from moderation.cli.text import printable

    absent = [file for file in files if not os.path.lexists(file)]
    if absent:
        first = printable(str(absent[0]))
        told = first if len(absent) == 1 else f"{len(absent)} of {len(files)} files ({first}, …)"
        verb = "is" if len(absent) == 1 else "are"
        typer.echo(f"moderation: {told} {verb} not there", err=True)


def score_files(
    dispatcher: "BatchDispatcher",
    files: list[Path],
    *,
    mode: ModeChoice,
    rationales: int = 1,
    out: Path | None = None,
    resume: bool = False,
    as_json: bool = False,
    sort: Order = Order.INPUT,
    interruption: "Interruption | None" = None,
) -> "BatchOutcome":
    """Score `files` and show them: a table, or JSON lines as they come (sorted: at the end)."""
    from moderation.cli.batch import run_batch
    from moderation.cli.results_view import ResultsView
    from moderation.journal import Journal
    from moderation.results import RunContext
    from moderation.types import Mode

    context = RunContext(
        Mode(mode), dispatcher.judge_id, rationales, dispatcher.setup, dispatcher.limits
    )
    view = ResultsView(context, as_json=as_json, is_sorted=sort is Order.SCORE, out=out)
    with ExitStack() as stack:
        journal = None
        if out is not None:
            journal = stack.enter_context(Journal(out, context, resume=resume))
        watch, on_result = stack.enter_context(view.following())
        outcome = run_batch(
            dispatcher,
            files,
            context.mode,
            rationales=rationales,
            journal=journal,
            interruption=interruption,
            on_result=on_result,
            watch=watch,
        )
    view.show(outcome)
    if outcome.unwritten:
        raise outcome.unwritten
    return outcome
