"""What reviewers are shown: where it is kept, and having it made where it is missing."""

from datetime import datetime

from sqlalchemy import Connection, select

from moderation.casework.deployment import Deployment
from moderation.intake.blobs import BlobStore
from moderation.intake.jobs import add_job_once
from moderation.intake.listings import dispositions_of, jobs_of
from moderation.intake.types import Item, ItemState, JobKind, JobState
from moderation.materials.store import MaterialStore, setup_name
from moderation.review.tables import appeals, tasks
from moderation.review.types import AppealState, TaskState
from moderation.types import Mode

TRIES_MAX = 3
"""Explanations of one item that ended, after which none is asked for again by a look at it."""


def materials_of(blobs: BlobStore) -> MaterialStore:
    """The folder beside the blobs."""
    return MaterialStore(blobs.materials)


def setup_of(deployment: Deployment) -> str:
    """The folder name of what this deployment makes."""
    return setup_name(deployment.judge_id, deployment.setup)


def is_for_a_person(connection: Connection, item: Item) -> bool:
    """Whether somebody still has to decide: no ruling yet, an appeal against it, or a golden item.

    One that is in somebody's hands as a golden item is shown like any other.
    """
    if item.state is ItemState.ERASED:
        return False
    if not all(one.is_by_person for one in dispositions_of(connection, item.id)):
        return True
    is_open = (
        select(appeals.c.id)
        .join(tasks, tasks.c.id == appeals.c.case_id)
        .where(tasks.c.item_id == item.id, appeals.c.state == AppealState.OPEN)
    )
    is_held = select(tasks.c.id).where(
        tasks.c.item_id == item.id, tasks.c.state == TaskState.LEASED
    )
    return any(connection.scalar(one.limit(1)) is not None for one in (is_open, is_held))


def ask_for_materials(connection: Connection, item: Item, *, now: datetime) -> bool:
    """Have them made, unless that is under way; whether they will be.

    Not for what was ruled, and not again where it was tried `TRIES_MAX` times.
    """
    if item.state is not ItemState.SETTLED or not is_for_a_person(connection, item):
        return False
    tried = [one for one in jobs_of(connection, item.id) if one.kind is JobKind.EXPLAIN]
    if any(one.state in (JobState.WAITING, JobState.LEASED) for one in tried):
        return True
    if len(tried) >= TRIES_MAX:
        return False
    add_job_once(connection, JobKind.EXPLAIN, item.id, Mode.FULL, now=now)
    return True
