"""On which line of a TOML file a key stands, found with the standard parser alone.

A statement (a header, or a key and its value) parses alone, part of one does not. And a document
cut after any statement is a document too: the first cut that has the key ends with its statement.
"""

import tomllib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

KeyPath = tuple[str | int, ...]


def known_part(document: Any, path: Sequence[str | int]) -> KeyPath:
    """The longest beginning of `path` that `document` has."""
    found: list[str | int] = []
    for step in path:
        if isinstance(document, Mapping):
            if step not in document:
                break
        elif not (isinstance(document, list) and isinstance(step, int) and step < len(document)):
            break
        document = document[step]
        found.append(step)
    return tuple(found)


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line, from 1, where the statement begins that gives `path`, or what there is of it.

    An empty path is line 1. text: a document that parses.
    """
    # A line ends with \n alone: `splitlines` would also cut inside strings.
    lines = [line + "\n" for line in text.split("\n")]
    wanted = known_part(tomllib.loads(text), path)
    if not wanted:
        return 1
    statements = _statements(lines)

    def has(end: int) -> bool:
        return known_part(tomllib.loads("".join(lines[:end])), wanted) == wanted

    return statements[bisect_left(statements, True, key=lambda span: has(span[1]))][0] + 1


def _statements(lines: Sequence[str]) -> list[tuple[int, int]]:
    """First line and the line after the last, from 0, of each statement, comment or blank line."""
    found: list[tuple[int, int]] = []
    start = 0
    for end in range(1, len(lines) + 1):
        try:
            tomllib.loads("".join(lines[start:end]))
        except tomllib.TOMLDecodeError:
            continue
        found.append((start, end))
        start = end
    return found
