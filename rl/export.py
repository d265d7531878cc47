"""From a trained model to the folder that `moderation score` loads."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from encoders.weights import WeightStore
from moderation.judge.artefact import JudgeDescription, write_description
from moderation.judge.backbone import file_hashes, locate
from rl.judge_model import JudgeModel


def export(
    model: JudgeModel,
    folder: Path,
    *,
    encoders: Mapping[str, str],
    provenance: Mapping[str, Any],
    encoder_options: Mapping[str, Mapping[str, Any]] | None = None,
) -> JudgeDescription:
    """Write projectors, adapter and `judge.json`; returns the description with its hashes.

    encoders: name -> version of the features that it was trained on. encoder_options: see
    `JudgeDescription`.
    """
    model.save(folder)
    backbone = locate(str(model.backbone_source), WeightStore())
    complete = replace(
        model.description,
        backbone_files=file_hashes(backbone),
        encoders=dict(encoders),
        encoder_options=dict(encoder_options or {}),
        provenance=dict(provenance),
    )
    return write_description(folder, complete)


def file_digest(path: Path) -> str:
    """Hex SHA-256 of a file, for provenance."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
