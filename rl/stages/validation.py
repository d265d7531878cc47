"""How well a judge in training orders items that it is not trained on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from moderation.types import Mode
from rl.data import Example
from rl.judge_model import JudgeModel
from rl.prediction import predict


@dataclass(frozen=True, slots=True)
class ValidationFigures:
    """spearman: of expected score and label, 0 where either has no order. mae: mean |yhat - y|."""

    spearman: float
    mae: float

    def logged(self) -> dict[str, float]:
        """Under the names that transformers' trainers give."""
        return {"eval_spearman": self.spearman, "eval_mae": self.mae}


def chosen(examples: Sequence[Example], count: int | None, *, seed: int) -> list[Example]:
    """`count` of the examples, drawn by the seed, in their order; all of them for None."""
    if count is None or count >= len(examples):
        return list(examples)
    places = np.random.default_rng((seed, 3)).choice(len(examples), count, replace=False)
    return [examples[place] for place in sorted(places)]


def validate(model: JudgeModel, examples: Sequence[Example], mode: Mode) -> ValidationFigures:
    """Figures of the judge as it would be served; draws nothing at random."""
    expected_N = predict(model, examples, mode).expected_N
    y_N = np.array([example.y for example in examples])
    has_order = len(set(expected_N.tolist())) > 1 and len(set(y_N.tolist())) > 1
    spearman = float(spearmanr(expected_N, y_N).statistic) if has_order else 0.0
    return ValidationFigures(spearman, float(np.abs(expected_N - y_N).mean()))


@dataclass(frozen=True, slots=True)
class Patience:
    """How validation has gone so far; misses: validations in a row that were not the best."""

    best: float = -math.inf
    misses: int = 0

    def after(self, spearman: float) -> "Patience":
        """With one more validation."""
        if spearman > self.best:
            return Patience(spearman, 0)
        return Patience(self.best, self.misses + 1)

    def is_out(self, limit: int | None) -> bool:
        """Whether to stop; limit: misses that are too many, None for no end."""
        return limit is not None and self.misses >= limit
