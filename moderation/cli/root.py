"""The `moderation` command: its sub-commands, and how each of them may end."""

import errno
import os
import sys
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from moderation import __version__
from moderation.cli.audit import app as audit_app
from moderation.cli.calibrate import app as calibrate_app
from moderation.cli.deadletter import app as deadletter_app
from moderation.cli.doctor import doctor_command
from moderation.cli.exit_codes import ExitCode
from moderation.cli.inspect import inspect_command
from moderation.cli.interruption import Interrupted
from moderation.cli.keys import app as keys_app
from moderation.cli.migrate import migrate_command
from moderation.cli.models import app as models_app
from moderation.cli.plugin_commands import add_plugins
from moderation.cli.plugins import plugins_command
from moderation.cli.policy import app as policy_app
from moderation.cli.queue import app as queue_app
from moderation.cli.score import score_command
from moderation.cli.serve import serve_command
from moderation.cli.submit import status_command, submit_command
from moderation.cli.triage import triage_command
from moderation.errors import JudgeError, OutputError, TypedError
from moderation.extras import not_installed

_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})


class TypedErrorGroup(TyperGroup):
    """Says in one line what went wrong, and exits with the code of its kind."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Interrupted:
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except TypedError as error:
            self._explain(ctx, f"{error.code}: {error}")
            raise typer.Exit(_code_of(error)) from None
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise
            what = "the output" if error.filename is None else str(error.filename)
            told = OutputError.of(error, what, remedy="Free space there, or write elsewhere.")
            self._explain(ctx, f"{told.code}: {told}")
            raise typer.Exit(ExitCode.UNWRITTEN) from None
        except ModuleNotFoundError as error:
            absent = not_installed(error.name or "")
            if absent is None:
                raise
            self._explain(ctx, f"{absent.code}: {absent}")
            raise typer.Exit(_code_of(absent)) from None

    @staticmethod
    def _explain(ctx: Any, message: str) -> None:
        if ctx.params.get("debug"):
            traceback.print_exc()
        from moderation.cli.text import printable

        typer.echo(f"moderation: {printable(message)}", err=True)


def _code_of(error: TypedError) -> ExitCode:
    from encoders.errors import MediaError

    if isinstance(error, MediaError | JudgeError):
        return ExitCode.FAILED_ITEMS
    if isinstance(error, OutputError):
        return ExitCode.UNWRITTEN
    return ExitCode.CONFIGURATION


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"moderation {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="moderation",
    cls=TypedErrorGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option("--debug", envvar="MODERATION_DEBUG", help="Print tracebacks of errors."),
    ] = False,
) -> None:
    """Judge whether media is authentic: 0 wholly fabricated, 9 wholly authentic."""


app.command("score")(score_command)
app.command("triage")(triage_command)
app.command("inspect")(inspect_command)
app.command("doctor")(doctor_command)
app.command("plugins")(plugins_command)
app.command("serve")(serve_command)
app.command("migrate")(migrate_command)
app.command("submit")(submit_command)
app.command("status")(status_command)
app.add_typer(keys_app, name="keys")
app.add_typer(models_app, name="models")
app.add_typer(calibrate_app, name="calibrate")
app.add_typer(policy_app, name="policy")
app.add_typer(queue_app, name="queue")
app.add_typer(audit_app, name="audit")
app.add_typer(deadletter_app, name="deadletter")


def run() -> None:
    """Run the command line of this process, and exit."""
    try:
        add_plugins(app)
        app()
    except SystemExit as end:
        if end.code != ExitCode.INTERRUPTED:
            raise
        # What matters is written; Python itself would still wait for every thread's last file.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ExitCode.INTERRUPTED)
    except TypedError as error:
        typer.echo(f"moderation: {error.code}: {error}", err=True)
        sys.exit(_code_of(error))
    except Exception as error:
        # Typer's own errors have been dealt with: this one is a bug, and says where to look.
        if "--debug" in sys.argv:
            raise
        message = f"internal error: {type(error).__name__}: {error}".encode("ascii", "replace")
        typer.echo(f"moderation: {message.decode()}. Run with --debug for details.", err=True)
        sys.exit(ExitCode.BUG)
