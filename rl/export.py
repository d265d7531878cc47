"""From a trained model to the folder that `moderation score` loads."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from encoders.weights import WeightStore
from moderation.judge.artefact import LAYERS_FILE, JudgeDescription, write_description
from moderation.judge.backbone import file_hashes, locate
from rl.judge_model import JudgeModel


def export(
    model: JudgeModel,
    folder: Path,
    *,
    encoders: Mapping[str, str],
    provenance: Mapping[str, Any],
    encoder_options: Mapping[str, Mapping[str, Any]] | None = None,
    whole: Path | None = None,
) -> JudgeDescription:
    """Write projectors, adapter and `judge.json`; returns the description with its hashes.

    encoders: name -> version of the features that it was trained on. encoder_options: see
    `JudgeDescription`. whole: folder of the language model whose first layers the backbone is,
    where these were taught again; they are written too.
    """
    model.save(folder)
    source = locate(str(model.backbone_source), WeightStore())
    layers = model.description.backbone_layers
    if whole is not None:
        layers = _write_layers(source, folder / LAYERS_FILE)
    complete = replace(
        model.description,
        backbone_layers=layers,
        backbone_files=file_hashes(whole or source),
        encoders=dict(encoders),
        encoder_options=dict(encoder_options or {}),
        provenance=dict(provenance),
    )
    return write_description(folder, complete)


def _write_layers(backbone: Path, path: Path) -> int:
    """Write all weights but the embedding in half precision; returns how many layers."""
    weights = load_file(backbone / "model.safetensors")
    kept = {name: value.half() for name, value in weights.items() if "embed_tokens" not in name}
    save_file(kept, path, metadata={"format": "pt"})
    config = json.loads((backbone / "config.json").read_text(encoding="utf-8"))
    return int(config["num_hidden_layers"])


def file_digest(path: Path) -> str:
    """Hex SHA-256 of a file, for provenance."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
