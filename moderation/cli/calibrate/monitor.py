"""`moderation calibrate monitor`: does a calibrator still hold?"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderation.cli.calibrate.options import CalibratorFile, Json, Scores, Seed
from moderation.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from moderation.calibration.monitor import MonitorReport


def monitor_command(
    calibrator: CalibratorFile,
    scores: Scores,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Labels of items that were drawn at random and reviewed, with their propensity "
            "or weight. Without them only the scores are compared.",
            show_default=False,
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="Scores of the time when all was well; without, those of the fit.",
            show_default=False,
        ),
    ] = None,
    level: Annotated[
        float, typer.Option(min=0.01, max=0.5, help="Rate of false alarms of the whole.")
    ] = 0.01,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Compare recent scores, and labels of a random sample, with what was fitted.

    Exit codes: 0 the calibrator holds; 1 recalibrate, or label a random sample to tell.
    """
    import numpy as np

    from moderation.calibration.calibrator import FittedCalibrator
    from moderation.calibration.digits import expected_scores
    from moderation.calibration.label_files import read_labels
    from moderation.calibration.matching import join
    from moderation.calibration.monitor import ReviewedSample, Verdict, monitor
    from moderation.cli.calibrate.inputs import read_scores
    from moderation.cli.calibrate.judged import digits_of, scores_of

    fitted = FittedCalibrator.load(calibrator)
    recent = scores_of(fitted, read_scores(scores))
    reference_N = np.array(fitted.artefact.reference_scores, dtype=np.float64)
    if reference is not None:
        reference_N = expected_scores(digits_of(scores_of(fitted, read_scores(reference))))
    sample = None
    if labels is not None:
        items = join(read_labels(labels), recent).items
        sample = ReviewedSample(
            fitted.method.probability(items.digit_NK), items.is_manipulated_N, items.weight_N
        )
    report = monitor(
        reference_N,
        expected_scores(digits_of(recent)),
        sample,
        level=level,
        generator=np.random.default_rng(seed),
    )
    if as_json:
        typer.echo(json.dumps(_summary(fitted.calibrator_id, report), indent=2))
    else:
        _show(fitted.calibrator_id, report)
    if report.verdict is not Verdict.HOLDS:
        raise typer.Exit(ExitCode.UNFIT)


def _summary(calibrator_id: str, report: "MonitorReport") -> dict[str, object]:
    return {
        "calibrator": calibrator_id,
        "verdict": str(report.verdict),
        "reasons": list(report.reasons),
        "checks": [asdict(check) | {"is_alarm": check.is_alarm} for check in report.checks],
    }


def _show(calibrator_id: str, report: "MonitorReport") -> None:
    from rich.table import Table
    from rich.text import Text

    from moderation.calibration.monitor import Verdict
    from moderation.cli.chapters.wording import p_value
    from moderation.cli.results_view import output_console
    from moderation.cli.text import printable

    console = output_console()
    table = Table(
        *("check", "size", "matters from", "", "alarm"),
        box=None,
        pad_edge=False,
        header_style="bold",
    )
    for check in report.checks:
        table.add_row(
            check.name,
            f"{check.size:.3f}",
            f"{check.size_min:g}",
            p_value(check.tested.p_value),
            "yes" if check.is_alarm else "no",
        )
    console.print(table)
    said = {
        Verdict.HOLDS: f"{calibrator_id} holds",
        Verdict.LABEL: "Scores have moved: label a random sample to see whether it still holds",
        Verdict.RECALIBRATE: "Recalibrate: `moderation calibrate fit` on recent labels",
    }
    because = f": {'; '.join(report.reasons)}" if report.reasons else ""
    console.print(Text(printable(f"{said[report.verdict]}{because}.")), soft_wrap=True)
