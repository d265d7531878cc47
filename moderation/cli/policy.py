"""`moderation policy`: check one, compare two, replay one over recorded scores."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from moderation.calibration.calibrator import FittedCalibrator
    from moderation.policy.schema import Policy
    from moderation.types import RouteBounds

app = typer.Typer(help="Policies: check, diff, replay.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def load_policy_named(name: str) -> "Policy":
    """A policy's file; `default` is the shipped one."""
    from moderation.policy.loading import default_policy, load_policy

    return default_policy() if name == "default" else load_policy(Path(name))


@app.command("check")
def check_command(
    policy: Annotated[str, typer.Argument(help="TOML file; 'default' is the shipped one.")],
    as_json: Json = False,
) -> None:
    """Read a policy and show its clauses; exit 2 with file, line and key if it is wrong."""
    from rich.table import Table
    from rich.text import Text

    from moderation.cli.results_view import output_console
    from moderation.cli.text import printable

    found = load_policy_named(policy)
    if as_json:
        typer.echo(json.dumps(found.model_dump(mode="json"), indent=2))
        return
    console = output_console()
    alone = [name for name in ("allow", "enforce") if getattr(found.routes, name)]
    told = " and ".join(alone) or "decide nothing"
    console.print(f"{found.id}: well formed; the machine may {told} alone", soft_wrap=True)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("clause", "applies", "severity", "action", "waits", "SLA", "legal deadline"):
        table.add_column(name)
    for clause in found.clauses:
        where = "everywhere" if clause.surfaces is None else ", ".join(clause.surfaces)
        lane = clause.legal_lane
        cells = (
            clause.id,
            f"on report, {where}" if clause.on_report_only else where,
            f"{clause.severity:g}",
            clause.action,
            clause.while_waiting,
            f"{clause.sla_hours:g} h",
            "" if lane is None else f"{lane.deadline_hours:g} h",
        )
        table.add_row(*(Text(printable(cell)) for cell in cells))
    console.print(table)


@app.command("diff")
def diff_command(
    before: Annotated[str, typer.Argument(help="TOML file, or 'default'.")],
    after: Annotated[str, typer.Argument(help="TOML file, or 'default'.")],
    as_json: Json = False,
) -> None:
    """Say in words what differs between two policies, clause by clause."""
    from dataclasses import asdict

    from moderation.cli.text import printable
    from moderation.policy.difference import differences

    found = differences(load_policy_named(before), load_policy_named(after))
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=2))
        return
    for one in found:
        typer.echo(printable(str(one)))
    if not found:
        typer.echo("The policies are the same.")


@app.command("replay")
def replay_command(
    results: Annotated[Path, typer.Argument(help="Recorded scores with 'probability', or raw.")],
    policy: Annotated[str, typer.Option(help="TOML file, or 'default'.")],
    against: Annotated[
        str | None,
        typer.Option(
            help="Policy to compare with. Default: the file's column 'disposition', if any.",
            show_default=False,
        ),
    ] = None,
    allow_below: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Bound of ALLOW. Default: the calibrator's, or never."),
    ] = None,
    enforce_above: Annotated[
        float | None, typer.Option(min=0, max=1, help="Bound of ENFORCE. Default: the same.")
    ] = None,
    against_allow_below: Annotated[
        float | None, typer.Option(min=0, max=1, help="Of --against. Default: the same.")
    ] = None,
    against_enforce_above: Annotated[
        float | None, typer.Option(min=0, max=1, help="Of --against. Default: the same.")
    ] = None,
    calibrator: Annotated[
        Path | None,
        typer.Option(
            help="Makes probabilities from recorded digits, and bounds from the policies' alphas."
        ),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Table with is_manipulated, and sha256 or path.")
    ] = None,
    surface: Annotated[str, typer.Option(help="Where the file has no column 'surface'.")] = "feed",
    views: Annotated[
        float, typer.Option(min=0, help="Where the file has no column 'remaining_views'.")
    ] = 1000.0,
    backlog_hours: Annotated[
        float, typer.Option(min=0, help="Work that waits, in hours of the reviewers.")
    ] = 0.0,
    reviewer_error: Annotated[
        float, typer.Option(min=0, max=1, help="Share of reviews that rule wrongly.")
    ] = 0.1,
    seed: Annotated[str, typer.Option(help="Of the samples; items are drawn alike.")] = "replay",
    rows: Annotated[int, typer.Option(min=0, help="Changed items that are shown.")] = 20,
    out: Annotated[
        Path | None, typer.Option(help="Write changed items here: .parquet, .csv or .jsonl.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what a policy would have done with recorded scores, and what would have changed."""
    from rich.console import Console

    from moderation.calibration.calibrator import FittedCalibrator
    from moderation.cli.replay_view import as_record, show
    from moderation.progress import counted
    from moderation.replay.recorded import read_recorded
    from moderation.replay.replaying import (
        Conditions,
        changes,
        changes_from_record,
        load_of,
        replay,
    )
    from moderation.table_files import check_table, write_table
    from moderation.triage.shadow import Deployed

    if out is not None:
        check_table(out)
    fitted = None if calibrator is None else FittedCalibrator.load(calibrator)
    rules = load_policy_named(policy)
    new = Deployed(rules, _bounds(rules, fitted, allow_below, enforce_above))
    old = None
    if against is not None:
        rules = load_policy_named(against)
        old = Deployed(
            rules,
            _bounds(
                rules,
                fitted,
                allow_below if against_allow_below is None else against_allow_below,
                enforce_above if against_enforce_above is None else against_enforce_above,
            ),
        )
    items = read_recorded(results, surface=surface, views=views, labels=labels, calibrator=fitted)
    conditions = Conditions(seed.encode(), reviewer_error, backlog_hours)
    passes = 1 if old is None else 2
    with counted(Console(stderr=True), passes * len(items), "items") as advance:
        after = replay(items, new, conditions, advance)
        before = None if old is None else replay(items, old, conditions, advance)
    changed = changes_from_record(items, after) if before is None else changes(items, before, after)
    loads = {new.policy.id: load_of(items, after, reviewer_error)}
    if before is not None and old is not None:
        loads = {old.policy.id: load_of(items, before, reviewer_error)} | {
            (new.policy.id if new.policy.id != old.policy.id else f"{new.policy.id} (new)"): loads[
                new.policy.id
            ]
        }
    if out is not None:
        write_table([one.as_row() for one in changed], out)
    if as_json:
        typer.echo(json.dumps(as_record(loads, changed), indent=2))
    else:
        show(loads, changed, rows=rows, out=out)


def _bounds(
    policy: "Policy",
    calibrator: "FittedCalibrator | None",
    allow_below: float | None,
    enforce_above: float | None,
) -> "RouteBounds":
    """As given; where one is not, the calibrator's at the policy's alphas."""
    from moderation.types import RouteBounds

    if calibrator is not None:
        controlled = calibrator.route_bounds(
            false_allow_max=policy.routes.alpha_allow,
            false_enforce_max=policy.routes.alpha_enforce,
        )
        allow_below = controlled.allow_below if allow_below is None else allow_below
        enforce_above = controlled.enforce_above if enforce_above is None else enforce_above
    try:
        return RouteBounds(allow_below, enforce_above)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--allow-below") from error
