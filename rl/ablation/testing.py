"""What a trained judge, or a fitted detector, says of the items that are tested."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console

from moderation.errors import ConfigurationError, JudgeError
from moderation.progress import counted
from moderation.types import Mode
from rl.ablation.plan import RowPlan
from rl.ablation.predictions import prediction_rows
from rl.data import Example
from rl.detectors.fitting import fit_detector
from rl.detectors.scoring import digit_probabilities
from rl.detectors.types import LabelledItem
from rl.judge_model import JudgeModel
from rl.prediction import Predictions, predict

Rows = list[dict[str, Any]]


def judge_rows(
    row: RowPlan, judge: JudgeModel, tested: Sequence[Example], *, console: Console
) -> Rows:
    """Predictions in the row's mode."""
    with counted(console, len(tested), f"items tested in {row.mode} mode") as advance:

        def progress(items: int) -> None:
            for _ in range(items):
                advance()

        said = predict(judge, tested, row.mode, progress=progress)
    return prediction_rows(tested, decoded(said) if row.is_decoded else said)


def decoded(said: Predictions) -> Predictions:
    """All probability on the likeliest digit: what is left of a distribution that is only read."""
    level_N = said.p_NK.argmax(1)
    p_NK = np.eye(said.p_NK.shape[1], dtype=said.p_NK.dtype)[level_N]
    return Predictions(said.mode, p_NK, said.mass_N, said.rationales)


def detector_rows(
    name: str, train: Sequence[Example], tested: Sequence[Example]
) -> tuple[Rows, Mapping[str, Any]]:
    """Predictions of a detector fitted on the same items, and what its cross-validation said.

    Raises:
        ConfigurationError: an unknown detector, or an item that it cannot score.
    """
    detector, metrics = fit_detector(name, [_labelled(example) for example in train])
    p_NK = []
    for example, found in zip(
        tested, detector.detect([example.features for example in tested]), strict=True
    ):
        if isinstance(found, JudgeError):
            raise ConfigurationError(
                f"detector {name} has no score for {example.path}: {found}",
                expected="test items of modalities that there are training items of",
                remedy="Take the detector out of the recipe, or raise items.train.",
            )
        p_NK.append(digit_probabilities(found.score))
    said = Predictions(
        Mode.FAST, np.array(p_NK, np.float32), np.ones(len(tested), np.float32), None
    )
    return prediction_rows(tested, said), metrics


def _labelled(example: Example) -> LabelledItem:
    return LabelledItem(
        example.features, example.y, example.is_manipulated, example.source, example.pair_id
    )
