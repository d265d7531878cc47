"""What the commands read: scores of one judge, and labels for them."""

from pathlib import Path

from moderation.calibration.label_files import MANIFEST, Label, in_splits, read_labels, splits_of
from moderation.errors import ConfigurationError, ManifestError
from moderation.file_identity import file_sha256
from moderation.result_files import SUFFIXES, read_rows
from moderation.results import RunContext, from_row
from moderation.types import ItemResult

CALIBRATION_SPLIT = "calibration"


def read_scores(path: Path) -> list[tuple[ItemResult, RunContext]]:
    """Every row of a result file.

    Raises:
        ConfigurationError: no such file, or not one of ours by its name.
        ManifestError: something else is in it.
    """
    if not path.is_file() or path.suffix.lower() not in SUFFIXES:
        raise ConfigurationError(
            f"{path} is no file of scores",
            expected=f"a file written by `moderation score --out`: {', '.join(SUFFIXES)}",
            remedy="Name another with --scores.",
        )
    return [from_row(row) for row in read_rows(path)]


def fitting_labels(path: Path, splits: list[str] | None) -> tuple[list[Label], tuple[str, ...]]:
    """Labels to fit on: of the named splits, of `calibration`, or all where there is one split.

    Raises:
        ManifestError: no labels, or several splits, none of them named or called `calibration`.
    """
    labels = read_labels(path)
    there = splits_of(labels)
    if splits is None and CALIBRATION_SPLIT not in there and len(there) != 1:
        raise ManifestError(
            f"{path} has the splits {', '.join(name or '(none)' for name in there) or '(no rows)'}",
            expected=f"one called {CALIBRATION_SPLIT}",
            remedy="Name one with --split that the judge was not trained on.",
        )
    if splits is None and CALIBRATION_SPLIT not in there:
        return labels, there
    names = tuple(splits or (CALIBRATION_SPLIT,))
    return in_splits(labels, names), names


def digest(path: Path) -> str:
    """SHA-256 of the scores or labels that a command read.

    Raises:
        ManifestError: the file has gone since.
    """
    file = path / MANIFEST if path.is_dir() else path
    found = file_sha256(file)
    if found is None:
        raise ManifestError(
            f"{file} cannot be read",
            expected="a regular file that stays where it is",
            remedy="Try again.",
        )
    return found
