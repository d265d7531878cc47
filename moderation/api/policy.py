"""The policy: read, checked, compared, replayed, put into force."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy import Connection

from encoders.types import Modality
from moderation.api.fields import Body, View
from moderation.api.guard import GuardedRoute
from moderation.api.idempotency import Repeatable
from moderation.api.item_views import Count, Name
from moderation.api.pagination import Page, Paging
from moderation.api.problems import InvalidRequest, documented
from moderation.api.services import Caller, Services
from moderation.api.versions import IfMatch, etag, require_match
from moderation.casework import policy_changes
from moderation.database import reading
from moderation.policy.activation import Activation, active_policy, list_activations
from moderation.policy.difference import differences
from moderation.policy.loading import parse_policy
from moderation.policy.schema import Policy
from moderation.replay.recorded import RecordedItem, RecordedProbability
from moderation.replay.replaying import Conditions, changes, load_of, replay
from moderation.triage.context import Unscored
from moderation.triage.shadow import Deployed
from moderation.types import RouteBounds

router = APIRouter(prefix="/v1/policy", route_class=GuardedRoute, tags=["policy"])
_ERRORS = documented(401, 403, 422, 429, 503)
_BODY_ERRORS = _ERRORS | documented(400, 413, 415)

Toml = Annotated[str, Field(min_length=1, max_length=500_000, description="A policy, as TOML.")]
Share = Annotated[float, Field(ge=0, le=1)]


class PolicyView(View):
    """A policy in force. number: of its activation, 0 for the one that is shipped."""

    id: str
    number: int
    sha256: str
    actor: str | None
    activated_at: datetime | None
    policy: dict[str, Any] = Field(description="All rules; `docs/triage.md` explains them.")

    @classmethod
    def of(cls, found: Activation) -> "PolicyView":
        """From an activation."""
        return cls(
            id=found.policy.id,
            number=found.number,
            sha256=found.sha256,
            actor=found.actor,
            activated_at=found.activated_at,
            policy=found.policy.model_dump(mode="json"),
        )


class PolicyBody(Body):
    """A policy that is not in force."""

    toml: Toml


class CheckView(View):
    """What a policy says."""

    id: str
    policy: dict[str, Any]


class DifferenceView(View):
    """One key that differs; null where it is not there."""

    place: str
    key: str
    before: Any
    after: Any
    words: str


class DiffView(View):
    """From the policy in force to the one that was sent."""

    before: str
    after: str
    differences: list[DifferenceView]


class ReplayItem(Body):
    """A recorded score."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    probability: Share | None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    modality: Modality | None = None
    surface: Name = "feed"
    remaining_views: Count = 1000.0
    disagreement: Share | None = None
    is_manipulated: bool | None = None


class BoundsBody(Body):
    """Up to where, and from where on, the machine acts alone; null: never."""

    allow_below: Share | None = None
    enforce_above: Share | None = None


class ReplayBody(PolicyBody):
    """A policy, and scores to try it on."""

    items: Annotated[list[ReplayItem], Field(min_length=1, max_length=5000)]
    bounds: BoundsBody = BoundsBody()
    reviewer_error: Share = 0.1
    backlog_hours: Annotated[float, Field(ge=0, le=1e6)] = 0.0


class LoadView(View):
    """What a policy asks of people, and what harm is to be expected."""

    allowed: int
    reviewed: int
    enforced: int
    deferred: int
    sampled: int
    copies: int
    minutes: float
    expected_harm: float
    labelled: int
    missed_manipulations: int
    wrongly_enforced: int


class ChangeView(View):
    """An item that is treated in another way."""

    path: str
    probability: float | None
    before: str
    after: str
    clause_before: str
    clause_after: str
    is_manipulated: bool | None
    why: str


class ReplayView(View):
    """Both policies on the same scores."""

    before: LoadView
    after: LoadView
    changes: list[ChangeView]


@router.get("", summary="The policy in force", responses=_ERRORS)
def current(services: Services, response: Response) -> PolicyView:
    """`ETag` names the activation; a new one needs it."""
    with reading(services.engine) as connection:
        found = active_policy(connection)
    response.headers["ETag"] = etag(found.number)
    return PolicyView.of(found)


