"""The audit trail: searched page by page, verified, exported."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from moderation.audit.check import verify_store
from moderation.audit.fields import WORD
from moderation.audit.records import ACTOR, RecordKind
from moderation.audit.store import Search, read_head, search
from moderation.audit.store_export import export_store
from moderation.database import reading
from moderation.errors import RecordError
from moderation.web.context import Services
from moderation.web.guard import ConsoleRoute
from moderation.web.rendering import page

router = APIRouter(route_class=ConsoleRoute)
PAGE_RECORDS = 50
_YEAR = re.compile(r"2\d{3}-")

Text = Annotated[str, Query(max_length=200)]
After = Annotated[int | None, Query(ge=0, le=2**53)]


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """A record; told: its body in one line; whole: all of it as JSON."""

    record: dict[str, Any]
    told: str
    whole: str


@router.get("/console/lead/audit")
def search_trail(
    request: Request,
    services: Services,
    item: Text = "",
    actor: Text = "",
    kind: Text = "",
    since: Text = "",
    until: Text = "",
    order: Text = "newest",
    after: After = None,
) -> Response:
    """Records with all that is asked for. Times are UTC."""
    asked = {
        "item": item.strip(),
        "actor": actor.strip(),
        "kind": kind,
        "since": since,
        "until": until,
        "order": "oldest" if order == "oldest" else "newest",
    }
    wrong = _wrong(asked)
    found: list[dict[str, Any]] = []
    with reading(services.parts.engine) as connection:
        head = read_head(connection)
        if wrong is None:
            try:
                found = search(connection, _search(asked, after))
            except RecordError as error:
                wrong = f"A record is damaged: {error.found}. Verify the trail."
    shown = found[:PAGE_RECORDS]
    further = len(found) > PAGE_RECORDS
    return page(
        request,
        "lead/audit.html",
        200 if wrong is None else 422,
        asked=asked,
        kinds=list(RecordKind),
        wrong=wrong,
        head=head,
        records=[_shown(one) for one in shown],
        next_query=urlencode(asked | {"after": shown[-1]["sequence"]}) if further else None,
    )


@router.get("/console/lead/audit/verification")
def verify_trail(request: Request, services: Services) -> Response:
    """Walks all of it, and says what was tampered with where."""
    found = verify_store(services.parts.engine)
    return page(request, "lead/verification.html", found=found, chain=found.chain)


@router.get("/console/lead/audit/export")
def export_trail(services: Services) -> FileResponse:
    """A file that `moderation audit verify --file` checks without this database."""
    path = export_store(services.parts.engine, services.parts.data / "exports")
    return FileResponse(
        path,
        media_type="application/x-ndjson",
        filename="trail.jsonl",
        background=BackgroundTask(path.unlink, missing_ok=True),
    )


def _search(asked: dict[str, str], after: int | None) -> Search:
    return Search(
        item=asked["item"] or None,
        actor=asked["actor"] or None,
        kind=RecordKind(asked["kind"]) if asked["kind"] else None,
        since=_moment(asked["since"]),
        until=_moment(asked["until"]),
        after=after,
        limit=PAGE_RECORDS + 1,
        newest_first=asked["order"] == "newest",
    )


def _wrong(asked: dict[str, str]) -> str | None:
    """What of a search cannot be; None where nothing is."""
    if asked["item"] and not WORD.fullmatch(asked["item"]):
        return "No item has such an id: it has letters, digits and dashes."
    if asked["actor"] and not ACTOR.fullmatch(asked["actor"]):
        return "An actor is ROLE:NAME, such as reviewer:ann or system:serve."
    if asked["kind"] and asked["kind"] not in set(RecordKind):
        return "There is no such kind of record."
    try:
        _moment(asked["since"]), _moment(asked["until"])
    except ValueError:
        return "A time is YYYY-MM-DD HH:MM, in UTC."
    return None


def _moment(text: str) -> datetime | None:
    """As a browser's field has it.

    Raises:
        ValueError: it is none.
    """
    if not text:
        return None
    if not _YEAR.match(text):
        raise ValueError(text)
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _shown(record: dict[str, Any]) -> ShownRecord:
    told = ", ".join(f"{name} {_word(value)}" for name, value in record["body"].items())
    whole = json.dumps(record, indent=2, ensure_ascii=False, default=str)
    return ShownRecord(record, told, whole)


def _word(value: Any) -> str:
    if isinstance(value, dict | list):
        return f"({len(value)})"
    return str(value)
