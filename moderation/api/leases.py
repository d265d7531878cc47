"""Leases in hand: renewed, given back, passed on."""

from fastapi import APIRouter

from moderation.api.guard import GuardedRoute
from moderation.api.problems import documented
from moderation.api.review_views import EscalationBody, LeaseBody, LeaseView
from moderation.api.services import Caller, Services
from moderation.database import writing
from moderation.review import leases

router = APIRouter(prefix="/v1/leases", route_class=GuardedRoute, tags=["queue"])
_ERRORS = documented(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)


@router.post("/renew", summary="Hold on to a task", responses=_ERRORS)
def renew(services: Services, caller: Caller, body: LeaseBody) -> LeaseView:
    """The lease for its full length again, though not without end. Repeating it does no harm."""
    with writing(services.engine) as connection, services.reviewing(connection, caller) as tx:
        leases.require_own(tx, body.token, caller.name)
        return LeaseView.model_validate(leases.renew(tx, body.token))


@router.post("/release", status_code=204, summary="Give a task back", responses=_ERRORS)
def release(services: Services, caller: Caller, body: LeaseBody) -> None:
    """It waits in its old place."""
    with writing(services.engine) as connection, services.reviewing(connection, caller) as tx:
        leases.require_own(tx, body.token, caller.name)
        leases.release(tx, body.token)


@router.post("/skip", status_code=204, summary="Leave a task to others", responses=_ERRORS)
def skip(services: Services, caller: Caller, body: LeaseBody) -> None:
    """It does not come back to you for a while."""
    with writing(services.engine) as connection, services.reviewing(connection, caller) as tx:
        leases.require_own(tx, body.token, caller.name)
        leases.skip(tx, body.token)


@router.post("/escalate", status_code=204, summary="Hand a task to the lead", responses=_ERRORS)
def escalate(services: Services, caller: Caller, body: EscalationBody) -> None:
    """It goes to the lead's desk with the note."""
    with writing(services.engine) as connection, services.reviewing(connection, caller) as tx:
        leases.require_own(tx, body.token, caller.name)
        leases.escalate(tx, body.token, body.note)
