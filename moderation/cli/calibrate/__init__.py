"""`moderation calibrate`: from scores to probabilities, and whether those still hold."""

import typer

from moderation.cli.calibrate.apply import apply_command
from moderation.cli.calibrate.fit import fit_command
from moderation.cli.calibrate.monitor import monitor_command
from moderation.cli.calibrate.report import report_command

app = typer.Typer(
    help="Calibrated probabilities: fit, apply, report, monitor.", no_args_is_help=True
)
app.command("fit")(fit_command)
app.command("apply")(apply_command)
app.command("report")(report_command)
app.command("monitor")(monitor_command)
