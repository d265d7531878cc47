"""Files by reference: a table of addresses, each fetched by the server in its turn."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from moderation.casework.fetching import fetch
from moderation.database import writing
from moderation.errors import TypedError
from moderation.intake.declaring import COLUMNS, Declaration, read_references
from moderation.intake.errors import SubmissionError
from moderation.intake.submission import submit
from moderation.intake.types import Item, Source
from moderation.route_services import RouteServices
from moderation.web.context import Form, Services, Visit
from moderation.web.guard import ConsoleRoute, status_of
from moderation.web.rendering import page

router = APIRouter(route_class=ConsoleRoute)


@router.post("/console/references")
def read(request: Request, services: Services, form: Form) -> Response:
    """The rows of a table, read and checked; the page fetches them one after the other."""
    _require_allowed(services.parts)
    rows = [_fields(one) for one in read_references(form.get("table", ""))]
    return page(request, "references.html", rows=rows)


@router.post("/console/references/fetch")
def fetch_one(request: Request, services: Services, visitor: Visit, form: Form) -> Response:
    """One of them: what became of it, or why there is nothing, and a button to try again."""
    parts = services.parts
    _require_allowed(parts)
    declared = Declaration.of(form)
    item, error = None, None
    try:
        item = _take_in(parts, declared, visitor.key.name)
    except TypedError as refused:
        # A fault of the server is raised from here.
        status_of(refused)
        error = refused
    if request.headers.get("hx-request") != "true":
        return RedirectResponse("/console/uploads", 303)
    return page(request, "references/_row.html", row=_fields(declared), item=item, error=error)


def _take_in(parts: RouteServices, declared: Declaration, uploader: str) -> Item:
    if declared.url is None:
        raise SubmissionError("no url", expected="an address", remedy="Correct the table.")
    with parts.blobs.keeping():
        blob = fetch(parts.blobs, parts.outbound, declared.url)
        with writing(parts.engine) as connection:
            new = declared.new_item(blob.sha256, blob.size_bytes, uploader, Source.REFERENCE)
            item = submit(connection, new, now=parts.clock())
    parts.ring(blob.sha256)
    return item


def _fields(declared: Declaration) -> Mapping[str, str]:
    """As `Declaration.of` reads them again."""
    views = declared.views
    told = (
        declared.url,
        declared.name,
        declared.surface,
        declared.reported_clause,
        views.reach,
        views.remaining,
        views.an_hour,
    )
    return {name: str(value) for name, value in zip(COLUMNS, told, strict=True) if value}


def _require_allowed(parts: RouteServices) -> None:
    if not parts.limits.allow_fetch:
        raise SubmissionError(
            "a table of addresses, though this deployment fetches nothing",
            expected="files",
            remedy="Upload the files, or ask the operator for MODERATION_ALLOW_FETCH.",
        )
