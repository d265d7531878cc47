"""The audit trail: searched, verified, exported."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from pydantic import Field
from starlette.background import BackgroundTask

from moderation.api.fields import Identifier, Moment, View
from moderation.api.guard import GuardedRoute
from moderation.api.pagination import Page, Paging
from moderation.api.problems import documented
from moderation.api.services import Services
from moderation.audit.check import verify_store
from moderation.audit.records import RecordKind
from moderation.audit.store import Search, search
from moderation.audit.store_export import export_store
from moderation.audit.verification import FaultKind
from moderation.database import reading

router = APIRouter(prefix="/v1/audit", route_class=GuardedRoute, tags=["audit"])
_ERRORS = documented(401, 403, 422, 429, 503)


class RecordView(View):
    """A record as it is hashed, with its hash."""

    schema_version: int = Field(alias="schema")
    sequence: int
    kind: RecordKind
    at: str
    actor: str
    item: str | None
    body: dict[str, Any]
    hash: str


class FaultView(View):
    """What is wrong where."""

    kind: FaultKind
    sequence: int
    detail: str


class VerificationView(View):
    """What a walk over the whole chain found. Keep `head` elsewhere."""

    is_whole: bool
    records: int
    head: str
    faults: list[FaultView]
    faults_found: int


@router.get("/records", summary="Search the trail", responses=_ERRORS)
def records(
    services: Services,
    paging: Paging,
    item: Annotated[Identifier | None, Query(description="About this item.")] = None,
    actor: Annotated[
        str | None, Query(pattern=r"^[a-z]+:[A-Za-z0-9_-]{1,64}$", description="By whom.")
    ] = None,
    kind: Annotated[RecordKind | None, Query(description="Of this kind.")] = None,
    since: Annotated[Moment | None, Query(description="From this time on.")] = None,
    until: Annotated[Moment | None, Query(description="Before this time.")] = None,
    newest_first: Annotated[bool, Query(description="The newest first.")] = False,
) -> Page[RecordView]:
    """Free texts are not in records, only their commitments."""
    listing = f"records-{newest_first}"
    key = paging.after(listing, int)
    wanted = Search(
        item=item,
        actor=actor,
        kind=kind,
        since=since,
        until=until,
        after=None if key is None else key[0],
        limit=paging.limit + 1,
        newest_first=newest_first,
    )
    with reading(services.engine) as connection:
        found = search(connection, wanted)
    return paging.page(listing, found, RecordView.model_validate, lambda row: (row["sequence"],))


@router.get("/verification", summary="Whether the trail is whole", responses=_ERRORS)
def verification(services: Services) -> VerificationView:
    """Walks all of it. The head shows a cut end only against one that is kept elsewhere."""
    found = verify_store(services.engine).chain
    return VerificationView(
        is_whole=found.is_whole,
        records=found.records,
        head=str(found.head),
        faults=[FaultView.model_validate(fault) for fault in found.faults],
        faults_found=found.faults_found,
    )


@router.get(
    "/export",
    summary="The whole trail",
    response_class=FileResponse,
    responses={
        200: {"content": {"application/x-ndjson": {}}, "description": "One record a line."},
        **_ERRORS,
    },
)
def export(services: Services) -> FileResponse:
    """A file that `moderation audit verify --file` checks without this database."""
    path = export_store(services.engine, services.data / "exports")
    return FileResponse(
        path,
        media_type="application/x-ndjson",
        filename="trail.jsonl",
        background=BackgroundTask(path.unlink, missing_ok=True),
    )
