"""The key's own."""

from datetime import datetime

from fastapi import APIRouter

from moderation.access.keys import AccessRole
from moderation.api.fields import View
from moderation.api.guard import GuardedRoute
from moderation.api.problems import documented
from moderation.api.services import Caller

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["keys"])


class KeyView(View):
    """A key without its secret."""

    id: str
    name: str
    role: AccessRole
    created_at: datetime
    expires_at: datetime | None


@router.get("/me", summary="The key in use", responses=documented(401, 403, 429, 503))
async def me(caller: Caller) -> KeyView:
    """Who the server takes the caller for."""
    return KeyView.model_validate(caller)
