"""Made-up results and labels of one judge, on disk and in memory."""

import csv
from datetime import date
from pathlib import Path

import numpy as np

from encoders.types import Modality
from moderation.calibration.fitting import Origin
from moderation.calibration.items import LabelledItems, texts
from moderation.result_files import write_rows
from moderation.results import RunContext, to_row
from moderation.types import ItemError, ItemResult, Judgment, Mode
from tests.unit.calibration.items import digits_and_labels

JUDGE = "made-0123456789ab"
ORIGIN = Origin(JUDGE, Mode.FAST, "a" * 64, "b" * 64, ("calibration",), date(2026, 1, 31))


def labelled_items(
    items: int, seed: int, *, sources: int = 20, skill: float = 3.0
) -> LabelledItems:
    digit, truth, y = digits_and_labels(items, seed, skill=skill)
    place = np.arange(items)
    return LabelledItems(
        digit_NK=digit,
        is_manipulated_N=truth,
        y_N=y,
        weight_N=np.ones(items),
        source_N=texts([f"source-{k % sources}" for k in place]),
        modality_N=texts([("audio", "image")[int(k % 3 == 0)] for k in place]),
        family_N=texts([("splice" if t else "genuine") for t in truth]),
        split_N=texts(["calibration"] * items),
    )


def judgment(digit: np.ndarray, mode: Mode = Mode.FAST, judge: str = JUDGE) -> Judgment:
    score = float(np.clip(digit @ np.arange(10), 0, 9))
    return Judgment(tuple(digit.tolist()), 0.9, score, mode, judge)


def write_scores(path: Path, items: LabelledItems, mode: Mode = Mode.FAST) -> None:
    """One row an item, named by place, and one file that could not be scored."""
    context = RunContext(mode, JUDGE, 1, "setup")
    results = [
        ItemResult(
            f"{k}.bin", f"{k:064x}", Modality(items.modality_N[k]), 1.0, judgment(digit, mode), None
        )
        for k, digit in enumerate(items.digit_NK)
    ]
    error = ItemError("corrupt_media", "ends early", "a file", "Fetch it anew.", False)
    results.append(ItemResult("broken.bin", "f" * 64, None, None, None, error))
    write_rows([to_row(result, context) for result in results], path)


def write_labels(path: Path, items: LabelledItems, splits: list[str] | None = None) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sha256", "is_manipulated", "y", "source", "recipe", "modality", "split"])
        for k in range(len(items)):
            writer.writerow(
                [
                    *(f"{k:064x}", str(bool(items.is_manipulated_N[k])).lower()),
                    *(float(items.y_N[k]), items.source_N[k], items.family_N[k]),
                    *(items.modality_N[k], items.split_N[k] if splits is None else splits[k]),
                ]
            )
