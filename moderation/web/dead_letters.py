"""Jobs that ended without a score: why, and another try."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from moderation.casework import surveillance
from moderation.casework.deadletters import find_dead, retry
from moderation.database import reading, writing
from moderation.intake.listings import After, dead_jobs
from moderation.web.context import Cursor, PathId, Services, Visit
from moderation.web.cursors import cursor, read_cursor
from moderation.web.guard import ConsoleRoute
from moderation.web.rendering import page

router = APIRouter(route_class=ConsoleRoute)
PAGE_JOBS = 25


@router.get("/console/lead/dead-letters")
def list_dead_letters(request: Request, services: Services, after: Cursor = "") -> Response:
    """The one that has been dead for longest first, page by page."""
    key = read_cursor(after)
    with reading(services.parts.engine) as connection:
        counts = surveillance.dead_jobs(connection)
        found = dead_jobs(
            connection, after=None if key is None else After(*key), limit=PAGE_JOBS + 1
        )
    shown = found[:PAGE_JOBS]
    next_after = None
    if len(found) > PAGE_JOBS and shown[-1].closed_at is not None:
        next_after = cursor(shown[-1].closed_at, shown[-1].id)
    return page(request, "lead/dead_letters.html", counts=counts, jobs=shown, next_after=next_after)


@router.get("/console/lead/dead-letters/{job_id}")
def show_dead_letter(request: Request, services: Services, job_id: PathId) -> Response:
    """One job with its error and its item."""
    with reading(services.parts.engine) as connection:
        job, item = find_dead(connection, job_id)
    return page(request, "lead/dead_letter.html", job=job, item=item)


@router.post("/console/lead/dead-letters/{job_id}/retry")
def retry_dead_letter(services: Services, visitor: Visit, job_id: PathId) -> Response:
    """Put it back, as if it had never been begun; told in the audit trail."""
    parts = services.parts
    with writing(parts.engine) as connection:
        item = find_dead(connection, job_id)[1]
        retry(connection, job_id, actor=visitor.key.actor, now=parts.clock())
    parts.ring(item.sha256)
    return RedirectResponse("/console/lead/dead-letters", 303)
