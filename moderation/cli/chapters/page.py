"""A report as files: `report.json`, and `report.html`, one page that loads nothing from anywhere.

File names come from whoever made the files. Every string goes through the template's escaping
after control characters have been spelled out, and the page runs no script.
"""

from importlib import resources
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from moderation import __version__
from moderation.atomic import write_bytes
from moderation.cli.chapters.section import Report
from moderation.cli.text import printable

JSON_NAME, HTML_NAME = "report.json", "report.html"
_TEXT_MAX = 2000


def visible(text: object) -> str:
    """One harmless line of bounded length."""
    value = str(text)
    return printable(value[:_TEXT_MAX]) + ("…" if len(value) > _TEXT_MAX else "")


def html(report: Report) -> str:
    """The report as one page, light or dark as the reader's system is."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["visible"] = visible
    environment.filters["drawing"] = Markup
    environment.filters["kind"] = lambda block: type(block).__name__
    own = resources.files(__package__)
    shared = resources.files("moderation.cli.report") / "report.css"
    style = shared.read_text(encoding="utf-8") + (own / "report.css").read_text(encoding="utf-8")
    template = environment.from_string((own / "report.html.j2").read_text(encoding="utf-8"))
    return template.render(
        report=report,
        style=Markup(style),  # noqa: S704 - ours
        version=__version__,
    )


def write_report(report: Report, out: Path) -> Path:
    """Write both files into the folder `out`, each whole or not at all; returns the HTML's path."""
    write_bytes(out / JSON_NAME, report.json_text().encode("ascii"))
    write_bytes(out / HTML_NAME, html(report).encode("utf-8"))
    return out / HTML_NAME
