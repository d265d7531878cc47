"""From a recipe and a corpus to a judge that `moderation score` can load."""

from datetime import UTC, datetime
from pathlib import Path

import torch
from accelerate import PartialState
from rich.console import Console

from moderation.app import build_extractor, build_sandbox, build_weights, choose_device
from moderation.judge.artefact import JudgeDescription, read_description
from moderation.judge.backbone import locate
from moderation.progress import counted
from moderation.settings import Settings
from rl.corpus.manifest import NAME, read_manifest
from rl.data import Example, load_examples
from rl.export import export, file_digest
from rl.judge_model import JudgeModel, sequence_specs
from rl.precision import compute_dtype
from rl.preflight import (
    TRAIN,
    VALIDATION,
    needed_splits,
    require_graded_answers,
    require_readable,
    require_rows,
    require_tokenizer,
)
from rl.recipe import Recipe, read_recipe
from rl.shortened_backbone import shorten
from rl.stages.run import train_stages

BACKBONE = "backbone"


def run(
    recipe: Path, corpus: Path, out: Path, settings: Settings, *, console: Console
) -> JudgeDescription:
    """Train and export a judge into `out`/judge; goes on where it was stopped.

    Raises:
        ConfigurationError: the recipe or the corpus cannot be used.
        WeightsMissing: the backbone or an encoder has no weights in the cache.
    """
    plan = read_recipe(recipe)
    backbone = locate(plan.judge.backbone, build_weights(settings), offline=settings.offline)
    require_tokenizer(plan, backbone)
    require_graded_answers(plan.stages)
    examples, encoders = _examples(plan, corpus, settings, console)
    train = [example for example in examples if example.split == TRAIN]
    validation = [example for example in examples if example.split == VALIDATION]
    device, whole = _device(settings), None
    if plan.shortened is not None:
        whole, backbone = backbone, out / BACKBONE
        with PartialState().main_process_first():
            shorten(plan.shortened, whole, train, backbone, device=device, console=console)
    judge = untrained_judge(plan, train, backbone=backbone, device=device)
    told = f"{len(train)} examples to train on, {len(validation)} to validate on, logs in {out}"
    console.print(told, highlight=False, markup=False)
    train_stages(judge, plan, train, validation, out, console=console)
    folder = out / "judge"
    if PartialState().is_main_process:
        export(
            judge,
            folder,
            encoders=encoders,
            encoder_options=plan.encoders,
            whole=whole,
            provenance={
                "corpus_sha256": file_digest(corpus / NAME),
                "recipe_sha256": file_digest(recipe),
                "examples": len(train),
                "stages": [stage.kind for stage in plan.stages],
                "steps": sum(stage.steps for stage in plan.stages),
                "date": datetime.now(UTC).date().isoformat(),
            },
        )
    PartialState().wait_for_everyone()
    return read_description(folder)


def untrained_judge(
    plan: Recipe, train: list[Example], *, backbone: Path | str, device: str
) -> JudgeModel:
    """The judge that training begins with, the same each time."""
    torch.manual_seed(plan.seed)
    return JudgeModel(
        plan.judge,
        sequence_specs(plan.judge, train),
        backbone=backbone,
        dtype=compute_dtype(device),
        device=device,
    )


def _examples(
    plan: Recipe, corpus: Path, settings: Settings, console: Console
) -> tuple[list[Example], dict[str, str]]:
    """The examples of the splits that the recipe needs, and the versions of their encoders."""
    needed = needed_splits(plan)
    rows = read_manifest(corpus)
    require_rows(rows, corpus, needed)
    wanted = [row["path"] for row in rows if row["split"] in needed]
    with build_sandbox(settings) as sandbox:
        extractor = build_extractor(settings, sandbox, options=plan.encoders)
        stream = load_examples(corpus, extractor, splits=tuple(needed))
        found = []
        with counted(console, len(wanted), "files with features") as advance:
            for path, example in zip(wanted, stream, strict=True):
                found.append(require_readable(path, example))
                advance()
    return found, {encoder.name: encoder.version for encoder in extractor.encoders}


def _device(settings: Settings) -> str:
    """The device of the settings; among several processes that of this one."""
    device = choose_device(settings.device)
    processes = PartialState(cpu=device == "cpu")
    return device if processes.num_processes == 1 else str(processes.device)
