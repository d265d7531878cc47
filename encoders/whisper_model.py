"""Whisper models with real weights: the starter, a local checkpoint, or one by name."""

import json
import pickle
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
