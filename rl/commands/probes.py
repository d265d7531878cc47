"""`moderation probes`: what a corpus, and a judge on it, could be fooled by."""

import json
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rl.probes.scorer import Scorer

app = typer.Typer(help="Controls, degradations and prompt injection.", no_args_is_help=True)

Corpus = Annotated[Path, typer.Option(help="Folder with manifest.parquet.")]
Out = Annotated[Path | None, typer.Option(help="Write the table as JSON.", show_default=False)]
Split = Annotated[str, typer.Option(help="Rows of the manifest; 'test' means test-… too.")]
Copies = Annotated[Path, typer.Option(help="Folder for altered copies, kept for the next run.")]
Pairs = Annotated[int, typer.Option(min=1, help="Pairs of each modality that are taken.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes that make copies.")]
Draws = Annotated[int, typer.Option(min=1, help="Bootstrap draws of sources.")]
Judge = Annotated[str, typer.Option(help="'starter', a judge's folder, or a detector's folder.")]


@app.callback()
def probes() -> None:
    """What a corpus, and a judge on it, could be fooled by."""


@app.command("controls")
def controls_command(
    corpus: Corpus, split: Split = "train", draws: Draws = 1000, out: Out = None
) -> None:
    """Measure what a detector could learn instead of forgeries, by modality."""
    from rich.console import Console

    from moderation.settings import Settings
    from rl.probes.control_suite import run_controls

    found = run_controls(corpus, split, Settings.load(), draws=draws, console=Console(stderr=True))
    for modality, verdicts in found.items():
        for verdict in verdicts:
            said = {True: "pass", False: "FAIL", None: "undecided"}[verdict.passed]
            typer.echo(f"{said:9}  {modality:5}  {verdict.name}: {verdict.sentence}")
    _write({m: [asdict(v) for v in verdicts] for m, verdicts in found.items()}, out)


@app.command("robustness")
def robustness_command(
    corpus: Corpus,
    copies: Copies,
    split: Split = "test",
    judge: Judge = "starter",
    pairs: Pairs = 20,
    degradation: Annotated[
        list[str] | None, typer.Option(help="Only these; repeatable.", show_default=False)
    ] = None,
    workers: Workers = 1,
    draws: Draws = 1000,
    out: Out = None,
) -> None:
    """Degrade files step by step, and say how the scores hold up."""
    from rich.console import Console

    from rl.corpus.manifest import read_manifest
    from rl.evaluation.labels import in_splits
    from rl.probes.degradations import grid
    from rl.probes.robustness import heat_maps, measure_robustness
    from rl.probes.sample import sample_pairs

    rows = sample_pairs(in_splits(read_manifest(corpus), [split]), pairs)
    with _scorer(judge) as scorer:
        table = measure_robustness(
            corpus,
            rows,
            grid(names=degradation or ()),
            scorer,
            copies,
            draws=draws,
            workers=workers,
            console=Console(stderr=True),
        )
    _show(
        ("modality", "degradation", "level", "items", "AUC", "shift", "genuine that flip"),
        [(r.modality, r.name, r.level, r.items, r.auc, r.shift, r.flip_share) for r in table],
    )
    maps = [{**asdict(found), "value_RL": found.value_RL.tolist()} for found in heat_maps(table)]
    _write({"rows": [asdict(row) for row in table], "heat_maps": maps}, out)


@app.command("injection")
def injection_command(
    corpus: Corpus,
    copies: Copies,
    split: Split = "test",
    judge: Judge = "starter",
    pairs: Pairs = 10,
    workers: Workers = 1,
    draws: Draws = 1000,
    out: Out = None,
) -> None:
    """Put instructions into media and file names, and say how far they move the scores."""
    from rich.console import Console

    from rl.corpus.manifest import read_manifest
    from rl.evaluation.labels import in_splits
    from rl.probes.injection import by_kind, injections, measure_injection
    from rl.probes.sample import sample_pairs

    rows = sample_pairs(in_splits(read_manifest(corpus), [split]), pairs)
    with _scorer(judge) as scorer:
        table = measure_injection(
            corpus,
            rows,
            injections(),
            scorer,
            copies,
            draws=draws,
            workers=workers,
            console=Console(stderr=True),
        )
    _show(
        ("modality", "kind", "trick", "items", "shift", "worst", "shift from original"),
        [
            (r.modality, r.kind, r.trick, r.items, r.shift, f"{r.worst:+.2f}", r.raw_shift)
            for r in table
        ],
    )
    kinds = by_kind(table)
    for kind in kinds:
        typer.echo(f"{kind.kind}: mean shift {kind.mean_shift:+.3f}, worst {kind.worst:+.2f}")
    _write({"rows": [asdict(row) for row in table], "kinds": [asdict(kind) for kind in kinds]}, out)


@contextmanager
def _scorer(judge: str) -> "Iterator[Scorer]":
    """The judge or detector, closed afterwards."""
    from moderation.app import build_dispatcher, build_extractor, build_sandbox
    from moderation.settings import Settings
    from rl.detectors.artefact import DESCRIPTION_FILE, read_artefact
    from rl.probes.scorer import detector_scorer, dispatcher_scorer

    if Path(judge, DESCRIPTION_FILE).is_file():
        artefact, settings = read_artefact(Path(judge)), Settings.load()
        with build_sandbox(settings) as sandbox:
            yield detector_scorer(artefact, build_extractor(settings, sandbox))
    else:
        with build_dispatcher(Settings.load(judge=judge)) as dispatcher:
            yield dispatcher_scorer(dispatcher)


def _show(header: "Sequence[str]", rows: "Sequence[Sequence[object]]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*header)
    for row in rows:
        table.add_row(*map(str, row))
    Console().print(table)


def _write(found: dict[str, Any], out: Path | None) -> None:
    if out is not None:
        out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
