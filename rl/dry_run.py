"""A recipe without data and without weights: does it parse, what is trained, what will it need?"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from encoders.weights import WeightStore
from moderation.app import build_weights
from moderation.errors import ConfigurationError
from moderation.judge.backbone import locate
from moderation.judge.sequence_spec import SequenceSpec
from moderation.settings import Settings
from rl.memory.encoders import EncoderShape, clip_shape, forensic_shape, whisper_encoder_shape
from rl.memory.estimate import (
    FLOAT32_BYTES,
    StandingBytes,
    StepBytes,
    standing_bytes,
    step_bytes,
)
from rl.memory.shape import ParameterCounts, TransformerShape, count_parameters, read_architecture
from rl.memory.workload import prompt_tokens, workload
from rl.recipe import Recipe, read_recipe


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a training run will need on each device, in bytes; the backbone in bfloat16.

    encoder_bytes: weights of the encoders in float32, which are gone before training begins.
    encoder_parameters: by encoder. prompt_tokens: the longest, estimated. steps: by stage.
    """

    parameters: ParameterCounts
    encoder_parameters: Mapping[str, int]
    encoder_bytes: int
    prompt_tokens: int
    devices: int
    standing: StandingBytes
    steps: Mapping[str, StepBytes]

    @property
    def peak_bytes(self) -> int:
        """The most that one device holds at any time."""
        steps = (step.peak for step in self.steps.values())
        return max(self.encoder_bytes, self.standing.total + max(steps, default=0))

    def as_json(self) -> dict[str, Any]:
        """All figures, by name."""
        return {
            **asdict(self),
            "steps": {name: asdict(s) | {"peak": s.peak} for name, s in self.steps.items()},
            "standing": asdict(self.standing) | {"total": self.standing.total},
            "peak_bytes": self.peak_bytes,
        }


def dry_run(path: Path, settings: Settings, *, devices: int = 1) -> DryRun:
    """Parse a recipe and estimate its run over `devices` equal devices.

    Raises:
        ConfigurationError: the recipe cannot be used, or names a model whose sizes are not at hand.
        WeightsMissing: the sizes of a starter model come with its weights, which were not pulled.
    """
    recipe, weights = read_recipe(path), build_weights(settings)
    config = read_architecture(
        _architecture(recipe, path.parent, weights, is_offline=settings.offline),
        layers=recipe.kept_layers,
    )
    used = _encoders(recipe, path.parent, weights)
    specs = _specs(recipe, used)
    counts = count_parameters(
        config, specs, lora_rank=recipe.judge.lora_rank, width=recipe.judge.width
    )
    shape, prompt = TransformerShape.of(config), prompt_tokens(specs)
    return DryRun(
        parameters=counts,
        encoder_parameters={name: encoder.parameters for name, encoder in used.items()},
        encoder_bytes=FLOAT32_BYTES * sum(encoder.parameters for encoder in used.values()),
        prompt_tokens=prompt,
        devices=devices,
        standing=standing_bytes(counts),
        steps={
            f"{number}-{stage.kind}": step_bytes(
                shape, workload(stage, recipe, prompt=prompt, devices=devices)
            )
            for number, stage in enumerate(recipe.stages, start=1)
        },
    )


def _architecture(recipe: Recipe, beside: Path, weights: WeightStore, *, is_offline: bool) -> Path:
    if recipe.architectures is not None:
        return beside / recipe.architectures.backbone
    return locate(recipe.judge.backbone, weights, offline=is_offline) / "config.json"


def _encoders(recipe: Recipe, beside: Path, weights: WeightStore) -> dict[str, EncoderShape]:
    """The built-in encoders that the recipe's sequences come from."""
    options, wanted = recipe.encoders, recipe.judge.sequences
    found: dict[str, EncoderShape] = {}
    if "clip" in wanted:
        found["clip"] = clip_shape(options.get("clip", {}))
    if "whisper" in wanted:
        named = recipe.architectures and recipe.architectures.whisper
        dimensions = beside / named if named else None
        found["whisper"] = whisper_encoder_shape(options.get("whisper", {}), dimensions, weights)
    if any(name.startswith("forensic") for name in wanted):
        found["forensic"] = forensic_shape()
    return found


def _specs(recipe: Recipe, used: Mapping[str, EncoderShape]) -> tuple[SequenceSpec, ...]:
    layers = {name: widths for e in used.values() for name, widths in e.sequences.items()}
    for name in recipe.judge.sequences:
        if name not in layers:
            raise ConfigurationError(
                f"key 'judge.sequences.{name}': no encoder gives it",
                expected="clip, whisper, or a sequence of the forensic encoder",
                remedy="Correct the name; other encoders' sizes are known only from features.",
            )
    return tuple(
        SequenceSpec(name, layers[name], **budget.model_dump())
        for name, budget in recipe.judge.sequences.items()
    )
