"""Recorded scores: result files of `moderation score`, matched to the rows of a manifest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from moderation.calibration import matching
from moderation.calibration.matching import FileKey
from moderation.errors import ConfigurationError
from moderation.result_files import SUFFIXES, read_rows
from moderation.results import RunContext, from_row, unescape_path
from moderation.types import ItemResult
from rl.evaluation.labels import Row

# Baseline detectors record the probability that they were fitted to give.
PROBABILITY_COLUMN = "p_manipulated"


@dataclass(frozen=True, slots=True)
class Scores:
    """What one judge said of many files.

    probabilities: P(manipulated) by path, where the judge gives one itself.
    """

    context: RunContext
    results: tuple[ItemResult, ...]
    probabilities: Mapping[str, float] = field(default_factory=dict)

    @property
    def judge_id(self) -> str:
        return self.context.judge_id


def is_record(name: str) -> bool:
    """Whether `name` means a file of recorded scores rather than a judge."""
    return Path(name).suffix.lower() in SUFFIXES


def read_scores(path: Path) -> Scores:
    """The scores in a result file of one judge.

    Raises:
        ConfigurationError: no such file, an empty one, or several judges or modes in it.
        ManifestError: it holds something else.
    """
    if not path.is_file():
        raise ConfigurationError(
            f"{path} is not there",
            expected="a file written by `moderation score --out`",
            remedy="Name another, or the judge itself.",
        )
    pairs = [from_row(row) for row in read_rows(path)]
    contexts = list(dict.fromkeys(context for _, context in pairs))
    if len(contexts) != 1:
        named = ", ".join(sorted({f"{c.judge_id} {c.mode}" for c in contexts})) or "no rows"
        raise ConfigurationError(
            f"{path} holds {named}",
            expected="scores of one judge, in one mode and one setup",
            remedy="Give each judge a file of its own.",
        )
    results = tuple(result for result, _ in pairs)
    return Scores(contexts[0], results, _probabilities(path))


def _probabilities(path: Path) -> dict[str, float]:
    if path.suffix.lower() != ".parquet":
        return {}
    if PROBABILITY_COLUMN not in pq.read_schema(path).names:
        return {}
    table = pq.read_table(path, columns=["path", PROBABILITY_COLUMN]).to_pylist()
    return {
        unescape_path(row["path"]): float(row[PROBABILITY_COLUMN])
        for row in table
        if row[PROBABILITY_COLUMN] is not None
    }


def match(rows: Sequence[Row], scores: Scores) -> list[ItemResult | None]:
    """The result of each row, see `moderation.calibration.matching.match`."""
    keys = [FileKey(row["file"], row.get("sha256") or None) for row in rows]
    return matching.match(keys, scores.results)
