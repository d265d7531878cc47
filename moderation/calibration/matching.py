"""Which recorded score belongs to which labelled file."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from moderation.calibration.calibrator import digit_rows
from moderation.calibration.items import LabelledItems, texts
from moderation.calibration.label_files import Label
from moderation.errors import CalibrationError
from moderation.results import RunContext
from moderation.types import ItemResult, Mode


@dataclass(frozen=True, slots=True)
class FileKey:
    """How a label names a file: by its bytes' SHA-256, by its path, or by both."""

    path: Path | None
    sha256: str | None


def match(keys: Sequence[FileKey], results: Sequence[ItemResult]) -> list[ItemResult | None]:
    """The result of each file, by its bytes where they are known, else by its path.

    None where the file was not scored, or other bytes were scored under its name.
    """
    by_bytes = {result.sha256: result for result in results if result.sha256 and result.judgment}
    by_path = {os.path.realpath(result.path): result for result in results}
    found: list[ItemResult | None] = []
    for key in keys:
        result = by_bytes.get(key.sha256) if key.sha256 else None
        if result is None and key.path is not None:
            result = by_path.get(os.path.realpath(key.path))
            if result is not None and key.sha256 and result.sha256 not in (None, key.sha256):
                result = None
        found.append(result)
    return found


@dataclass(frozen=True, slots=True)
class JudgeScores:
    """Results of one judge in one mode, of one file of `moderation score --out`."""

    context: RunContext
    results: tuple[ItemResult, ...]


def one_judge(
    pairs: Sequence[tuple[ItemResult, RunContext]], *, mode: Mode, judge_id: str | None
) -> JudgeScores:
    """The results of one judge in `mode`; the judge may be left open where there is one only.

    Raises:
        CalibrationError: none of that judge and mode, or several judges or setups.
    """
    named = sorted({f"{context.judge_id} ({context.mode})" for _, context in pairs})
    kept = [
        (result, context)
        for result, context in pairs
        if context.mode is mode and judge_id in (None, context.judge_id)
    ]
    contexts = list(dict.fromkeys(context for _, context in kept))
    if not contexts:
        raise CalibrationError(
            f"no scores of {judge_id or 'a judge'} in {mode} mode, but of "
            f"{', '.join(named) or 'nobody'}",
            expected="scores of that judge and mode",
            remedy="Name another with --judge and --mode, or score the files.",
        )
    if len(contexts) > 1:
        raise CalibrationError(
            f"scores of {', '.join(sorted({c.judge_id for c in contexts}))} in {mode} mode, "
            f"in {len(contexts)} setups",
            expected="scores of one judge in one setup",
            remedy="Choose with --judge, or give each setup a file of its own.",
        )
    return JudgeScores(contexts[0], tuple(result for result, _ in kept))


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Labelled items that have a score, and how many were left over.

    unscored: labels without a score. failed: labels whose file the judge could not score.
    unlabelled: scores without a label.
    """

    items: LabelledItems
    unscored: int
    failed: int
    unlabelled: int


def join(labels: Sequence[Label], scores: JudgeScores) -> Joined:
    """Labels with their scores.

    Raises:
        CalibrationError: no label has a score.
    """
    matched = match([FileKey(label.path, label.sha256) for label in labels], scores.results)
    kept = [
        (label, result, result.judgment)
        for label, result in zip(labels, matched, strict=True)
        if result is not None and result.judgment is not None
    ]
    if not kept:
        raise CalibrationError(
            f"none of {len(labels)} labels has one of {len(scores.results)} scores",
            expected="scores of the labelled files: the same bytes, or the same paths",
            remedy="Score the files of the labels, or name the labels of these files.",
        )
    unscored = sum(result is None for result in matched)
    used = {id(result) for _, result, _ in kept}
    items = LabelledItems(
        digit_NK=digit_rows([judgment for _, _, judgment in kept]),
        is_manipulated_N=np.array([label.is_manipulated for label, _, _ in kept]),
        y_N=np.array([label.y for label, _, _ in kept]),
        weight_N=np.array([label.weight for label, _, _ in kept]),
        source_N=texts([label.source for label, _, _ in kept]),
        modality_N=texts(
            [str(r.modality) if r.modality else label.modality for label, r, _ in kept]
        ),
        family_N=texts([label.family for label, _, _ in kept]),
        split_N=texts([label.split for label, _, _ in kept]),
    )
    unlabelled = sum(r.judgment is not None and id(r) not in used for r in scores.results)
    return Joined(items, unscored, len(labels) - len(kept) - unscored, unlabelled)
