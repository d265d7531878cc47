"""Files by the name that the caller gave, and by the one that another process finds them under."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from moderation.types import ItemResult


def absolute(path: Path) -> Path:
    """As another process finds it; links stay as they are."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def as_named(result: ItemResult, path: Path, named: Mapping[str, str]) -> ItemResult:
    """The row of `path`, which was scored under its absolute name.

    named: given by absolute name, for the files that it may be a duplicate of.
    """
    error, copied = result.error, result.duplicate_of
    if error is not None:
        error = replace(error, found=error.found.replace(repr(result.path), repr(str(path))))
    return replace(
        result,
        path=str(path),
        error=error,
        duplicate_of=None if copied is None else named.get(copied, copied),
    )
