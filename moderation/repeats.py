"""The same bytes, one score: which contents were scored lately."""

from dataclasses import replace

from moderation.types import ItemResult

CONTENTS_MAX = 100_000


class Repeats:
    """Remembers the first row of each content, of the latest `CONTENTS_MAX`."""

    def __init__(self) -> None:
        self._first: dict[str, ItemResult] = {}

    def first(self, sha256: str | None) -> ItemResult | None:
        """The row that was scored with these bytes, if any."""
        return None if sha256 is None else self._first.get(sha256)

    def note(self, result: ItemResult) -> None:
        """A row that later ones may repeat. One without a score is not repeated."""
        if result.sha256 is None or result.judgment is None:
            return
        self._first.setdefault(result.sha256, result)
        if len(self._first) > CONTENTS_MAX:
            self._first.pop(next(iter(self._first)))

    def settle(self, result: ItemResult) -> ItemResult:
        """`result`, or the first row of its bytes under its path; noted."""
        first = self.first(result.sha256)
        if result.judgment is not None and first is not None:
            return repeated(first, result.path)
        self.note(result)
        return result


def repeated(first: ItemResult, path: str) -> ItemResult:
    """The row of a file at `path` with the bytes of an earlier one."""
    return replace(first, path=path, duplicate_of=first.path)
