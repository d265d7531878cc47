"""The decision that its reviewer can still take back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from moderation.intake.errors import UnknownItem
from moderation.intake.listings import find_item
from moderation.review.holding import find_task, newest_decision
from moderation.review.types import Finding
from moderation.web.guard import ConsoleServices, Visitor


@dataclass(frozen=True, slots=True)
class Undoable:
    """name: of its item, as declared, untrusted; None without one. until: UTC."""

    decision_id: str
    finding: Finding
    name: str | None
    until: datetime


def undoable_of(
    connection: Connection, services: ConsoleServices, visitor: Visitor
) -> Undoable | None:
    """The newest decision of a visitor, while it can be taken back."""
    undo = services.parts.rules.undo
    newest = newest_decision(connection, visitor.key.name, since=services.parts.clock() - undo)
    if newest is None:
        return None
    item_id = find_task(connection, newest.task_id).task.item_id
    try:
        name = find_item(connection, item_id).declared_name
    except UnknownItem:
        name = None
    return Undoable(newest.id, newest.finding, name, newest.decided_at + undo)
