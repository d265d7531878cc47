"""Heads of a chain kept in a file: a chain that was cut or written anew shows only against one."""

from pathlib import Path

from moderation.audit.chain import Head
from moderation.errors import RecordError


def read_heads(path: Path) -> list[Head]:
    """The heads that `path` keeps, one a line; none where it is not there yet.

    Raises:
        RecordError: a line is no head, or the file cannot be read.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise RecordError(
            f"{path} cannot be read ({error})",
            expected="a file with one NUMBER:HASH a line",
            remedy="Name another file.",
        ) from error
    return [Head.parse(line) for line in lines if line.strip()]


def keep_head(path: Path, head: Head) -> None:
    """Add `head` to `path`, unless it is there."""
    if head.sequence and head not in read_heads(path):
        with path.open("a", encoding="ascii") as file:
            file.write(f"{head}\n")
