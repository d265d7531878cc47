"""Predictions as runs of an ablation would write them: labels, and scores of chosen skill."""

from pathlib import Path
from typing import Any

import numpy as np

from moderation.judge.rationale import format_rationale
from moderation.types import Claim, Mode
from rl.ablation.predictions import PredictedItems, read_predictions, write_predictions
from rl.ablation.table import RowRuns
from rl.evaluation.claims import true_claims

SPLITS = ("test-in-domain", "test-unseen-generators")


def rows(
    *, noise: float, seed: int = 0, items: int = 80, mode: Mode = Mode.FULL, bias: float = 0.0
) -> list[dict[str, Any]]:
    """`items` a split, of 20 sources; the score is the label with `noise`, clustered by `bias`.

    Labels depend on the item only, scores on `seed` as well. The rationale claims the true span
    moved by an amount that grows with `noise`.
    """
    truth, drawn = np.random.default_rng(7), np.random.default_rng(100 + seed)
    made = []
    for split in ("calibration", *SPLITS):
        for k in range(items):
            is_manipulated = bool(truth.random() < 0.6)
            y = round(float(truth.uniform(0, 7)), 2) if is_manipulated else 9.0
            start = round(float(truth.uniform(0, 3)), 1)
            score = float(np.clip((1 - bias) * y + bias * 8 + drawn.normal(0, noise), 0, 9))
            low = min(int(score), 8)
            p = np.full(10, 0.01)
            p[[low, low + 1]] += 0.9 * np.array([low + 1 - score, score - low])
            claims = [
                {
                    "modality": "audio",
                    "start": start,
                    "end": start + 1.0,
                    "cue": "synthetic voice",
                    "strength": "clear",
                }
            ]
            made.append(
                {
                    "path": f"{split}/{k}.wav",
                    "split": split,
                    "modality": "audio",
                    "recipe": "splice" if is_manipulated else "genuine",
                    "source": f"{split}-{k % 20}",
                    "y": y,
                    "is_manipulated": is_manipulated,
                    "p": (p / p.sum()).tolist(),
                    "rationale": rationale(claims, is_manipulated, shift=0.3 * noise)
                    if mode is Mode.FULL
                    else None,
                    "is_complete": True if mode is Mode.FULL else None,
                    "claims": claims if is_manipulated else [],
                }
            )
    return made


def rationale(claims: list[dict[str, Any]], is_manipulated: bool, *, shift: float) -> str:
    """A ledger with the claim that much later; none for what is genuine."""
    if not is_manipulated:
        return "audio 0.0-5.0 clean. Nothing departs from a genuine recording."
    moved = [{**c, "start": c["start"] + shift, "end": c["end"] + shift} for c in claims]
    said: tuple[Claim, ...] = true_claims(moved)
    return format_rationale(said, "Part of the speech was rebuilt.")


def predicted(folder: Path, **options: Any) -> dict[str, PredictedItems]:
    """The same through the file that a run leaves."""
    path = folder / "predictions.parquet"
    write_predictions(rows(**options), path)
    return read_predictions(path)


def row_runs(
    folder: Path, name: str, *, seeds: tuple[int, ...] = (0, 1, 2), **options: Any
) -> RowRuns:
    """A row's runs, one a seed."""
    return RowRuns(
        name,
        options.get("mode", Mode.FULL),
        {seed: predicted(folder, seed=seed, **options) for seed in seeds},
        generated_tokens=1000.0,
        steps=10.0,
        wall_seconds=60.0,
    )
