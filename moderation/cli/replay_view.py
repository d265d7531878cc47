"""How a replay looks: a column a policy, and the items that changed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from moderation.cli.results_view import output_console
from moderation.cli.text import printable
from moderation.replay.replaying import Change, Load

_ROWS = (
    ("allowed", "allowed by the machine"),
    ("reviewed", "sent to review"),
    ("deferred", "  of these, behind the bar"),
    ("sampled", "  of these, drawn for a sample"),
    ("enforced", "enforced by the machine"),
    ("copies", "served by the decision on a copy"),
    ("minutes", "minutes of review"),
    ("expected_harm", "expected harm that is left"),
    ("labelled", "items with a label"),
    ("missed_manipulations", "  manipulated, and allowed"),
    ("wrongly_enforced", "  genuine, and enforced"),
)


def as_record(loads: Mapping[str, Load], changed: Sequence[Change]) -> dict[str, Any]:
    """Everything, for machines."""
    return {
        "policies": {name: asdict(load) for name, load in loads.items()},
        "changed": [one.as_row() for one in changed],
    }


def show(
    loads: Mapping[str, Load], changed: Sequence[Change], *, rows: int, out: Path | None
) -> None:
    """Two tables on standard output."""
    console = output_console()
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("")
    for name in loads:
        table.add_column(Text(printable(name)), justify="right")
    for field, told in _ROWS:
        cells = (getattr(load, field) for load in loads.values())
        table.add_row(told, *(f"{cell:,.0f}" for cell in cells))
    console.print(table)
    moved = Counter((one.before, one.after) for one in changed)
    items = "item is" if len(changed) == 1 else "items are"
    console.print(f"\n{len(changed)} {items} treated in another way", soft_wrap=True)
    for (before, after), count in moved.most_common():
        console.print(f"  {count} from {before} to {after}", soft_wrap=True)
    if changed and rows:
        _show_items(changed[:rows])
    if len(changed) > rows:
        where = "--out writes all" if out is None else f"all are in {printable(str(out))}"
        console.print(f"… and {len(changed) - rows} more; {where}", soft_wrap=True)


def _show_items(changed: Sequence[Change]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("item", "P(manipulated)", "before", "after", "label", "why"):
        table.add_column(name, overflow="fold")
    labels = {True: "manipulated", False: "genuine", None: ""}
    for one in changed:
        probability = "" if one.probability is None else f"{one.probability:.4f}"
        cells = (one.path, probability, one.before, one.after, labels[one.is_manipulated], one.why)
        table.add_row(*(Text(printable(cell)) for cell in cells))
    output_console().print(table)
