"""From a recipe and a corpus to a judge that `moderation score` can load."""

from datetime import UTC, datetime
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track

from moderation.app import build_extractor, build_sandbox, build_weights, choose_device
from moderation.errors import ConfigurationError
from moderation.judge.artefact import JudgeDescription
from moderation.settings import Settings
from rl.corpus.manifest import NAME, read_manifest
from rl.data import load_examples
from rl.export import export, file_digest
from rl.judge_model import JudgeModel, sequence_specs
from rl.recipe import read_recipe
from rl.warm_up import train


def run(
    recipe: Path, corpus: Path, out: Path, settings: Settings, *, console: Console
) -> JudgeDescription:
    """Train and export a judge into `out`/judge; resumes from `out`'s checkpoint.

    Raises:
        ConfigurationError: the recipe or the corpus cannot be used.
        WeightsMissing: the backbone or an encoder has no weights in the cache.
    """
    plan = read_recipe(recipe)
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
            remedy="Build it with `moderation corpus build`.",
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
    train(model, found, plan.optimiser, out, console=console)
    return export(
        model,
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
