"""Whisper models with real weights: the starter, a local checkpoint, or one by name."""

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoders.errors import WeightsError, WeightsMissing
from encoders.weight_manifest import file_sha256
from encoders.weights import WeightStore

STARTER_ARTEFACT = "whisper-tiny.en"


def load_model(model: str, checkpoint: Path | None, weights: WeightStore) -> tuple[Any, str]:
    """The model in fp32 on the CPU, and a name for exactly these weights.

    Raises:
        WeightsMissing: no such weights here, and no way to get them.
        WeightsError: the checkpoint is no Whisper.
    """
    import whisper

    if checkpoint is None and model == "starter":
        from safetensors.torch import load_file

        folder = weights.path(STARTER_ARTEFACT)
        dims = json.loads((folder / "dims.json").read_text("utf-8"))
        loaded = whisper.model.Whisper(whisper.model.ModelDimensions(**dims))
        loaded.load_state_dict(load_file(folder / "model.safetensors"))
        return loaded, folder.name
    if checkpoint is not None:
        if not checkpoint.is_file():
            raise WeightsMissing(
                f"{checkpoint} is no file",
                expected="an openai-whisper checkpoint",
                remedy="Check the path.",
            )
        try:
            loaded = whisper.load_model(str(checkpoint), "cpu").float()
        except (KeyError, TypeError, RuntimeError, pickle.UnpicklingError) as error:
            raise WeightsError(
                f"{checkpoint} does not load ({error})",
                expected="an openai-whisper checkpoint: `dims` and `model_state_dict`",
                remedy="Check the path.",
            ) from error
        return loaded, file_sha256(checkpoint)[:12]
    try:
        return whisper.load_model(model, "cpu").float(), model
    except (OSError, RuntimeError) as error:
        raise WeightsMissing(
            f"Whisper {model!r} cannot be loaded ({error})",
            expected=f"'starter' or one of {', '.join(whisper.available_models())}",
            remedy="Name a local checkpoint, or connect to the network once.",
        ) from error


@dataclass(frozen=True, slots=True)
class WhisperShape:
    """parameters: of encoder and decoder. layers: how many give features, stem included."""

    parameters: int
    layers: int
    channels: int


def whisper_shape(dims: Mapping[str, int]) -> WhisperShape:
    """Sizes of a model without its weights; dims: as an openai-whisper checkpoint names them.

    Raises:
        WeightsError: these are no dimensions of a Whisper.
    """
    import torch
    import whisper

    try:
        d = whisper.model.ModelDimensions(**dims)
    except TypeError as error:
        raise WeightsError(
            f"no dimensions of a Whisper ({error})",
            expected="the keys of whisper.model.ModelDimensions",
            remedy="Correct the file.",
        ) from error
    # The halves apart: the whole holds a sparse buffer, which meta tensors know nothing of.
    with torch.device("meta"):
        halves = (
            whisper.model.AudioEncoder(
                d.n_mels, d.n_audio_ctx, d.n_audio_state, d.n_audio_head, d.n_audio_layer
            ),
            whisper.model.TextDecoder(
                d.n_vocab, d.n_text_ctx, d.n_text_state, d.n_text_head, d.n_text_layer
            ),
        )
    return WhisperShape(
        parameters=sum(p.numel() for half in halves for p in half.parameters()),
        layers=1 + d.n_audio_layer,
        channels=d.n_audio_state,
    )
