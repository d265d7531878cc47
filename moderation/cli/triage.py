"""`moderation triage`: recorded scores to routes, and to the order in which people review them."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderation.cli.policy import load_policy_named

if TYPE_CHECKING:
    from moderation.calibration.calibrator import FittedCalibrator
    from moderation.types import ItemResult


class OrderChoice(StrEnum):
    """`ReviewOrder`, without importing what it needs."""

    FIFO = "fifo"
    SCORE = "score"
    CMU = "cmu"
    INFORMATION = "information"
    AVOIDABLE = "avoidable"


def triage_command(
    scores: Annotated[Path, typer.Argument(help="Results of `moderation score --out`.")],
    calibrator: Annotated[
        Path | None,
        typer.Option(
            help="A file that `calibrate fit` wrote. Default: MODERATION_CALIBRATORS, else the "
            "judge's own.",
            show_default=False,
        ),
    ] = None,
    policy: Annotated[str, typer.Option(help="TOML file, or 'default'.")] = "default",
    order: Annotated[
        OrderChoice, typer.Option(help="Of the reviews, see docs/triage.md.")
    ] = OrderChoice.AVOIDABLE,
    uploads: Annotated[
        Path | None,
        typer.Option(
            help="Table with path or sha256, and any of: surface, reach, remaining_views, "
            "views_an_hour, reported_clause.",
            show_default=False,
        ),
    ] = None,
    surface: Annotated[str, typer.Option(help="Where --uploads says nothing else.")] = "feed",
    views: Annotated[
        float, typer.Option(min=0, help="Still to come, where --uploads says nothing else.")
    ] = 1000.0,
    backlog_hours: Annotated[
        float, typer.Option(min=0, help="Work that waits, in hours of the reviewers.")
    ] = 0.0,
    reviewer_error: Annotated[
        float, typer.Option(min=0, max=1, help="Share of reviews that rule wrongly.")
    ] = 0.1,
    seed: Annotated[str, typer.Option(help="Of the random sample of reviews.")] = "triage",
    rows: Annotated[int, typer.Option(min=0, help="That are shown.")] = 50,
    out: Annotated[
        Path | None,
        typer.Option(help="Write every row with its factors: .parquet, .csv or .jsonl."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines for machines.")] = False,
) -> None:
    """Give every scored file its route by a policy, and order those that people have to review.

    Needs no server and no database, and changes nothing: `moderation serve` does the same with
    uploads as they come.
    """
    from moderation.calibration.application import calibrate_results
    from moderation.cli.calibrate.inputs import read_scores
    from moderation.cli.triage_view import as_row, show
    from moderation.priority.orders import ORDERS
    from moderation.replay.ranking import rank
    from moderation.replay.replaying import Conditions
    from moderation.replay.uploads import Upload, uploads_of
    from moderation.table_files import check_table, write_table
    from moderation.triage.shadow import Deployed

    if out is not None:
        check_table(out)
    rules = load_policy_named(policy)
    results = [result for result, _ in read_scores(scores)]
    one = _calibrator(calibrator, results)
    bounds = one.route_bounds(
        false_allow_max=rules.routes.alpha_allow, false_enforce_max=rules.routes.alpha_enforce
    )
    now = datetime.now(UTC)
    ranked = rank(
        calibrate_results([one], results),
        uploads_of(results, Upload.usual(surface, views), uploads),
        Deployed(rules, bounds),
        ORDERS[order](),
        Conditions(seed.encode(), reviewer_error, backlog_hours),
        now=now,
    )
    lines = [as_row(place, item, now) for place, item in enumerate(ranked, start=1)]
    if out is not None:
        write_table(lines, out)
    if as_json:
        for line in lines:
            typer.echo(json.dumps(line))
    else:
        show(ranked, rules.id, one, now, rows=rows, out=out)


def _calibrator(path: Path | None, results: "list[ItemResult]") -> "FittedCalibrator":
    """The named one, else the deployment's for the judge and mode of the scores."""
    from moderation.app import build_calibrators
    from moderation.calibration.calibrator import FittedCalibrator
    from moderation.errors import CalibrationError
    from moderation.settings import Settings

    if path is not None:
        return FittedCalibrator.load(path)
    made = sorted({(one.judge_id, one.mode) for r in results if (one := r.judgment) is not None})
    if len(made) != 1:
        told = ", ".join(f"{judge} ({mode})" for judge, mode in made) or "no judge"
        raise CalibrationError(
            f"scores of {told}",
            expected="of one judge in one mode",
            remedy="Give each judge and mode a file of its own.",
        )
    [(judge_id, mode)] = made
    found = build_calibrators(Settings.load(), judge_id).get(mode)
    if found is None:
        raise CalibrationError(
            f"no calibrator of {judge_id} in {mode} mode",
            expected="one that says what its scores are worth",
            remedy="Fit one with `moderation calibrate fit`, and name it with --calibrator.",
        )
    return found
