"""A dry run as a table."""

from typing import Any

from rich.console import Console
from rich.table import Table

_GIBIBYTE = 2**30


def show(found: Any, console: Console) -> None:
    """Parameters, then bytes a device; found: `rl.dry_run.DryRun`."""
    parameters = Table("parameters", "", box=None)
    rows = {"backbone, frozen": found.parameters.frozen}
    rows |= {"adapter, trained": found.parameters.adapter}
    rows |= {"projectors, trained": found.parameters.projectors}
    rows |= {f"encoder {name}, frozen": n for name, n in found.encoder_parameters.items() if n}
    for name, number in rows.items():
        parameters.add_row(name, f"{number:,}")
    memory = Table("memory of a device", "GiB", box=None)
    standing = found.standing
    for name, size in {
        "weights, bfloat16": standing.frozen_weights,
        "trained weights, float32": standing.trained_weights,
        "gradients": standing.gradients,
        "AdamW": standing.optimiser,
        "copies of trained weights": standing.copies,
    }.items():
        memory.add_row(name, _gibibytes(size))
    for stage, step in found.steps.items():
        memory.add_row(f"{stage}: activations", _gibibytes(step.activations))
        memory.add_row(f"{stage}: logits", _gibibytes(step.logits))
        memory.add_row(f"{stage}: keys and values", _gibibytes(step.key_value_cache))
    memory.add_row("before training: encoders", _gibibytes(found.encoder_bytes))
    memory.add_row("most at once", _gibibytes(found.peak_bytes))
    console.print(parameters)
    console.print(memory)
    console.print(
        f"{found.devices} device(s), prompts of up to {found.prompt_tokens} tokens. Without the "
        "allocator's fragments and the kernels' temporaries: leave a fifth free.",
        highlight=False,
    )


def _gibibytes(size_bytes: int) -> str:
    return f"{size_bytes / _GIBIBYTE:.2f}"
