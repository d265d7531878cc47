"""Trains the first starter judge from a corpus, end to end.

    python -m rl.first_judge --recipe rl/recipes/first.toml --corpus DIR --out DIR

Stop it at any time; the same command goes on from the last checkpoint.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import track

from moderation.app import build_extractor, build_sandbox, build_weights, choose_device
from moderation.errors import ConfigurationError
from moderation.settings import Settings
from rl.corpus.manifest import NAME, read_manifest
from rl.data import load_examples
from rl.export import export, file_digest
from rl.judge_model import JudgeModel, sequence_specs
from rl.recipe import read_recipe
from rl.warm_up import train


def main(
    recipe: Annotated[Path, typer.Option(help="Training recipe, TOML.")],
    corpus: Annotated[Path, typer.Option(help="Folder with manifest.parquet.")],
    out: Annotated[Path, typer.Option(help="Checkpoint, log, and the judge in OUT/judge.")],
) -> None:
    """Train and export a judge."""
    console = Console(stderr=True)
    plan, settings = read_recipe(recipe), Settings.load()
    weights, device = build_weights(settings), choose_device(settings.device)
    torch.manual_seed(plan.optimiser.seed)
    with build_sandbox(settings) as sandbox:
        extractor = build_extractor(settings, sandbox)
        wanted = sum(row["split"] == "train" for row in read_manifest(corpus))
        stream = load_examples(corpus, extractor, splits=("train",))
        found = [e for e in track(stream, "features", total=wanted, console=console) if e]
    if not found:
        raise ConfigurationError(
            f"no readable training item in {corpus}",
            expected="a corpus with rows of split `train`",
            remedy="Build it with `python -m rl.corpus.build`.",
        )
    name = plan.judge.backbone
    model = JudgeModel(
        plan.judge,
        sequence_specs(plan.judge, found),
        backbone=weights.path(name) if name in weights.names else name,
        dtype=torch.bfloat16,
        device=device,
    )
    console.print(f"{len(found)} examples; steps are logged in {out / 'log.jsonl'}")
    train(model, found, plan.optimiser, out)
    description = export(
        model,
        plan,
        out / "judge",
        encoders={encoder.name: encoder.version for encoder in extractor.encoders},
        provenance={
            "corpus_sha256": file_digest(corpus / NAME),
            "recipe_sha256": file_digest(recipe),
            "examples": len(found),
            "steps": plan.optimiser.steps,
            "date": datetime.now(UTC).date().isoformat(),
        },
    )
    console.print(f"{description.judge_id} is in {out / 'judge'}")


if __name__ == "__main__":
    typer.run(main)
