"""Statements of reasons, and the files that the DSA Transparency Database takes."""

from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import FileResponse
from pydantic import Field
from sqlalchemy import select

from moderation.api.fields import View
from moderation.api.guard import GuardedRoute
from moderation.api.pagination import Page, Paging
from moderation.api.problems import Missing, documented
from moderation.api.services import Caller, Services
from moderation.audit.canonical import parse_exact
from moderation.audit.statement_store import export_statements
from moderation.audit.tables import statements
from moderation.database import reading
from moderation.route_services import RouteServices

router = APIRouter(prefix="/v1/statements", route_class=GuardedRoute, tags=["audit"])
_ERRORS = documented(401, 403, 404, 422, 429, 503)


class StatementView(View):
    """A statement, as the DSA Transparency Database (API version 2) takes it."""

    sequence: int = Field(description="Number of its audit record.")
    puid: str
    batch: int | None = Field(description="File that it was exported in.")
    payload: dict[str, Any]


class ExportedView(View):
    """A file of up to 100 statements."""

    number: int
    statements: int
    sha256: str


class ExportsView(View):
    """What this call exported; nothing is exported twice."""

    exports: list[ExportedView]


@router.get("", summary="Statements of reasons", responses=_ERRORS)
def list_all(services: Services, paging: Paging) -> Page[StatementView]:
    """In the order in which they were issued."""
    key = paging.after("statements", int)
    query = select(statements).order_by(statements.c.sequence).limit(paging.limit + 1)
    if key is not None:
        query = query.where(statements.c.sequence > key[0])
    with reading(services.engine) as connection:
        found = connection.execute(query).all()
    return paging.page(
        "statements",
        found,
        lambda row: StatementView(
            sequence=row.sequence,
            puid=row.puid,
            batch=row.batch,
            payload=parse_exact(row.payload.encode()),
        ),
        lambda row: (row.sequence,),
    )


@router.post(
    "/exports", status_code=201, summary="Export what was not exported yet", responses=_ERRORS
)
def export(services: Services, caller: Caller) -> ExportsView:
    """Files of up to 100 statements, to be sent as they are; one cut off is completed."""
    written = export_statements(
        services.engine, _folder(services), actor=caller.actor, at=services.clock()
    )
    return ExportsView(exports=[ExportedView.model_validate(one) for one in written])


@router.get(
    "/exports/{number}",
    summary="One file of statements",
    response_class=FileResponse,
    responses={200: {"content": {"application/json": {}}, "description": "The file."}, **_ERRORS},
)
def exported(services: Services, number: Annotated[int, Path(ge=1, le=999_999)]) -> FileResponse:
    """The body of one request to the Transparency Database."""
    path = _folder(services) / f"statements-{number:06d}.json"
    if not path.is_file():
        raise Missing(
            f"no file {number} of statements",
            expected="the number of an export",
            remedy="Export first.",
        )
    return FileResponse(path, media_type="application/json", filename=path.name)


def _folder(services: RouteServices) -> FilePath:
    return services.data / "statements"
