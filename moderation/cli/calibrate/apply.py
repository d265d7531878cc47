"""`moderation calibrate apply`: probabilities and intervals for recorded scores."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderation.cli.calibrate.options import Json, Scores

if TYPE_CHECKING:
    from moderation.types import ItemResult


def apply_command(
    calibrator: Annotated[
        list[Path],
        typer.Option(
            help="A file that `calibrate fit` wrote; repeatable, one a mode.", show_default=False
        ),
    ],
    scores: Scores,
    out: Annotated[Path, typer.Option(help="Results with probabilities.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Add P(manipulated), an interval of the score and the calibrator's id to recorded scores.

    Refuses scores of a judge or mode that no calibrator was fitted on. Rows without a score
    stay as they are.
    """
    from moderation.calibration.application import calibrate_results
    from moderation.calibration.calibrator import FittedCalibrator
    from moderation.cli.calibrate.inputs import read_scores
    from moderation.errors import OutputError
    from moderation.result_files import check_writable, write_rows
    from moderation.results import json_line, to_row

    calibrators = [FittedCalibrator.load(path) for path in calibrator]
    pairs = read_scores(scores)
    check_writable(out)
    results = calibrate_results(calibrators, [result for result, _ in pairs])
    rows = [to_row(one, context) for one, (_, context) in zip(results, pairs, strict=True)]
    try:
        write_rows(rows, out)
    except OSError as error:
        raise OutputError.of(error, str(out), remedy="Free space, or name another file.") from error
    if as_json:
        for row in rows:
            typer.echo(json_line(row))
    else:
        _show(results, out)


def _show(results: "Sequence[ItemResult]", out: Path) -> None:
    from rich.table import Table
    from rich.text import Text

    from moderation.cli.results_view import ROWS_SHOWN, output_console
    from moderation.cli.text import printable

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("P(manipulated)", "score", "interval"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("group", "file"):
        table.add_column(name, overflow="fold")
    for result in results[:ROWS_SHOWN]:
        score = result.calibrated
        if score is None or result.judgment is None:
            cells = ["failed", "", "", ""]
        else:
            cells = [
                f"{score.probability:.3f}",
                f"{result.judgment.expected_score:.2f}",
                f"{score.score_lower:.1f}–{score.score_upper:.1f}",
                score.group,
            ]
        table.add_row(*cells[:3], Text(cells[3]), Text(printable(result.path)))
    console = output_console()
    console.print(table)
    if len(results) > ROWS_SHOWN:
        console.print(f"… and {len(results) - ROWS_SHOWN} more")
    done = sum(result.calibrated is not None for result in results)
    line = f"{done} calibrated, {len(results) - done} without a score; written to {out}"
    console.print(Text(printable(line)), soft_wrap=True)
