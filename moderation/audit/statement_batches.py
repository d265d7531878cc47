"""Files that the database's `/api/v2/statements` takes as they are: up to 100 statements each."""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from moderation.audit.statements import StatementOfReasons, read_statement
from moderation.errors import OutputError, StatementError

BATCH_MAX = 100


@dataclass(frozen=True, slots=True)
class WrittenBatch:
    """One file. number: from 1. sha256: of its bytes."""

    number: int
    path: Path
    statements: int
    sha256: str


def batches(
    statements: Iterable[StatementOfReasons],
) -> Iterable[tuple[StatementOfReasons, ...]]:
    """`statements` in order, up to `BATCH_MAX` at a time."""
    ahead = iter(statements)
    while batch := tuple(islice(ahead, BATCH_MAX)):
        yield batch


def batch_bytes(batch: Sequence[StatementOfReasons]) -> bytes:
    """The body of one request.

    Raises:
        StatementError: none or more than 100 statements, or a PUID twice.
    """
    if not 1 <= len(batch) <= BATCH_MAX or len({one.puid for one in batch}) < len(batch):
        raise StatementError(
            f"a batch of {len(batch)} statements",
            expected=f"1 to {BATCH_MAX}, each with a PUID of its own",
            remedy="Split it, or leave out what was exported before.",
        )
    body = {"statements": [one.payload() for one in batch]}
    return json.dumps(body, indent=1, ensure_ascii=False).encode() + b"\n"


def write_batch(batch: Sequence[StatementOfReasons], number: int, folder: Path) -> WrittenBatch:
    """Write `statements-NNNNNN.json`, whole or not at all; the same batch gives the same file.

    Raises:
        StatementError: see `batch_bytes`.
        OutputError: the disk does not take it.
    """
    content = batch_bytes(batch)
    path = folder / f"statements-{number:06d}.json"
    partial = path.with_suffix(".json.partial")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        remedy = "Free space there, then export again: nothing is exported twice."
        raise OutputError.of(error, str(path), remedy=remedy) from error
    return WrittenBatch(number, path, len(batch), hashlib.sha256(content).hexdigest())


def read_batch(path: Path) -> tuple[StatementOfReasons, ...]:
    """The statements of one file, all checked anew.

    Raises:
        StatementError: no file of this form, or a statement that breaks a rule.
    """
    try:
        body = json.loads(path.read_bytes())
        payloads = body["statements"]
        statements = tuple(read_statement(payload) for payload in payloads)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StatementError(
            f"{path} is no batch of statements ({type(error).__name__})",
            expected='a JSON object {"statements": [...]}',
            remedy="Name a file that the export wrote.",
        ) from error
    batch_bytes(statements)
    return statements
