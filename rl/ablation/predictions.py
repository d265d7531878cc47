"""What one run says of every test item, kept as a Parquet file beside the labels.

N items, K score levels (0..9).
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from moderation.atomic import write_bytes
from moderation.errors import ManifestError
from moderation.judge.rationale import parse_rationale
from moderation.types import LEVELS_K
from rl.corpus.manifest import CLAIM
from rl.data import Example
from rl.evaluation.claims import item_claims, true_claims
from rl.evaluation.items import ScoredItems
from rl.prediction import Predictions

# rationale is null in fast mode; p is the digit distribution.
SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("split", pa.string()),
        ("modality", pa.string()),
        ("recipe", pa.string()),
        ("source", pa.string()),
        ("y", pa.float64()),
        ("is_manipulated", pa.bool_()),
        ("p", pa.list_(pa.float64(), LEVELS_K)),
        ("rationale", pa.string()),
        ("is_complete", pa.bool_()),
        ("claims", pa.list_(CLAIM)),
    ]
)
# Columns of `ScoredItems` that say what a rationale claims, see `rl.evaluation.claims.ItemClaims`.
COUNTS = ("claimed", "supported", "true", "found")
SHARES = ("time_precision", "time_recall", "time_overlap")


def prediction_rows(examples: Sequence[Example], said: Predictions) -> list[dict[str, Any]]:
    """Rows of `SCHEMA`, in the order of the examples."""
    rows = []
    for n, example in enumerate(examples):
        rationale = None if said.rationales is None else said.rationales[n]
        rows.append(
            {
                "path": example.path,
                "split": example.split,
                "modality": example.features.modality.value,
                "recipe": example.recipe,
                "source": example.source,
                "y": example.y,
                "is_manipulated": example.is_manipulated,
                "p": said.p_NK[n].astype(np.float64).tolist(),
                "rationale": None if rationale is None else rationale.text,
                "is_complete": None if rationale is None else rationale.is_complete,
                "claims": [
                    {
                        "modality": claim.modality.value,
                        "start": claim.span.start_seconds,
                        "end": claim.span.end_seconds,
                        "cue": claim.cue,
                        "strength": claim.strength.value,
                    }
                    for claim in example.claims
                ],
            }
        )
    return rows


def write_predictions(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write rows of `SCHEMA`, whole or not at all."""
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=SCHEMA), buffer, compression="zstd")
    write_bytes(path, buffer.getvalue())


@dataclass(frozen=True, slots=True, eq=False)
class PredictedItems:
    """Predictions of one split. path_N: which items, in order.

    items: with the columns `COUNTS`, `SHARES` and `is_complete` where the run wrote rationales.
    """

    path_N: tuple[str, ...]
    items: ScoredItems


def read_predictions(path: Path) -> dict[str, PredictedItems]:
    """Split -> predictions.

    Raises:
        ManifestError: no such file, or not one of predictions.
    """
    try:
        rows = pq.read_table(path, schema=SCHEMA).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise ManifestError(
            f"{path} holds no readable predictions ({type(error).__name__})",
            expected="a file that `moderation ablate` wrote",
            remedy="Delete the folder of that run, and its line in runs.jsonl, and run it again.",
        ) from error
    return {
        split: _predicted([row for row in rows if row["split"] == split])
        for split in sorted({row["split"] for row in rows})
    }


def _predicted(rows: Sequence[Mapping[str, Any]]) -> PredictedItems:
    digit_NK = np.array([row["p"] for row in rows])
    # The judge's own sums to 1 in single precision only.
    digit_NK /= digit_NK.sum(axis=1, keepdims=True)
    items = ScoredItems(
        score_N=np.clip(digit_NK @ np.arange(LEVELS_K), 0.0, LEVELS_K - 1.0),
        is_manipulated_N=np.array([row["is_manipulated"] for row in rows]),
        y_N=np.array([row["y"] for row in rows], dtype=np.float64),
        source_N=np.array([row["source"] for row in rows], dtype=object),
        digit_NK=digit_NK,
        columns=_claim_columns(rows),
    )
    return PredictedItems(tuple(row["path"] for row in rows), items)


def _claim_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if any(row["rationale"] is None for row in rows):
        return {}
    found = [
        item_claims(
            parse_rationale(row["rationale"], is_complete=row["is_complete"]).claims,
            true_claims(row["claims"]),
        )
        for row in rows
    ]
    columns = {name: [float(getattr(one, name)) for one in found] for name in COUNTS}
    for name in SHARES:
        columns[name] = [getattr(one.time, name.removeprefix("time_")) for one in found]
    columns["is_complete"] = [float(row["is_complete"]) for row in rows]
    return {name: np.array(values) for name, values in columns.items()}
