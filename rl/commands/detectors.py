"""`moderation detectors`: cheap baselines to compare a judge with."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from rl.detectors.comparison import Comparison

app = typer.Typer(help="Baseline detectors to compare a judge with.", no_args_is_help=True)

Corpus = Annotated[Path, typer.Option(help="Folder with manifest.parquet.")]


@app.callback()
def detectors() -> None:
    """Baseline detectors to compare a judge with."""


@app.command("fit")
def fit_command(
    corpus: Corpus,
    out: Annotated[Path, typer.Option(help="Each detector goes into OUT/NAME.")],
    detector: Annotated[
        list[str] | None,
        typer.Option(
            help="boosted, logistic, d3 or signal-NAME; repeatable. All without it.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="Which rows of the manifest.")] = "train",
) -> None:
    """Fit detectors on one split: boosted trees, logistic regression, D3, each signal alone."""
    from rich.console import Console

    from moderation.app import build_extractor, build_sandbox
    from moderation.settings import Settings
    from rl.detectors.fitting import fit_all

    settings = Settings.load()
    with build_sandbox(settings) as sandbox:
        fitted = fit_all(
            corpus,
            build_extractor(settings, sandbox),
            out,
            names=detector or (),
            split=split,
            console=Console(stderr=True),
        )
        for artefact in fitted:
            metrics = artefact.provenance.metrics
            validated = ", ".join(
                f"{modality} {found['cross_validated_auc']:.3f}"
                for modality, found in metrics.items()
            )
            typer.echo(f"{artefact.detector_id}  {validated}".rstrip())


@app.command("score")
def score_command(
    detector: Annotated[list[Path], typer.Argument(help="Folders that `fit` wrote.")],
    corpus: Corpus,
    split: Annotated[str, typer.Option(help="Which rows of the manifest.")] = "test",
    out: Annotated[
        Path | None,
        typer.Option(help="Write OUT/NAME.parquet and OUT/NAME.json.", show_default=False),
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws of sources.")] = 1000,
) -> None:
    """Score a split with detectors, and say how well each separates and ranks.

    The Parquet files have the columns of `moderation score --out`, and `p_manipulated`.
    """
    from rich.console import Console

    from moderation.app import build_extractor, build_sandbox
    from moderation.progress import each
    from moderation.settings import Settings
    from rl.corpus.manifest import read_manifest
    from rl.detectors.artefact import read_artefact
    from rl.detectors.comparison import compare
    from rl.detectors.scoring import encode_files, score_encoded, write_scores
    from rl.evaluation.labels import in_splits

    artefacts = [read_artefact(folder) for folder in detector]
    rows = in_splits(read_manifest(corpus), [split])
    paths = [corpus / row["path"] for row in rows]
    settings, progress = Settings.load(), Console(stderr=True)
    with build_sandbox(settings) as sandbox:
        extractor = build_extractor(settings, sandbox)
        stream = encode_files(paths, extractor)
        encoded = list(each(stream, progress, len(rows), "files encoded"))
        for artefact in artefacts:
            name = artefact.detector.name
            scored = score_encoded(encoded, artefact, extractor)
            slices = compare(rows, scored, draws=draws)
            Console().print(_table(artefact.detector_id, slices))
            if out is not None:
                out.mkdir(parents=True, exist_ok=True)
                write_scores(scored, artefact.detector_id, out / f"{name}.parquet")
                figures = {key: asdict(value) for key, value in slices.items()}
                text = json.dumps({"detector": artefact.detector_id, "slices": figures}, indent=1)
                (out / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _table(detector_id: str, slices: "Mapping[str, Comparison]") -> "Table":
    from rich.table import Table

    table = Table(
        *("slice", "items", "abstained", "sources", "AUC", "AUC of P", "Spearman"),
        title=detector_id,
    )
    for name, found in slices.items():
        counts = (found.items, found.abstained, found.sources)
        figures = (found.auc, found.auc_probability, found.spearman)
        table.add_row(name, *map(str, counts), *map(str, figures))
    return table
