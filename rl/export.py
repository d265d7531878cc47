"""From a trained model to the folder that `moderation score` loads."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from encoders.weights import WeightStore
from moderation.judge.artefact import JudgeDescription, write_description
from moderation.judge.backbone import file_hashes, locate
from moderation.judge.prompt import POLICY_TEXT
from rl.judge_model import JudgeModel
from rl.recipe import Recipe


def export(
    model: JudgeModel,
    recipe: Recipe,
    folder: Path,
    *,
    encoders: Mapping[str, str],
    provenance: Mapping[str, Any],
) -> JudgeDescription:
    """Write projectors, adapter and `judge.json`; returns the description with its hashes.

    encoders: name -> version of the features that it was trained on.
    """
    model.save(folder)
    return write_description(
        folder,
        JudgeDescription(
            name=recipe.judge.name,
            backbone=recipe.judge.backbone,
            backbone_files=file_hashes(locate(str(model.backbone_source), WeightStore())),
            backbone_layers=recipe.judge.backbone_layers,
            width=recipe.judge.width,
            specs=model.projector.specs,
            encoders=dict(encoders),
            policy_text=POLICY_TEXT,
            rationale_tokens_max=recipe.judge.rationale_tokens_max,
            provenance=dict(provenance),
        ),
    )


def file_digest(path: Path) -> str:
    """Hex SHA-256 of a file, for provenance."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
