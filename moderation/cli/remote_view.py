"""Tables of what the server says; everything in them is made harmless for terminals."""

from collections.abc import Mapping, Sequence
from typing import Any


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """One line a row; what is not there stays empty."""
    from rich.table import Table
    from rich.text import Text

    from moderation.cli.results_view import output_console
    from moderation.cli.text import printable

    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        cells = ("" if row.get(name) is None else str(row[name]) for name in columns)
        table.add_row(*(Text(printable(cell)) for cell in cells))
    output_console().print(table)
