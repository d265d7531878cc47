"""Graded answers in the form of the Prometheus benchmarks: rubric, scores 1 to 5, feedbacks.

Scores keep their digit: rubrics speak of "Score 1" to "Score 5", so level k of the scale is score
k, and levels 0 and 6 to 9 stay unused. Correlations do not depend on it.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moderation.errors import ConfigurationError, ManifestError
from moderation.types import LEVELS_K
from rl.corpus.sources import find

SCORE_MIN, SCORE_MAX = 1, 5
_HEADING = re.compile(r"^###(?P<name>[^\n]*?):[ \t]*$", re.MULTILINE)
_HEADINGS = {
    "The instruction to evaluate": "instruction",
    "Response to evaluate": "response",
    "Reference Answer (Score 5)": "reference",
    "Score Rubrics": "rubric",
}


@dataclass(frozen=True, slots=True)
class TextItem:
    """One answer to judge.

    question: names the question; items of one question belong together in a split and in a
    bootstrap draw. scores: of the raters, 1..5. feedbacks: what they wrote, one a rater.
    """

    question: str
    instruction: str
    response: str
    reference: str
    rubric: str
    scores: tuple[int, ...]
    feedbacks: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.scores or len(self.scores) != len(self.feedbacks):
            raise ValueError(f"{len(self.scores)} scores and {len(self.feedbacks)} feedbacks")
        for score in self.scores:
            if not SCORE_MIN <= score <= SCORE_MAX:
                raise ValueError(f"score {score} is not in {SCORE_MIN}..{SCORE_MAX}")

    @property
    def y(self) -> float:
        """The mean of the raters' scores."""
        return math.fsum(self.scores) / len(self.scores)

    @property
    def raters_K(self) -> tuple[float, ...]:
        """The raters' shares of each level."""
        counts = Counter(self.scores)
        return tuple(counts[level] / len(self.scores) for level in range(LEVELS_K))

    @property
    def nearest(self) -> int:
        """The rater whose score is nearest to the mean, the first of several."""
        return min(range(len(self.scores)), key=lambda i: abs(self.scores[i] - self.y))


def found_data(name: str, roots: Sequence[Path]) -> Path:
    """The file of graded answers in the first source folder that has it.

    Raises:
        ConfigurationError: none has.
    """
    path = find(name, roots)
    if path is None:
        raise ConfigurationError(
            f"{name} is in none of the source folders",
            expected=f"it below one of: {', '.join(map(str, roots))}",
            remedy="Run `moderation corpus fetch rl/recipes/text-sources.toml`, or name its folder "
            "with --sources or in MODERATION_SOURCES.",
        )
    return path


def read_items(path: Path) -> list[TextItem]:
    """A JSON list, or JSON lines, of such items.

    Raises:
        ManifestError: not such a file; it names the row.
    """
    try:
        text = path.read_text(encoding="utf-8")
        is_list = text.lstrip().startswith("[")
        rows = json.loads(text) if is_list else [json.loads(s) for s in text.splitlines() if s]
    except (OSError, ValueError) as error:
        raise ManifestError(
            f"{path}: {error}",
            expected="a JSON list or JSON lines",
            remedy="Fetch the file again, or name another in key 'data'.",
        ) from error
    return [_item(path, number, row) for number, row in enumerate(rows)]


def _item(path: Path, number: int, row: Any) -> TextItem:
    try:
        parts = _parts(row["instruction"])
        if "gpt4_score" in row:
            scores, feedbacks = row["gpt4_score"], row["gpt4_feedback"]
        else:
            scores, feedbacks = [row["orig_score"]], [row["orig_feedback"]]
        # Files of a training set have no number of the question: its text names it.
        question = str(row["idx"]) if "idx" in row else parts["instruction"]
        return TextItem(
            question=question,
            scores=tuple(int(score) for score in scores),
            feedbacks=tuple(str(feedback) for feedback in feedbacks),
            **parts,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(
            f"{path}, row {number}: {type(error).__name__}: {error}",
            expected="instruction with its four parts, scores from 1 to 5 and their feedbacks",
            remedy="Correct the row, or take it out.",
        ) from error


def _parts(text: str) -> dict[str, str]:
    """The four parts of a prompt, by their headings."""
    found: dict[str, str] = {}
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    for heading, end in zip(headings, ends, strict=True):
        name = _HEADINGS.get(heading["name"].strip())
        # An answer may hold such a heading of its own: the first one counts.
        if name is not None and name not in found:
            found[name] = text[heading.end() : end].strip()
    missing = set(_HEADINGS.values()) - found.keys()
    if missing:
        raise ValueError(f"the instruction has no part {', '.join(sorted(missing))}")
    return found
