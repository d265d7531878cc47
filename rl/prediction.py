"""What a judge in training says of labelled items, by the code that serves it.

N items, K score levels (0..9).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from encoders.types import FloatArray
from moderation.judge.soft_token import SoftTokenJudge
from moderation.types import LEVELS_K, Judgment, Mode, Rationale
from rl.data import Example
from rl.judge_model import JudgeModel


@dataclass(frozen=True, slots=True)
class Predictions:
    """Judgments of N items, in their order.

    p_NK: (N, 10) digit distribution, rows sum to 1. mass_N: (N,) the digits' share of all tokens.
    rationales: one an item, None in fast mode; one that was cut off has no score of its own, and
    its row is the fast one.
    """

    mode: Mode
    p_NK: FloatArray
    mass_N: FloatArray
    rationales: tuple[Rationale, ...] | None

    def __post_init__(self) -> None:
        items = len(self.p_NK)
        if self.p_NK.shape != (items, LEVELS_K) or self.mass_N.shape != (items,):
            raise ValueError(f"p {self.p_NK.shape} and mass {self.mass_N.shape} do not fit")
        if (self.rationales is None) != (self.mode is Mode.FAST):
            raise ValueError("full mode has rationales, fast mode has none")
        if self.rationales is not None and len(self.rationales) != items:
            raise ValueError(f"{len(self.rationales)} rationales for {items} items")

    @property
    def expected_N(self) -> FloatArray:
        """(N,) sum_k k p(k), in [0, 9]."""
        levels_K = np.arange(LEVELS_K, dtype=np.float32)
        return np.asarray(self.p_NK @ levels_K, np.float32)


def predict(
    model: JudgeModel,
    examples: Sequence[Example],
    mode: Mode,
    *,
    batch_items: int = 16,
    progress: Callable[[int], None] | None = None,
) -> Predictions:
    """Predictions of all examples; in full mode the rationale is the greedy one.

    progress: called after each batch with the number of its items.

    Raises:
        JudgeError: an item without any sequence that the judge reads.
    """
    judgments: dict[int, Judgment] = {}
    with serving(model, batch_items=batch_items) as judge:
        for places in length_batches(examples, batch_items):
            judged = judge.judge([examples[i].features for i in places], mode)
            judgments.update(zip(places, judged, strict=True))
            if progress is not None:
                progress(len(places))
    ordered = [judgments[i] for i in range(len(examples))]
    p_NK = np.array([j.digit_probabilities_K for j in ordered], np.float32)
    written = tuple(j.rationale for j in ordered if j.rationale is not None)
    return Predictions(
        mode,
        p_NK.reshape(-1, LEVELS_K),
        np.array([j.digit_mass for j in ordered], np.float32),
        None if mode is Mode.FAST else written,
    )


def length_batches(examples: Sequence[Example], size: int) -> list[list[int]]:
    """Places of the examples in batches of like duration."""
    order = sorted(
        range(len(examples)),
        key=lambda i: (examples[i].features.duration_seconds, examples[i].path),
    )
    return [order[start : start + size] for start in range(0, len(order), size)]


@contextmanager
def serving(model: JudgeModel, *, batch_items: int = 16) -> Iterator[SoftTokenJudge]:
    """The model behind serving's interface, in eval mode while this lasts.

    The adapter stays apart from the backbone's weights, so that training goes on unchanged.
    """
    was_training = model.training
    model.eval()
    try:
        yield SoftTokenJudge(
            model.description,
            model=model.backbone.get_base_model(),
            tokenizer=model.tokenizer,
            projector=model.projector,
            batch_items=batch_items,
        )
    finally:
        model.train(was_training)
