"""A text-judge recipe without data and weights: what is trained, and what it will need."""

from pathlib import Path

from moderation.app import build_weights
from moderation.judge.backbone import locate
from moderation.settings import Settings
from rl.dry_run import DryRun
from rl.memory.estimate import Workload, standing_bytes, step_bytes
from rl.memory.shape import TransformerShape, count_parameters, read_architecture
from rl.memory.workload import (
    rollouts_workload,
    text_completion_tokens,
    text_prompt_tokens,
    text_workload,
)
from rl.text_judge.recipe import AnyTextStage, TextRecipe, TextRolloutsStage, read_text_recipe


def dry_run(path: Path, settings: Settings, *, devices: int = 1) -> DryRun:
    """Parse a recipe and estimate its run; rollouts are shared by `devices`.

    Raises:
        ConfigurationError: the recipe cannot be used, or names a model whose sizes are not at hand.
    """
    recipe, weights = read_text_recipe(path), build_weights(settings)
    if recipe.architectures is None:
        folder = locate(recipe.judge.backbone, weights, offline=settings.offline)
        file = folder / "config.json"
    else:
        file = path.parent / recipe.architectures.backbone
    config = read_architecture(file, layers=recipe.judge.backbone_layers)
    counts = count_parameters(config, (), lora_rank=recipe.judge.lora_rank, width=1)
    shape, prompt = TransformerShape.of(config), text_prompt_tokens(recipe.judge)
    return DryRun(
        parameters=counts,
        encoder_parameters={},
        encoder_bytes=0,
        prompt_tokens=prompt,
        devices=devices,
        standing=standing_bytes(counts),
        steps={
            name: step_bytes(shape, _workload(stage, recipe, prompt, devices))
            for name, stage in recipe.stages.items()
        },
    )


def _workload(stage: AnyTextStage, recipe: TextRecipe, prompt: int, devices: int) -> Workload:
    if isinstance(stage, TextRolloutsStage):
        completion = text_completion_tokens(recipe.judge)
        return rollouts_workload(stage, prompt=prompt, completion=completion, devices=devices)
    return text_workload(stage, recipe.judge)
