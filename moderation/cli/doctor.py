"""`moderation doctor`: is everything here that scoring needs?"""

import json
from typing import Annotated

import typer

from moderation.cli.exit_codes import ExitCode


def doctor_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Check the installation: versions, decoders, device, weights, judge, sandbox, cache.

    Loads the judge as scoring would. Exits with 1 if something needed is missing, and says how
    to get it.
    """
    from dataclasses import asdict

    from rich.console import Console

    from moderation.cli.checks import run_checks
    from moderation.cli.finding import Verdict
    from moderation.settings import Settings

    settings = Settings.load()
    with Console(stderr=True).status("checking"):
        findings = run_checks(settings)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        from rich.table import Table
        from rich.text import Text

        from moderation.cli.results_view import output_console
        from moderation.cli.text import HIGH_COLOUR, LOW_COLOUR, MIDDLE_COLOUR, printable

        colours = {
            Verdict.OK: HIGH_COLOUR,
            Verdict.LIMITED: MIDDLE_COLOUR,
            Verdict.MISSING: LOW_COLOUR,
        }
        table = Table(box=None, pad_edge=False, show_header=False)
        for finding in findings:
            told = Text(printable(finding.detail))
            if finding.remedy:
                told.append(f"\n{printable(finding.remedy)}", style="bold")
            verdict = Text(finding.verdict, style=colours[finding.verdict])
            table.add_row(verdict, Text(finding.name), told)
        output_console().print(table)
    if any(finding.verdict is Verdict.MISSING for finding in findings):
        raise typer.Exit(ExitCode.UNFIT)
