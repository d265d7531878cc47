"""One decision, many copies: when an earlier item's route or decision serves this one.

The same bytes under the same clause deserve the same decision. A person's decision is final for
them (an appeal is the way against it); a route that the machine chose is served as long as the
machine may still choose it, and work that waits is shared.

Near-duplicates are another matter here than for known bad pictures: a face swap and its genuine
original are often within a few bits of each other. So a policy has to ask for it, only a person's
decision is served, never against the machine's own route, and never to an item that has no score
or that a report names.
"""

from dataclasses import dataclass

from moderation.policy.schema import Clause, Duplicates
from moderation.triage.context import Likeness, Precedent
from moderation.types import Disposition

_OPPOSITE = {Disposition.ALLOW: Disposition.ENFORCE, Disposition.ENFORCE: Disposition.ALLOW}


@dataclass(frozen=True, slots=True)
class Service:
    """What a precedent does to a copy.

    disposition: the route of the copy. is_settled: a decision is served, and no draw or backlog
    changes it. item_id: whose decision or task serves; None where it does not. told: in words.
    """

    disposition: Disposition
    is_settled: bool
    item_id: str | None
    told: str


def serve(
    precedent: Precedent | None,
    duplicates: Duplicates,
    clause: Clause,
    alone: Disposition,
    *,
    may_act: bool,
) -> Service | None:
    """What `precedent` does to an item whose own route is `alone`; None: nothing.

    may_act: whether the item has a score, and no report names it.
    """
    if precedent is None:
        return None
    is_near = precedent.likeness is Likeness.NEAR
    if is_near:
        most = duplicates.near_distance_max
        if most is None or precedent.distance > most:
            return None
        name = f"looks like {precedent.item_id} ({precedent.distance} of 256 bits differ)"
    else:
        if not duplicates.exact:
            return None
        name = f"has the bytes of {precedent.item_id}"
    if precedent.clause_id != clause.id:
        told = f"{name}, which was judged by another clause, {precedent.clause_id}"
        return Service(alone, False, None, told)
    serve_alike = _near if is_near else _exact
    return serve_alike(precedent, duplicates, alone, name, may_act=may_act)


def _exact(
    precedent: Precedent, duplicates: Duplicates, alone: Disposition, name: str, *, may_act: bool
) -> Service:
    if precedent.is_by_person:
        told = f"{name}, and a person's decision on it stands: {precedent.disposition}"
        return Service(precedent.disposition, True, precedent.item_id, told)
    if precedent.disposition is Disposition.REVIEW:
        told = f"{name}, which waits for review: one review serves both"
        return Service(Disposition.REVIEW, False, precedent.item_id, told)
    if precedent.disposition is alone:
        return Service(alone, True, precedent.item_id, f"{name}: the same route, {alone}")
    told = f"{name}, but the machine may no longer {precedent.disposition} it alone"
    return Service(Disposition.REVIEW, False, None, told)


def _near(
    precedent: Precedent, duplicates: Duplicates, alone: Disposition, name: str, *, may_act: bool
) -> Service:
    if (
        not precedent.is_by_person
        or not may_act
        or precedent.disposition.value not in {one.value for one in duplicates.near_serves}
    ):
        return Service(alone, False, None, f"{name}, whose decision does not serve this one")
    if alone is _OPPOSITE[precedent.disposition]:
        told = f"{name}, where a person chose to {precedent.disposition}; the score says otherwise"
        return Service(Disposition.REVIEW, False, None, told)
    told = f"{name}, and a person's decision on it serves this one: {precedent.disposition}"
    return Service(precedent.disposition, True, precedent.item_id, told)
