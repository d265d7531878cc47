"""How items are shown, and what is told of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import ConfigDict, Field
from sqlalchemy import Connection

from moderation.access.keys import AccessRole
from moderation.api.fields import Body, View, Words
from moderation.intake.listings import dispositions_of, jobs_of
from moderation.intake.types import (
    DispositionRecord,
    Item,
    ItemState,
    JobState,
    NewItem,
    Source,
    Views,
)
from moderation.review.golden import active_golden
from moderation.types import Disposition

Count = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class ViewsBody(Body):
    """What the platform forecasts. reach: views in all; remaining: still to come; an_hour: now."""

    reach: Count = 0.0
    remaining: Count = 0.0
    an_hour: Count = 0.0

    def value(self) -> Views:
        """As intake has it."""
        return Views(self.reach, self.remaining, self.an_hour)


class ItemFacts(Body):
    """What is told of an item beside its bytes."""

    name: Words = Field(default="", description="As its sender calls it; shown, and never a path.")
    surface: Name = Field(default="feed", description="Where it appears; the policy has names.")
    reported_clause: Name | None = Field(
        default=None, description="Clause that a report names already."
    )
    reach: Count = Field(default=0.0, description="Views in all, as forecast.")
    remaining_views: Count = Field(default=0.0, description="Views still to come.")
    views_an_hour: Count = Field(default=0.0, description="Views now.")

    def new_item(
        self, sha256: str, size_bytes: int, uploader: str, source: Source = Source.UPLOAD
    ) -> NewItem:
        """The item, for intake."""
        return NewItem(
            sha256=sha256,
            size_bytes=size_bytes,
            surface=self.surface,
            declared_name=self.name,
            uploader=uploader,
            source=source,
            views=Views(self.reach, self.remaining_views, self.views_an_hour),
            reported_clause=self.reported_clause,
        )


async def _facts(
    name: Annotated[Words, Query(description="As its sender calls it.")] = "",
    surface: Annotated[Name, Query(description="Where it appears.")] = "feed",
    reported_clause: Annotated[
        Name | None, Query(description="Clause that a report names.")
    ] = None,
    reach: Annotated[Count, Query(description="Views in all, as forecast.")] = 0.0,
    remaining_views: Annotated[Count, Query(description="Views still to come.")] = 0.0,
    views_an_hour: Annotated[Count, Query(description="Views now.")] = 0.0,
) -> ItemFacts:
    return ItemFacts(
        name=name,
        surface=surface,
        reported_clause=reported_clause,
        reach=reach,
        remaining_views=remaining_views,
        views_an_hour=views_an_hour,
    )


QueryFacts = Annotated[ItemFacts, Depends(_facts)]


class RouteView(View):
    """The route that an item has under a policy."""

    policy_id: str
    disposition: Disposition
    action: str | None = Field(description="What is done where it is enforced.")
    clause_id: str
    probability: float | None = Field(description="P(manipulated); null where there is none.")
    is_by_person: bool = Field(description="A person's ruling holds, not the machine's route.")
    served_by: str | None = Field(description="Earlier item whose decision or review serves this.")
    near_distance: int | None = Field(
        description="Where that one only looks the same: bits of 256 in which they differ."
    )
    task_id: str | None = Field(description="Of the review that it waits for, or waited for.")
    settled_at: datetime
    changed_at: datetime


class ItemView(View):
    """An item, and what became of it."""

    id: str
    sha256: str
    size_bytes: int
    name: str
    surface: str
    uploader: str | None
    source: Source
    views: ViewsBody
    reported_clause: str | None
    state: ItemState
    created_at: datetime
    settled_at: datetime | None
    erased_at: datetime | None


class ItemStatus(ItemView):
    """With its route, once it has one."""

    route: RouteView | None
    jobs: dict[JobState, int] = Field(description="Work on the item, by state.")


class UploadView(View):
    """How far an upload has come. item: once it is complete."""

    sha256: str
    offset: int = Field(description="Bytes that are there; go on from here.")
    item: ItemView | None


class ResultView(View):
    """What the machine found. score: 0 wholly fabricated, 9 wholly authentic."""

    item_id: str
    sha256: str
    score: float | None
    probability: float | None
    route: RouteView | None
    reasons: list[str] = Field(description="Why this route, in words.")
    error: dict[str, Any] | None = Field(description="Why there is no score.")


class LookalikeView(View):
    """Another item that looks the same, and what became of it. Never proof of anything."""

    item_id: str
    distance: int = Field(description="Of the PDQ hashes of the nearest pictures; bits of 256.")
    frames_share: float = Field(description="Of the later one's pictures that are in the other.")
    disposition: Disposition | None
    is_by_person: bool


class EvidenceView(View):
    """Everything that led to the score, for reviewers."""

    item_id: str
    sha256: str
    judge_id: str
    mode: str
    scored_at: datetime
    result: dict[str, Any] = Field(
        description="Digits, rationale with its claims and spans, unusual signals, provenance."
    )
    explanation: dict[str, Any] | None = Field(
        description="Of the full mode, with its rationale; comes later, and gives no route."
    )
    outcome: dict[str, Any] | None = Field(description="Of triage: every factor and reason.")
    shadow: dict[str, Any] | None = Field(description="Of the policy on trial, if there is one.")
    near_duplicates: list[LookalikeView] = Field(
        description="The nearest first, whether or not their decisions are shared."
    )


class ReferenceBody(ItemFacts):
    """An item by URL."""

    url: Annotated[str, Field(min_length=8, max_length=2000)]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"url": "https://media.example.org/clip.mp4", "name": "clip.mp4"}]
        }
    )


class ReportBody(Body):
    """The clause that an item is held to break."""

    clause_id: Name


class ReportView(View):
    """A notice about an item."""

    id: str
    item_id: str
    clause_id: str
    created_at: datetime


def show_item(item: Item) -> ItemView:
    """An item alone."""
    return ItemView(
        id=item.id,
        sha256=item.sha256,
        size_bytes=item.size_bytes,
        name=item.declared_name,
        surface=item.surface,
        uploader=item.uploader,
        source=item.source,
        views=ViewsBody(
            reach=item.views.reach, remaining=item.views.remaining, an_hour=item.views.an_hour
        ),
        reported_clause=item.reported_clause,
        state=item.state,
        created_at=item.created_at,
        settled_at=item.settled_at,
        erased_at=item.erased_at,
    )


def routes_for(
    connection: Connection, role: AccessRole, item_id: str
) -> Sequence[DispositionRecord]:
    """The routes of an item, newest first, as `role` sees them.

    A golden item must look like one that waits: to a reviewer, nobody has decided it.
    """
    found = dispositions_of(connection, item_id)
    if role is AccessRole.REVIEWER and active_golden(connection, [item_id]):
        return [
            replace(
                one,
                disposition=Disposition.REVIEW,
                action=None,
                is_by_person=False,
                changed_at=one.settled_at,
            )
            for one in found
        ]
    return found


def show_status(connection: Connection, role: AccessRole, item: Item) -> ItemStatus:
    """An item with its newest route."""
    found = routes_for(connection, role, item.id)
    counts: dict[JobState, int] = {}
    for job in jobs_of(connection, item.id):
        counts[job.state] = counts.get(job.state, 0) + 1
    return ItemStatus(
        **show_item(item).model_dump(),
        route=RouteView.model_validate(found[0]) if found else None,
        jobs=counts,
    )
