"""`moderation queue simulate`: which order prevents most harm, on made-up or recorded arrivals."""

import json
from pathlib import Path
from typing import Annotated

import typer

OVERLOAD = 3.0


def simulate_command(
    overload: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            help=f"Review work that arrives, as a multiple of what is done. Default: {OVERLOAD:g}.",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=10_000, help="Runs of every order.")] = 20,
    arrivals: Annotated[
        Path | None,
        typer.Option(help="Recorded arrivals instead of made-up ones: .parquet, .csv or .jsonl."),
    ] = None,
    calibrator: Annotated[
        Path | None,
        typer.Option(help="Makes probabilities from the digits of recorded arrivals."),
    ] = None,
    policy: Annotated[str, typer.Option(help="TOML file, or 'default'.")] = "default",
    days: Annotated[float, typer.Option(min=0.1, max=365, help="Of made-up arrivals.")] = 4.0,
    reviewers: Annotated[
        int, typer.Option(min=1, help="In each of two shifts, 7:00 to 15:00 and 15:00 to 23:00.")
    ] = 2,
    reviewer_error: Annotated[
        float, typer.Option(min=0, max=1, help="Share of reviews that rule wrongly.")
    ] = 0.05,
    prevalence: Annotated[
        float, typer.Option(min=0.0001, max=0.9999, help="Manipulated among made-up arrivals.")
    ] = 0.1,
    auc: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="Of the score of made-up arrivals.")
    ] = 0.85,
    allow_below: Annotated[
        float, typer.Option(min=0, max=1, help="Bound up to which the machine allows.")
    ] = 0.01,
    enforce_above: Annotated[
        float | None, typer.Option(min=0, max=1, help="Bound from which it enforces.")
    ] = None,
    surface: Annotated[
        str, typer.Option(help="Of recorded arrivals without a column 'surface'.")
    ] = "feed",
    out: Annotated[
        Path | None, typer.Option(help="Folder for report.html, report.json and report.png.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json.")] = False,
) -> None:
    """Simulate the review queue under every order, on the same arrivals.

    Arrivals, forecasts, reviewers' mistakes and durations are drawn by the seeds 0, 1, …; recorded
    arrivals keep what their file says. Intervals are 95 %, over seeds.
    """
    if arrivals is not None and overload is not None:
        raise typer.BadParameter("recorded arrivals bring their own", param_hint="--overload")
    if calibrator is not None and arrivals is None:
        raise typer.BadParameter("made-up arrivals have none", param_hint="--calibrator")
    from rich.console import Console

    from moderation.calibration.calibrator import FittedCalibrator
    from moderation.cli.policy import load_policy_named
    from moderation.cli.simulation_report import figures, show, write_report
    from moderation.progress import counted
    from moderation.simulation.experiment import DISCIPLINES, Source, Synthetic, compare
    from moderation.simulation.recorded import read_arrivals
    from moderation.simulation.staff import two_shifts
    from moderation.simulation.synthetic import World
    from moderation.triage.shadow import Deployed
    from moderation.types import RouteBounds

    try:
        bounds = RouteBounds(allow_below, enforce_above)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--allow-below") from error
    deployed = Deployed(load_policy_named(policy), bounds)
    staff = two_shifts(reviewers)
    source: Source
    if arrivals is None:
        world = World(days=days, prevalence=prevalence, auc=auc)
        source = Synthetic(world, deployed, staff, OVERLOAD if overload is None else overload)
    else:
        fitted = None if calibrator is None else FittedCalibrator.load(calibrator)
        source = read_arrivals(arrivals, surface=surface, calibrator=fitted)
    with counted(Console(stderr=True), seeds * len(DISCIPLINES), "runs") as advance:
        found = compare(
            source,
            staff,
            deployed,
            seeds=range(seeds),
            reviewer_error=reviewer_error,
            on_run=advance,
        )
    about = {
        "arrivals": "made up" if arrivals is None else arrivals.name,
        "overload": None if arrivals is not None else overload or OVERLOAD,
        "policy": deployed.policy.id,
        "allow_below": allow_below,
        "enforce_above": enforce_above,
        "reviewers_in_each_of_two_shifts": reviewers,
        "reviewer_error": reviewer_error,
        "hours": source.hours,
        "seeds": seeds,
    }
    if arrivals is None:
        about |= {"prevalence": prevalence, "auc": auc}
    if out is not None:
        write_report(found, about, out)
    if as_json:
        typer.echo(json.dumps(figures(found, about), indent=1))
    else:
        show(found, out)
