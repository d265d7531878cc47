"""Manifests and recorded scores on disk, for tests of everything after a judge has scored."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from encoders.types import Modality
from moderation.result_files import write_rows
from moderation.results import RunContext, to_row
from moderation.types import ItemError, ItemResult, Judgment, Mode, Rationale

Rows = list[dict[str, Any]]


def judgment(score: float, judge_id: str = "one", rationale: Rationale | None = None) -> Judgment:
    """A judgment whose digits are the two around the score."""
    low = min(int(score), 8)
    digits = np.zeros(10)
    digits[[low, low + 1]] = low + 1 - score, score - low
    mode = Mode.FAST if rationale is None else Mode.FULL
    return Judgment(tuple(digits.tolist()), 1.0, score, mode, judge_id, rationale)


def result(
    path: Path | str, score: float | None, judge_id: str = "one", sha256: str | None = None
) -> ItemResult:
    """A row of a judge; a score of None is a failure."""
    if score is None:
        error = ItemError("corrupt_media", "broken", "whole", "Send it again.", False)
        return ItemResult(str(path), sha256, None, None, None, error)
    said = judgment(score, judge_id)
    return ItemResult(str(path), sha256, Modality.IMAGE, 0.0, said, None)


def labelled_rows(items: int = 120, *, seed: int = 0, split: str = "test") -> Rows:
    """Manifest rows: three recipes over two modalities, ten items a source."""
    rng = np.random.default_rng(seed)
    rows: Rows = []
    for k in range(items):
        recipe = ("genuine", "splice", "warp", "world")[k % 4]
        modality = "audio" if recipe == "world" or k % 8 == 0 else "image"
        y = 9.0 if recipe == "genuine" else round(float(rng.uniform(0, 8)), 3)
        path = f"media/{split}-{k:04d}.bin"
        rows.append(
            {
                "path": path,
                "sha256": hashlib.sha256(path.encode()).hexdigest(),
                "modality": modality,
                "y": y,
                "is_manipulated": recipe != "genuine",
                "recipe": recipe,
                "generator": "" if recipe == "genuine" else f"{recipe}_1",
                "source": f"{split}-{k // 10}",
                "split": split,
                "quality_bits": float(k % 40),
                "claims": [],
            }
        )
    return rows


def write_manifest(rows: Sequence[Mapping[str, Any]], folder: Path) -> Path:
    """`manifest.parquet` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "manifest.parquet"
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def good_score(row: Mapping[str, Any], rng: np.random.Generator) -> float:
    """A score near the label."""
    return float(np.clip(row["y"] + rng.normal(0, 2), 0, 9))


def write_scores(
    rows: Sequence[Mapping[str, Any]],
    folder: Path,
    out: Path,
    score: Callable[[Mapping[str, Any], np.random.Generator], float | None] = good_score,
    *,
    judge_id: str = "one",
    seed: int = 0,
) -> Path:
    """A result file as `moderation score --out` writes it."""
    rng = np.random.default_rng(seed)
    context = RunContext(Mode.FAST, judge_id)
    results = [
        result(folder / row["path"], score(row, rng), judge_id, row.get("sha256")) for row in rows
    ]
    write_rows([to_row(one, context) for one in results], out)
    return out
