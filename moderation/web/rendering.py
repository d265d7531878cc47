"""Pages out of templates: everything escaped, and strangers' texts without control characters."""

from datetime import datetime
from importlib import resources
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from moderation.intake.types import untrusted_text
from moderation.priority.lanes import Lane
from moderation.priority.words import amount
from moderation.web import wording
from moderation.web.timeline import clock, stretch

_LANES = {Lane.LEGAL: "legal deadline", Lane.ORDINARY: "ordinary", Lane.DEFERRED: "deferred"}


def build_templates() -> Environment:
    """The templates of this package."""
    environment = Environment(
        loader=PackageLoader("moderation.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "shown": _shown,
        "lane": lane_name,
        "moment": _moment,
        "clock": clock,
        "stretch": stretch,
        "short": _short,
        "number": wording.number,
        "amount": amount,
        "percent": wording.percent,
        "duration": wording.duration,
        "counted": wording.counted,
        "bytes": _bytes,
    }
    environment.globals["until"] = until
    return environment


def _shown(text: object, characters_max: int = 600) -> str:
    return untrusted_text(str(text), characters_max)


def lane_name(number: int) -> str:
    """A lane in words."""
    return _LANES.get(Lane(number), "") if number in set(Lane) else f"lane {number}"


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _bytes(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"


def until(at: datetime, now: datetime) -> str:
    """The time that is left, or since when it is over, in words."""
    told = wording.duration(abs(at - now))
    return f"{told} left" if at > now else f"late by {told}"


def page(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    """A page, or a part of one."""
    services, visitor = request.app.state.console, request.state.visitor
    known: dict[str, Any] = {
        "visitor": visitor,
        "form_token": visitor.session.form_token if visitor else "",
        "path": request.url.path,
        "now": services.parts.clock(),
    }
    return HTMLResponse(services.templates.get_template(template).render(known | context), status)


def assets() -> dict[str, bytes]:
    """Scripts, styles and what is vendored, by their names under `static`."""
    root = resources.files("moderation.web") / "static"
    return {
        "forms.css": (root / "forms.css").read_bytes(),
        "uploads.js": (root / "uploads.js").read_bytes(),
        "selection.js": (root / "selection.js").read_bytes(),
        "console.css": (root / "console.css").read_bytes(),
        "console.js": (root / "console.js").read_bytes(),
        "item.css": (root / "item.css").read_bytes(),
        "item.js": (root / "item.js").read_bytes(),
        "lease.js": (root / "lease.js").read_bytes(),
        "login.js": (root / "login.js").read_bytes(),
        "next.js": (root / "next.js").read_bytes(),
        "lead.css": (root / "lead.css").read_bytes(),
        "lead.js": (root / "lead.js").read_bytes(),
        "icon.svg": (root / "icon.svg").read_bytes(),
        "htmx.min.js": (root / "vendor" / "htmx" / "htmx.min.js").read_bytes(),
    }
