"""A simulation for people and machines: a table, `report.json`, `report.png`, `report.html`."""

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from moderation import __version__
from moderation.cli.simulation_report.figures import MEASURES, cell, figures, mean
from moderation.cli.text import printable
from moderation.simulation.experiment import Comparison

__all__ = ["figures", "show", "write_report"]


def show(comparison: Comparison, out: Path | None) -> None:
    """A row an order on standard output."""
    from rich.table import Table

    from moderation.cli.results_view import output_console

    console = output_console()
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("order", no_wrap=True)
    for name in MEASURES:
        table.add_column(name, justify="right")
    for discipline in comparison.disciplines:
        first, *rest = MEASURES
        means = (mean(comparison, discipline.label, name) for name in rest)
        table.add_row(discipline.label, cell(comparison, discipline.label, first), *means)
    console.print(table)
    console.print(
        f"means of {len(comparison.seeds)} seeds; of harm with its 95 % interval", soft_wrap=True
    )
    if out is not None:
        console.print(f"Report: {printable(str(out / 'report.html'))}", soft_wrap=True)


def write_report(comparison: Comparison, about: Mapping[str, Any], out: Path) -> None:
    """Write the three files into the folder `out`."""
    from moderation.cli.simulation_report.pictures import draw

    out.mkdir(parents=True, exist_ok=True)
    record = figures(comparison, about)
    (out / "report.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    svg = draw(comparison, out / "report.png")
    (out / "report.html").write_text(_html(comparison, about, svg), encoding="utf-8")


def _html(comparison: Comparison, about: Mapping[str, Any], svg: str) -> str:
    """One page that loads nothing from anywhere, and runs no script."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["visible"] = lambda value: printable(str(value))
    own = resources.files(__package__)
    template = environment.from_string((own / "report.html.j2").read_text(encoding="utf-8"))
    return template.render(
        about={key.replace("_", " "): value for key, value in about.items() if value is not None},
        measures=list(MEASURES),
        rows=[
            (one.label, [cell(comparison, one.label, name) for name in MEASURES])
            for one in comparison.disciplines
        ],
        first=comparison.disciplines[0].label,
        picture=Markup(svg),  # noqa: S704 - Matplotlib escapes the words in it
        version=__version__,
    )
