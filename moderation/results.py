"""Result rows: one typed row an item, the same columns in every file format.

Paths are bytes, and the formats hold text, so a path is written with every byte that
is not UTF-8 as `\\xNN` and every backslash doubled; `unescape_path` undoes it exactly.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from encoders.provenance.types import Provenance, unpack
from encoders.sandbox_wire import MalformedAnswer
from encoders.types import Modality, Span
from moderation.types import (
    LEVELS_K,
    CalibratedScore,
    Claim,
    ItemError,
    ItemResult,
    Judgment,
    Mode,
    Rationale,
    Strength,
)

Row = dict[str, Any]

DIGIT_COLUMNS = tuple(f"p{k}" for k in range(LEVELS_K))

# column -> type, the same in every format; "list" and "json" are JSON text in CSV, and
# "json" in parquet too.
COLUMNS: Mapping[str, str] = {
    "path": "text",
    "sha256": "text",
    "status": "text",
    "score": "number",
    "digit_mass": "number",
    **dict.fromkeys(DIGIT_COLUMNS, "number"),
    "modality": "text",
    "duration_seconds": "number",
    "mode": "text",
    "judge": "text",
    "rationales": "count",
    "setup": "text",
    "limits": "text",
    "rationale": "text",
    "rationale_is_complete": "flag",
    "claims": "json",
    "unusual_signals": "list",
    "notes": "list",
    "provenance": "json",
    "picture_hashes": "list",
    "duplicate_of": "text",
    "error_code": "text",
    "error_found": "text",
    "error_expected": "text",
    "error_remedy": "text",
    "error_is_transient": "flag",
    "probability": "number",
    "score_lower": "number",
    "score_upper": "number",
    "coverage": "number",
    "calibration_group": "text",
    "calibrator": "text",
}

CALIBRATION_COLUMNS = frozenset(
    {"probability", "score_lower", "score_upper", "coverage", "calibration_group", "calibrator"}
)
# Not in the files of earlier releases.
LATER_COLUMNS = frozenset({"setup", "limits", "provenance", "picture_hashes"}) | CALIBRATION_COLUMNS


@dataclass(frozen=True, slots=True)
class RunContext:
    """What must be equal for an earlier row to stand.

    rationales: how many were drawn. setup: digest of what else decides a score (how files are
    read, the encoders' versions, the backbone's bytes); None where nobody wrote it down.
    limits: digest of the decoder's bounds. A score stands whatever they were, a failure only
    within the same ones.
    """

    mode: Mode
    judge_id: str
    rationales: int = 1
    setup: str | None = None
    limits: str | None = field(default=None, compare=False)


def escape_path(path: str) -> str:
    """`path` as text: backslashes doubled, undecodable bytes as `\\xNN`."""
    doubled = path.replace("\\", "\\\\")
    return re.sub("[\udc80-\udcff]", lambda m: f"\\x{ord(m[0]) - 0xDC00:02x}", doubled)


def unescape_path(text: str) -> str:
    """The path that `escape_path` wrote as `text`; unknown escapes are left alone."""

    def character(match: re.Match[str]) -> str:
        return "\\" if match[0] == "\\\\" else chr(0xDC00 + int(match[1], 16))

    return re.sub(r"\\\\|\\x([89a-f][0-9a-f])", character, text)


def _text(value: str) -> str:
    # Generated text and decoder messages may carry lone surrogates, which UTF-8 cannot hold.
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def to_row(result: ItemResult, context: RunContext) -> Row:
    """The columns of one result, in the order of `COLUMNS`."""
    judgment, error = result.judgment, result.error
    rationale = judgment.rationale if judgment else None
    duplicate_of = result.duplicate_of
    row: Row = dict.fromkeys(COLUMNS)
    row |= {
        "path": escape_path(result.path),
        "sha256": result.sha256,
        "status": "scored" if judgment else "failed",
        "modality": result.modality and str(result.modality),
        "duration_seconds": result.duration_seconds,
        "mode": str(context.mode),
        "judge": _text(context.judge_id),
        "rationales": context.rationales,
        "setup": context.setup,
        "limits": context.limits,
        "unusual_signals": [_text(name) for name in result.unusual_signals],
        "notes": [_text(note) for note in result.notes],
        "provenance": None if result.provenance is None else result.provenance.as_dict(),
        "picture_hashes": list(result.picture_hashes),
        "duplicate_of": None if duplicate_of is None else escape_path(duplicate_of),
    }
    if judgment:
        row |= {"score": judgment.expected_score, "digit_mass": judgment.digit_mass}
        row |= zip(DIGIT_COLUMNS, judgment.digit_probabilities_K, strict=True)
    if rationale:
        row |= {
            "rationale": _text(rationale.text),
            "rationale_is_complete": rationale.is_complete,
            "claims": [
                {
                    "modality": str(claim.modality),
                    "start_seconds": claim.span.start_seconds,
                    "end_seconds": claim.span.end_seconds,
                    "cue": _text(claim.cue),
                    "strength": str(claim.strength),
                }
                for claim in rationale.claims
            ],
        }
    if error:
        row |= {
            "error_code": error.code,
            "error_found": _text(error.found),
            "error_expected": _text(error.expected),
            "error_remedy": _text(error.remedy),
            "error_is_transient": error.is_transient,
        }
    if result.calibrated:
        row |= _calibration_columns(result.calibrated)
    return row


def _calibration_columns(score: CalibratedScore) -> Row:
    return {
        "probability": score.probability,
        "score_lower": score.score_lower,
        "score_upper": score.score_upper,
        "coverage": score.coverage,
        "calibration_group": score.group,
        "calibrator": score.calibrator_id,
    }


def _calibrated(row: Row) -> CalibratedScore | None:
    if row["calibrator"] is None:
        return None
    return CalibratedScore(
        probability=row["probability"],
        score_lower=row["score_lower"],
        score_upper=row["score_upper"],
        coverage=row["coverage"],
        group=row["calibration_group"],
        calibrator_id=row["calibrator"],
    )


def from_row(row: Row) -> tuple[ItemResult, RunContext]:
    """The result and the context that `to_row` made `row` of.

    Raises:
        ValueError, KeyError, TypeError: the row was not written by `to_row`.
    """
    context = RunContext(
        Mode(row["mode"]), row["judge"], row["rationales"], row["setup"], row["limits"]
    )
    judgment, error = None, None
    if row["status"] == "scored":
        rationale = None
        if row["claims"] is not None:
            claims = tuple(
                Claim(
                    Modality(claim["modality"]),
                    Span(claim["start_seconds"], claim["end_seconds"]),
                    claim["cue"],
                    Strength(claim["strength"]),
                )
                for claim in row["claims"]
            )
            rationale = Rationale(row["rationale"] or "", claims, row["rationale_is_complete"])
        judgment = Judgment(
            digit_probabilities_K=tuple(row[column] for column in DIGIT_COLUMNS),
            digit_mass=row["digit_mass"],
            expected_score=row["score"],
            mode=context.mode,
            judge_id=context.judge_id,
            rationale=rationale,
        )
    else:
        error = ItemError(
            code=row["error_code"],
            found=row["error_found"] or "",
            expected=row["error_expected"] or "",
            remedy=row["error_remedy"] or "",
            is_transient=row["error_is_transient"],
        )
    duplicate_of = row["duplicate_of"]
    result = ItemResult(
        path=unescape_path(row["path"]),
        sha256=row["sha256"],
        modality=Modality(row["modality"]) if row["modality"] else None,
        duration_seconds=row["duration_seconds"],
        judgment=judgment,
        error=error,
        duplicate_of=None if duplicate_of is None else unescape_path(duplicate_of),
        unusual_signals=tuple(row["unusual_signals"]),
        notes=tuple(row["notes"]),
        calibrated=_calibrated(row),
        provenance=_provenance(row["provenance"]),
        picture_hashes=tuple(row["picture_hashes"] or ()),
    )
    return result, context


def _provenance(value: Any) -> Provenance | None:
    try:
        return None if value is None else unpack(value)
    except MalformedAnswer as error:
        raise ValueError(str(error)) from error


def json_line(row: Row) -> str:
    """`row` as one line of ASCII JSON."""
    return json.dumps(row, ensure_ascii=True, allow_nan=False)