@router.post("/check", summary="Whether a policy is well formed", responses=_BODY_ERRORS)
def check(body: PolicyBody) -> CheckView:
    """422 names the line, the key and what is allowed there."""
    policy = _parsed(body.toml)
    return CheckView(id=policy.id, policy=policy.model_dump(mode="json"))


@router.post("/diff", summary="What a policy would change", responses=_BODY_ERRORS)
def diff(services: Services, body: PolicyBody) -> DiffView:
    """Against the policy in force, key by key, in words."""
    after = _parsed(body.toml)
    with reading(services.engine) as connection:
        before = active_policy(connection).policy
    return DiffView(
        before=before.id,
        after=after.id,
        differences=[
            DifferenceView(
                place=one.place, key=one.key, before=one.before, after=one.after, words=str(one)
            )
            for one in differences(before, after)
        ],
    )


@router.post("/replay", summary="Try a policy on recorded scores", responses=_BODY_ERRORS)
def preview(services: Services, body: ReplayBody) -> ReplayView:
    """Routes, review load and expected harm, beside those of the policy in force."""
    bounds = _bounds(body.bounds)
    with reading(services.engine) as connection:
        before = active_policy(connection).policy
    items = [_recorded(one) for one in body.items]
    conditions = Conditions(reviewer_error=body.reviewer_error, backlog_hours=body.backlog_hours)
    old = replay(items, Deployed(before, bounds), conditions)
    new = replay(items, Deployed(_parsed(body.toml), bounds), conditions)
    return ReplayView(
        before=LoadView.model_validate(load_of(items, old, body.reviewer_error)),
        after=LoadView.model_validate(load_of(items, new, body.reviewer_error)),
        changes=[ChangeView.model_validate(one) for one in changes(items, old, new)],
    )


@router.post(
    "/activations",
    status_code=201,
    summary="Put a policy into force",
    response_model=PolicyView,
    responses=_BODY_ERRORS | documented(409, 412, 428),
)
def put_into_force(
    services: Services, caller: Caller, once: Repeatable, body: PolicyBody, if_match: IfMatch
) -> Response:
    """Needs `If-Match` with the ETag of the policy in force; leaves an audit record."""

    def perform(connection: Connection) -> PolicyView:
        present = active_policy(connection)
        require_match(if_match, present.number, "the policy in force")
        found = policy_changes.put_into_force(
            connection,
            body.toml,
            replaces=present.number,
            actor=caller.actor,
            now=services.clock(),
        )
        return PolicyView.of(found)

    return once.answer(201, perform)


@router.get("/activations", summary="Which policy was in force when", responses=_ERRORS)
def history(services: Services, paging: Paging) -> Page[PolicyView]:
    """The newest first."""
    key = paging.after("activations", int)
    with reading(services.engine) as connection:
        found = list_activations(
            connection, after=None if key is None else key[0], limit=paging.limit + 1
        )
    return paging.page("activations", found, PolicyView.of, lambda one: (one.number,))


def _parsed(toml: str) -> Policy:
    return parse_policy(toml.replace("\r\n", "\n"), "the policy")


def _bounds(body: BoundsBody) -> RouteBounds:
    try:
        return RouteBounds(body.allow_below, body.enforce_above)
    except ValueError as error:
        raise InvalidRequest(
            str(error),
            expected="allow_below up to enforce_above",
            remedy="Exchange them.",
        ) from error


def _recorded(one: ReplayItem) -> RecordedItem:
    if one.probability is None:
        evidence: RecordedProbability | Unscored = Unscored("no_probability")
    else:
        evidence = RecordedProbability(one.probability, "recorded")
    return RecordedItem(
        path=one.name,
        sha256=one.sha256,
        modality=one.modality,
        evidence=evidence,
        surface=one.surface,
        reach=one.remaining_views,
        remaining_views=one.remaining_views,
        disagreement=one.disagreement,
        reported_clause=None,
        is_manipulated=one.is_manipulated,
        disposition=None,
    )
