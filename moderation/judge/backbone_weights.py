"""A backbone's weights: loaded, cut short, taught layers put in, an adapter merged."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import (
    disable_progress_bar,
    get_verbosity,
    set_verbosity,
    set_verbosity_error,
)

from moderation.errors import ConfigurationError


def load_backbone(path: str | Path, *, dtype: torch.dtype, layers: int | None = None) -> Any:
    """Causal LM from a local folder or hub id; `layers` keeps only the first ones.

    Raises:
        ConfigurationError: nothing there that transformers can load as a causal LM.
    """
    # Our own progress is on the same terminal.
    disable_progress_bar()
    changes = {} if layers is None else {"num_hidden_layers": layers}
    try:
        with _quiet_loading() if changes else nullcontext():
            model = AutoModelForCausalLM.from_pretrained(str(path), dtype=dtype, **changes)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"no causal language model at {str(path)!r} ({error})",
            expected="a folder or hub id that transformers' AutoModelForCausalLM loads",
            remedy="Check the path, or run `moderation models pull`.",
        ) from error
    model.requires_grad_(False)
    return model.eval()


@contextmanager
def _quiet_loading() -> Iterator[None]:
    """Of layers that are left out transformers prints a table, a row each."""
    before = get_verbosity()
    set_verbosity_error()
    try:
        yield
    finally:
        set_verbosity(before)


def replace_layers(model: Any, path: Path) -> None:
    """Put a file's weights into `model`, by their names.

    Raises:
        ConfigurationError: the file has weights that the model does not have.
    """
    unknown = model.load_state_dict(load_file(path), strict=False).unexpected_keys
    if unknown:
        raise ConfigurationError(
            f"{path} has weights that the backbone does not have, {unknown[0]!r} among them",
            expected="the first layers of the judge's backbone",
            remedy="Restore the judge's folder from its source.",
        )


@contextmanager
def quiet_peft() -> Iterator[None]:
    """PEFT and TRL use names that this version of transformers has changed, and are told so."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`(is_)?gradient_checkpointing", FutureWarning)
        yield


def merge_adapter(model: Any, folder: Path) -> Any:
    """The model with a LoRA adapter (PEFT's format) added into its weights."""
    from peft import PeftModel

    with quiet_peft():
        return PeftModel.from_pretrained(model, str(folder)).merge_and_unload()


def load_tokenizer(path: str | Path) -> Any:
    """The tokenizer that belongs to a backbone."""
    return AutoTokenizer.from_pretrained(str(path))
