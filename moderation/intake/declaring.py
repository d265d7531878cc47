"""What senders say of their files, in the fields of a form or the rows of a table."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from moderation.intake.errors import SubmissionError
from moderation.intake.types import NewItem, Source, Views

SURFACE = "feed"
REFERENCES_MAX = 50
COLUMNS = ("url", "name", "surface", "reported_clause", "reach", "remaining_views", "views_an_hour")
_COUNT_MAX = 1e15
_URL_CHARACTERS = range(8, 2001)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is told of an item beside its bytes; see `NewItem`. url: where they lie, if anywhere."""

    name: str = ""
    surface: str = SURFACE
    reported_clause: str | None = None
    views: Views = field(default_factory=Views)
    url: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Declaration":
        """From texts by the names of `COLUMNS`; what is blank is left to the defaults.

        Raises:
            SubmissionError: a field that no item can have.
        """
        told = {name: given.get(name, "").strip() for name in COLUMNS}
        if told["url"] and len(told["url"]) not in _URL_CHARACTERS:
            raise _refused("url", told["url"], "an address of 8 to 2000 characters")
        views = [_count(name, told[name]) for name in ("reach", "remaining_views", "views_an_hour")]
        found = cls(
            name=told["name"],
            surface=told["surface"] or SURFACE,
            reported_clause=told["reported_clause"] or None,
            views=Views(*views),
            url=told["url"] or None,
        )
        try:
            found.new_item("0" * 64, 0, None)
        except ValueError as error:
            raise SubmissionError(
                str(error), expected="the name of a surface or clause", remedy="Correct it."
            ) from error
        return found

    def new_item(
        self, sha256: str, size_bytes: int, uploader: str | None, source: Source = Source.UPLOAD
    ) -> NewItem:
        """The item, for `submit`."""
        return NewItem(
            sha256=sha256,
            size_bytes=size_bytes,
            surface=self.surface,
            declared_name=self.name,
            uploader=uploader,
            source=source,
            views=self.views,
            reported_clause=self.reported_clause,
        )


def reference_rows(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV table in UTF-8 with a header, without their empty cells.

    Raises:
        UnicodeDecodeError, csv.Error: it is none.
    """
    table = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return [{name: cell for name, cell in row.items() if cell not in ("", None)} for row in table]


def read_references(text: str) -> Sequence[Declaration]:
    """The references of a table with a column `url`, and any other of `COLUMNS`; all or none.

    Raises:
        SubmissionError: it is none, has other columns, a bad row, or too many; says which row.
    """
    try:
        rows = reference_rows(text.encode("utf-8", "backslashreplace"))
    except csv.Error as error:
        raise SubmissionError(
            f"a table that cannot be read: {error}", expected="CSV", remedy="Correct it."
        ) from error
    if not 0 < len(rows) <= REFERENCES_MAX:
        raise SubmissionError(
            f"a table of {len(rows)} rows below its header",
            expected=f"1 to {REFERENCES_MAX}",
            remedy="Send more tables, one after the other." if rows else "Add rows.",
        )
    found = []
    for number, row in enumerate(rows, start=1):
        unknown = [name for name in row if name not in COLUMNS]
        if unknown or not row.get("url", "").strip():
            what = f"a column {str(unknown[0])[:60]!r}" if unknown else "no url"
            raise SubmissionError(
                f"row {number} has {what}",
                expected=f"url, and any of {', '.join(COLUMNS[1:])}",
                remedy="Correct the header, or that row.",
            )
        try:
            found.append(Declaration.of(row))
        except SubmissionError as error:
            raise SubmissionError(
                f"row {number}: {error.found}", expected=error.expected, remedy=error.remedy
            ) from error
    return found


def _count(name: str, text: str) -> float:
    try:
        value = float(text or 0)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= _COUNT_MAX:
        raise _refused(name, text, "a number of 0 or more")
    return value


def _refused(name: str, text: str, expected: str) -> SubmissionError:
    return SubmissionError(
        f"{text[:60]!r} for {name.replace('_', ' ')}", expected=expected, remedy="Correct it."
    )
