"""`moderation calibrate report`: what a calibrator is worth on other items."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderation.cli.calibrate.options import (
    CalibratorFile,
    Draws,
    Json,
    Labels,
    Scores,
    Seed,
    Splits,
)

if TYPE_CHECKING:
    from moderation.calibration.assessment import SplitAssessment
    from moderation.calibration.calibrator import FittedCalibrator
    from moderation.calibration.label_files import Label

PNG_NAME = "reliability.png"


def report_command(
    calibrator: CalibratorFile,
    scores: Scores,
    labels: Labels,
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for report.html, report.json and reliability.png.", show_default=False
        ),
    ],
    split: Splits = None,
    draws: Draws = 1000,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Reliability before and after, coverage by cell, and risk bounds on labelled items.

    Without --split: every split that the calibrator was not fitted on and that has scores.
    """
    from moderation.atomic import write_bytes
    from moderation.calibration.assessment import assess
    from moderation.calibration.calibrator import FittedCalibrator
    from moderation.calibration.label_files import read_labels
    from moderation.calibration.matching import join
    from moderation.cli.calibrate.chapters import calibration_report
    from moderation.cli.calibrate.inputs import digest, read_scores
    from moderation.cli.calibrate.judged import scores_of
    from moderation.cli.calibrate.pictures import diagrams_png
    from moderation.cli.chapters.page import write_report
    from moderation.cli.text import printable
    from moderation.extras import require_installed

    require_installed("matplotlib")
    fitted = FittedCalibrator.load(calibrator)
    items = join(
        _asked(read_labels(labels), split, fitted), scores_of(fitted, read_scores(scores))
    ).items
    assessed = [
        assess(
            fitted, name or "all items", items.take(items.split_N == name), draws=draws, seed=seed
        )
        for name in sorted(set(items.split_N.tolist()))
    ]
    about = {
        "Calibrator": f"{fitted.calibrator_id} ({fitted.artefact.method})",
        "Judge": f"{fitted.judge_id}, {fitted.mode} mode",
        "Fitted": f"{fitted.artefact.provenance.fitted_on} on "
        f"{fitted.artefact.provenance.items['all']} items",
        "Scores": digest(scores),
        "Labels": digest(labels),
        "Bootstrap": f"{draws} draws, seed {seed}",
    }
    report = calibration_report(fitted, assessed, about)
    page = write_report(report, out)
    write_bytes(out / PNG_NAME, diagrams_png(assessed))
    if as_json:
        typer.echo(report.json_text(), nl=False)
        return
    _show(assessed)
    typer.echo(f"Report: {printable(str(page))}")


def _asked(
    labels: "list[Label]", splits: list[str] | None, fitted: "FittedCalibrator"
) -> "list[Label]":
    from moderation.calibration.label_files import in_splits

    if splits:
        return in_splits(labels, tuple(splits))
    own = set(fitted.artefact.provenance.splits)
    return [label for label in labels if label.split not in own] or labels


def _show(assessed: "Sequence[SplitAssessment]") -> None:
    from rich.table import Table
    from rich.text import Text

    from moderation.cli.calibrate.chapters import broken_promises
    from moderation.cli.chapters.wording import interval
    from moderation.cli.results_view import output_console
    from moderation.cli.text import printable

    console = output_console()
    table = Table(
        *("split", "items", "sources", "ECE before", "ECE after", "NLL before", "NLL after"),
        box=None,
        pad_edge=False,
        header_style="bold",
    )
    for split in assessed:
        pairs = [(split.before, "ece"), (split.after, "ece"), (split.before, "nll")]
        figures = [interval(one.figures[name]) for one, name in [*pairs, (split.after, "nll")]]
        counts = (str(len(split.items)), str(split.items.sources))
        table.add_row(Text(printable(split.name)), *counts, *figures)
    console.print(table)
    for sentence in broken_promises(assessed) or ["No promise is broken beyond chance."]:
        console.print(Text(printable(sentence)))
