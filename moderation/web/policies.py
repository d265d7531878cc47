"""The policy: what is in force, what another one would change, and putting one into force."""

from collections import Counter

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from moderation.casework.policy_changes import put_into_force
from moderation.casework.policy_trials import try_policy
from moderation.database import reading, writing
from moderation.policy.activation import Activation, PolicyChanged, active_policy, list_activations
from moderation.policy.difference import differences
from moderation.policy.loading import PolicyError, parse_policy
from moderation.replay.replaying import Load
from moderation.web.context import Form, Services, Visit
from moderation.web.guard import ConsoleRoute, ConsoleServices, FormIncomplete
from moderation.web.rendering import page

router = APIRouter(route_class=ConsoleRoute)
ACTIVATIONS, CHANGED_ITEMS = 10, 50
BACKLOG_HOURS_MAX = 1e4
LOAD_ROWS = (
    ("allowed", "allowed by the machine"),
    ("reviewed", "sent to review"),
    ("deferred", "of these, behind the bar"),
    ("sampled", "of these, drawn for a sample"),
    ("enforced", "enforced by the machine"),
    ("copies", "served by the decision on a copy"),
    ("minutes", "minutes of review"),
    ("expected_harm", "expected harm that is left, in views"),
    ("labelled", "items that people have ruled"),
    ("missed_manipulations", "of these, manipulated and allowed"),
    ("wrongly_enforced", "of these, genuine and enforced"),
)


@router.get("/console/lead/policy")
def show_policy(request: Request, services: Services) -> Response:
    """What is in force, since when, and the form for another."""
    return _policy_page(request, services)


@router.post("/console/lead/policy/trials")
def try_another(request: Request, services: Services, form: Form) -> Response:
    """Says what another policy would change; changes nothing."""
    toml = _toml(form.get("toml", ""))
    backlog = _hours(form.get("backlog_hours", ""))
    parts = services.parts
    now = parts.clock()
    try:
        after = parse_policy(toml, "the policy")
    except PolicyError as error:
        return _policy_page(request, services, 422, toml=toml, error=error)
    with reading(parts.engine) as connection:
        present = active_policy(connection)
        trial = try_policy(
            connection,
            parts.deployment(),
            parts.rules,
            before=present.policy,
            after=after,
            now=now,
            backlog_hours=backlog,
        )
    return page(
        request,
        "lead/trial.html",
        toml=toml,
        present=present,
        after=after,
        differences=differences(present.policy, after),
        trial=trial,
        loads=[(told, *_both(trial.before, trial.after, name)) for name, told in LOAD_ROWS],
        moved=Counter((one.before, one.after) for one in trial.changed).most_common(),
        changed=trial.changed[:CHANGED_ITEMS],
    )


@router.post("/console/lead/policy/activations")
def activate_policy(request: Request, services: Services, visitor: Visit, form: Form) -> Response:
    """Put a policy into force, as the API does; only with its name confirmed."""
    toml, replaces = _toml(form.get("toml", "")), form.get("replaces", "")
    parts = services.parts
    try:
        wanted = parse_policy(toml, "the policy")
        if form.get("confirmed") != wanted.id or not replaces.isdecimal():
            raise FormIncomplete(
                f"no confirmation of {wanted.id}",
                expected="the box to be ticked",
                remedy="Try the policy again, read what changes, and tick the box.",
            )
        with writing(parts.engine) as connection:
            put_into_force(
                connection,
                toml,
                replaces=int(replaces),
                actor=visitor.key.actor,
                now=parts.clock(),
            )
    except (PolicyError, PolicyChanged) as error:
        status = 422 if isinstance(error, PolicyError) else 409
        return _policy_page(request, services, status, toml=toml, error=error)
    return RedirectResponse("/console/lead/policy", 303)


def _policy_page(
    request: Request,
    services: ConsoleServices,
    status: int = 200,
    *,
    toml: str | None = None,
    error: PolicyError | PolicyChanged | None = None,
) -> Response:
    """toml: what was tried; error: why it was refused."""
    parts, used = services.parts, services.parts.deployment()
    with reading(parts.engine) as connection:
        present = active_policy(connection)
        history: list[Activation] = list(list_activations(connection, limit=ACTIVATIONS))
    line = error.line if isinstance(error, PolicyError) else None
    return page(
        request,
        "lead/policy.html",
        status,
        present=present,
        policy=present.policy,
        bounds=[
            (mode, used.trial(mode, present.policy).bounds) for mode in sorted(used.calibrators)
        ],
        used=used,
        history=history,
        toml=present.content if toml is None else toml,
        error=error,
        line=line,
        excerpt=[] if line is None or toml is None else _excerpt(toml, line),
    )


def _toml(text: str) -> str:
    # A browser sends every line of a form with CR LF.
    return text.replace("\r\n", "\n")


def _hours(text: str) -> float | None:
    """What was typed; None for nothing, and for what is no number of hours."""
    try:
        hours = float(text)
    except ValueError:
        return None
    return hours if 0 <= hours <= BACKLOG_HOURS_MAX else None


def _excerpt(toml: str, line: int) -> list[tuple[int, str]]:
    """The lines around one, with their numbers."""
    lines = toml.split("\n")
    first = max(line - 3, 1)
    return [(number, lines[number - 1]) for number in range(first, min(line + 2, len(lines)) + 1)]


def _both(before: Load, after: Load, name: str) -> tuple[float, float]:
    return getattr(before, name), getattr(after, name)
