"""Decisions on tasks that a lead has selected: chosen, shown beforehand, then taken one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from moderation.access.keys import ApiKey
from moderation.casework.adoption import stored_policy
from moderation.casework.statements import clause_of
from moderation.database import reading, writing
from moderation.errors import TypedError
from moderation.policy.schema import Clause
from moderation.review.decisions import decide_waiting
from moderation.review.errors import NotFound
from moderation.review.holding import find_task
from moderation.review.transaction import new_id
from moderation.review.types import (
    Action,
    Decision,
    Finding,
    TaskKind,
    TaskRecord,
    TaskState,
    Verdict,
)
from moderation.web.context import Form, Services, Visit
from moderation.web.guard import ConsoleRoute, ConsoleServices, FormIncomplete, status_of
from moderation.web.rendering import page

router = APIRouter(route_class=ConsoleRoute)
NOTE_CHARACTERS_MAX = 5000
_MARK = "task:"
EFFECTS: Mapping[Action, str] = {
    Action.LEAVE: "stays up as it is",
    Action.LABEL: "gets a label",
    Action.RESTRICT: "is restricted",
    Action.REMOVE: "is taken down",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Tasks under one clause of one version of the policy, whose reasons they share."""

    policy_version: str
    clause: Clause
    tasks: Sequence[TaskRecord]

    @property
    def field(self) -> str:
        """Of the form, with the reason."""
        return f"reason:{self.policy_version}:{self.clause.id}"


@dataclass(frozen=True, slots=True)
class Selection:
    """left: tasks that were selected, and cannot be decided so by now."""

    groups: Sequence[Group]
    left: Sequence[TaskRecord]

    @property
    def count(self) -> int:
        """Of the tasks that would be decided."""
        return sum(len(group.tasks) for group in self.groups)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one task: a decision, or why there is none."""

    task: TaskRecord
    decision: Decision | None
    error: TypedError | None


@router.post("/console/queue/selection")
def choose(request: Request, services: Services, form: Form) -> Response:
    """Asks for one finding for all; with a finding, says what would happen, and asks again."""
    selection, back = _selection(services, form), _back(form)
    if not selection.count:
        raise FormIncomplete(
            "no task that waits for a first review",
            expected="one at least",
            remedy="Go back to the list, and select some.",
        )
    given = {name: form.get(name, "") for name in ("verdict", "action", "note")}
    if not given["verdict"]:
        return page(
            request,
            "selection/choose.html",
            selection=selection,
            verdicts=list(Verdict),
            actions=list(Action),
            back=back,
        )
    findings = [_finding(form, group) for group in selection.groups]
    return page(
        request,
        "selection/confirm.html",
        selection=selection,
        findings=findings,
        reasons=[
            next(one.text for one in group.clause.reasons if one.code == finding.reason_code)
            for group, finding in zip(selection.groups, findings, strict=True)
        ],
        given=given,
        effect=EFFECTS[findings[0].action],
        undo_minutes=int(services.parts.rules.undo.total_seconds() // 60),
        back=back,
    )


@router.post("/console/queue/selection/decisions")
def decide_all(request: Request, services: Services, visitor: Visit, form: Form) -> Response:
    """One transaction a task: what cannot be decided by now is told, and stops nothing else."""
    selection, bulk_id = _selection(services, form), new_id()
    outcomes = [Outcome(one, None, None) for one in selection.left]
    for group in selection.groups:
        finding = _finding(form, group)
        outcomes += [_decide(services, visitor.key, one, finding, bulk_id) for one in group.tasks]
    return page(
        request,
        "selection/outcome.html",
        outcomes=outcomes,
        decided=sum(one.decision is not None for one in outcomes),
        undo_until=services.parts.clock() + services.parts.rules.undo,
        back=_back(form),
    )


def _decide(
    services: ConsoleServices, key: ApiKey, task: TaskRecord, finding: Finding, bulk_id: str
) -> Outcome:
    parts = services.parts
    try:
        with writing(parts.engine) as connection, parts.reviewing(connection, key) as tx:
            taken = decide_waiting(tx, task.task.id, key.name, finding, bulk_id=bulk_id)
    except TypedError as error:
        # A fault of the server is no outcome: it is raised from here.
        status_of(error)
        return Outcome(task, None, error)
    return Outcome(task, taken, None)


def _selection(services: ConsoleServices, form: Mapping[str, str]) -> Selection:
    ids = [name.removeprefix(_MARK) for name in form if name.startswith(_MARK)]
    grouped: dict[tuple[str, str], list[TaskRecord]] = {}
    left: list[TaskRecord] = []
    with reading(services.parts.engine) as connection:
        for task_id in ids:
            try:
                found = find_task(connection, task_id[:128])
            except NotFound:
                continue
            if found.state is not TaskState.WAITING or found.kind is not TaskKind.FIRST:
                left.append(found)
                continue
            place = (found.task.policy_version, found.task.clause_id)
            grouped.setdefault(place, []).append(found)
        groups = [
            Group(version, clause_of(stored_policy(connection, version), clause_id), tasks)
            for (version, clause_id), tasks in sorted(grouped.items())
        ]
    return Selection(groups, left)


def _finding(form: Mapping[str, str], group: Group) -> Finding:
    """Raises:
    FormIncomplete: no verdict, action, or reason of the group's clause.
    """
    codes = [one.code for one in group.clause.reasons]
    code = form.get(group.field, "")
    try:
        if code not in codes:
            raise ValueError(code)
        verdict, action = Verdict(form.get("verdict", "")), Action(form.get("action", ""))
        return Finding(verdict, action, code, form.get("note", "")[:NOTE_CHARACTERS_MAX])
    except ValueError as error:
        raise FormIncomplete(
            "a decision without verdict, action or reason",
            expected="one of each, the reason from each clause's own",
            remedy="Go back, and choose them.",
        ) from error


def _back(form: Mapping[str, str]) -> str:
    """The list that the selection was made in."""
    back = form.get("back", "")
    return back if back.startswith("/console/queue/tasks") else "/console/queue/tasks"
