"""`moderation calibrate fit`: labelled scores to a calibrator."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderation.cli.calibrate.options import (
    FitLabels,
    FitScores,
    IntervalChoice,
    Json,
    JudgeId,
    Seed,
    Splits,
)
from moderation.cli.score import ModeChoice

if TYPE_CHECKING:
    from moderation.calibration.artefact import CalibrationArtefact
    from moderation.calibration.matching import Joined
    from moderation.cli.calibrate.fit_inputs import FitInputs
    from moderation.types import Mode

AUTO = "auto"


def fit_command(
    out: Annotated[Path, typer.Option(help="Folder for MODE-ID.json.", show_default=False)],
    scores: FitScores = None,
    labels: FitLabels = None,
    from_decisions: Annotated[
        bool,
        typer.Option(
            "--from-decisions",
            help="In place of --scores and --labels: what reviewers ruled, from the database, "
            "weighted by 1 / the propensity of each review.",
        ),
    ] = False,
    method: Annotated[
        str,
        typer.Option(
            help="A plugin of moderation.calibrators, or auto: the least cross-fitted NLL."
        ),
    ] = AUTO,
    mode: Annotated[ModeChoice, typer.Option(help="How the judge scored.")] = ModeChoice.FAST,
    judge: JudgeId = None,
    split: Splits = None,
    coverage: Annotated[float, typer.Option(min=0.5, max=0.999, help="Of the intervals.")] = 0.9,
    interval: Annotated[
        IntervalChoice, typer.Option(help="Which intervals scores are given.")
    ] = IntervalChoice.CQR,
    without_routes: Annotated[
        bool,
        typer.Option(
            "--without-routes",
            help="Leave the risk bounds out: then the machine never acts alone. For calibrators "
            "that go to others, whose uploads are not like these.",
        ),
    ] = False,
    on: Annotated[
        str | None,
        typer.Option("--date", help="Date in the artefact; today by default.", show_default=False),
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Fit P(manipulated), intervals and risk bounds on labels that the judge was not trained on.

    One half of the sources fits the map, the other bounds the risk. Without --split, the
    labels' split 'calibration' is used, or all of them where there is one split only.
    """
    from moderation.calibration.candidates import candidate, every_candidate
    from moderation.calibration.fitting import Origin, fit_calibrator
    from moderation.calibration.matching import join
    from moderation.extras import require_installed
    from moderation.types import Mode

    require_installed("scipy", "sklearn")
    fitted_on = _date(on)
    candidates = every_candidate() if method == AUTO else [candidate(method)]
    read = _read(scores, labels, split, Mode(mode), judge, from_decisions=from_decisions)
    joined = join(read.labels, read.scores)
    context = read.scores.context
    origin = Origin(
        judge_id=context.judge_id,
        mode=context.mode,
        scores_sha256=read.scores_sha256,
        labels_sha256=read.labels_sha256,
        splits=read.splits,
        fitted_on=fitted_on,
        setup=context.setup,
        rationales=context.rationales,
    )
    artefact = fit_calibrator(
        joined.items,
        candidates,
        origin,
        coverage=coverage,
        served=interval.value,
        seed=seed,
    )
    if without_routes:
        artefact = artefact.without_routes()
    path = artefact.write(out)
    if as_json:
        typer.echo(json.dumps(_summary(artefact, path, joined), indent=2))
    else:
        _show(artefact, path, joined)


def _read(
    scores: Path | None,
    labels: Path | None,
    splits: list[str] | None,
    mode: "Mode",
    judge_id: str | None,
    *,
    from_decisions: bool,
) -> "FitInputs":
    named = {"--scores": scores, "--labels": labels, "--split": splits, "--judge": judge_id}
    if from_decisions:
        for option, value in named.items():
            if value is not None:
                raise typer.BadParameter("goes with files", param_hint=option)
        from moderation.cli.calibrate.decisions import read_decisions

        return read_decisions(mode)
    if scores is None or labels is None:
        missing = "--scores" if scores is None else "--labels"
        raise typer.BadParameter("is missing, or --from-decisions", param_hint=missing)
    from moderation.cli.calibrate.fit_inputs import read_files

    return read_files(scores, labels, splits, mode=mode, judge_id=judge_id)


def _date(text: str | None) -> date:
    if text is None:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no date like 2026-01-31", param_hint="--date"
        ) from error


def _summary(artefact: "CalibrationArtefact", path: Path, joined: "Joined") -> dict[str, object]:
    provenance = artefact.provenance
    return {
        "path": str(path),
        "calibrator": artefact.calibrator_id,
        "judge": artefact.judge_id,
        "mode": str(artefact.mode),
        "method": artefact.method,
        "items": dict(provenance.items),
        "unscored_labels": joined.unscored,
        "failed_items": joined.failed,
        "unlabelled_scores": joined.unlabelled,
        "candidates": dict(provenance.candidates),
        "before": provenance.before.model_dump(),
        "after": provenance.after.model_dump(),
        "interval": artefact.interval.model_dump(),
    }


def _show(artefact: "CalibrationArtefact", path: Path, joined: "Joined") -> None:
    from rich.table import Table
    from rich.text import Text

    from moderation.cli.results_view import output_console
    from moderation.cli.text import printable

    provenance, console = artefact.provenance, output_console()
    counts = provenance.items
    console.print(
        Text(
            printable(
                f"{artefact.judge_id}, {artefact.mode}: {counts['all']} items "
                f"({counts['manipulated']} manipulated) of {counts['sources']} sources; "
                f"{counts['fits the map']} fit the map, {counts['bounds risk']} bound the risk"
            )
        )
    )
    left = {
        "labels without a score": joined.unscored,
        "labels of files that could not be scored": joined.failed,
        "scores of files without a label in these splits": joined.unlabelled,
    }
    for what, count in left.items():
        if count:
            console.print(f"{count} {what} left out")
    table = Table("method", "cross-fitted NLL", "", box=None, pad_edge=False, header_style="bold")
    for name, loss in sorted(provenance.candidates.items(), key=lambda pair: pair[1]):
        table.add_row(Text(printable(name)), f"{loss:.4f}", "chosen" * (name == artefact.method))
    console.print(table)
    table = Table(
        *("", "NLL", "Brier", "ECE", "ECE, equal mass"),
        box=None,
        pad_edge=False,
        header_style="bold",
    )
    for name, one in (
        ("1 - score / 9", provenance.before),
        ("calibrated, cross-fitted", provenance.after),
    ):
        figures = (one.nll, one.brier, one.ece, one.adaptive_ece)
        table.add_row(name, *(f"{figure:.4f}" for figure in figures))
    console.print(table)
    served = artefact.interval
    cells = ", ".join(f"{name} ({cell.items})" for name, cell in served.by_modality.items())
    console.print(
        Text(
            printable(
                f"{100 * served.coverage:g} % intervals ({served.method}) by modality: "
                f"{cells or 'none has items enough'}"
            )
        )
    )
    console.print(Text(printable(f"Written to {path}")), soft_wrap=True)
