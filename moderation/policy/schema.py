"""What a policy holds; every model refuses unknown keys, and does not change.

Harm is counted in views: 1.0 is one view of a manipulated item under a clause of severity 1.
"""

from collections.abc import Sequence, Set
from enum import StrEnum
from functools import partial
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from encoders.types import Modality
from moderation import dsa_values

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Cost = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Hours = Annotated[float, Field(gt=0.0, le=24.0 * 365.0)]
Minutes = Annotated[float, Field(gt=0.0, le=24.0 * 60.0)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
Sentence = Annotated[str, Field(min_length=1, max_length=2000)]
# A statement of reasons names it as the law or the term relied on.
Title = Annotated[str, Field(min_length=1, max_length=500)]


class Misfit(ValueError):
    """Rules that contradict each other; path: the key, from the model that found out."""

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.path = path


class Action(StrEnum):
    """What is done with an item that a clause is enforced on."""

    REMOVE = "remove"
    DISABLE = "disable"
    LIMIT_REACH = "limit_reach"
    AGE_RESTRICT = "age_restrict"
    LABEL = "label"


class WhileWaiting(StrEnum):
    """What the public sees of an item until a person has ruled on it."""

    UP = "up"
    HELD = "held"


class Served(StrEnum):
    """A decision that may be served to near-duplicates."""

    ALLOW = "allow"
    ENFORCE = "enforce"


class Reveal(StrEnum):
    """When whoever holds an item is shown what the judge says of it."""

    AT_ONCE = "at_once"
    AFTER_VIEW = "after_view"


class Strict(BaseModel):
    """The base of everything in a policy."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Routes(Strict):
    """How far the machine acts alone.

    allow, enforce: whether it does at all. alpha_allow, alpha_enforce: the bounds that risk
    control turns into `RouteBounds`; what exactly they bound, the calibrator's artefact says.
    """

    allow: bool
    enforce: bool
    alpha_allow: Annotated[float, Field(gt=0.0, lt=1.0)]
    alpha_enforce: Annotated[float, Field(gt=0.0, lt=1.0)]


class Unscored(Strict):
    """probability: P(manipulated) that stands in where there is none, to order reviews by."""

    probability: Share = 0.5


class Sampling(Strict):
    """Reviews that do not depend on the score, so that labels are not selective.

    random_share: P(an item is drawn), whatever its score. disagreement_share: the same among
    items whose disagreement is at least `disagreement_from`. reserved_reviews: share of the
    reviewers' claims that go to drawn items first, so that an overloaded queue cannot starve them.
    """

    random_share: Share = 0.05
    disagreement_share: Share = 0.1
    disagreement_from: Share = 0.5
    reserved_reviews: Share = 0.08


class BarPoint(Strict):
    """backlog_hours: admitted work, in hours of the reviewers; bar: harm a minute."""

    backlog_hours: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
    bar: Cost


class Admission(Strict):
    """curve: points, joined by straight lines, level before the first and after the last one.

    An item waits behind the bar when reviewing it avoids less harm a minute. No points: no bar.
    """

    curve: tuple[BarPoint, ...] = ()

    @model_validator(mode="after")
    def _rises(self) -> Self:
        for k, (before, after) in enumerate(pairwise(self.curve)):
            if not before.backlog_hours < after.backlog_hours:
                raise Misfit("hours must rise from point to point", "curve", k + 1, "backlog_hours")
            if before.bar > after.bar:
                raise Misfit("the bar never falls as the backlog grows", "curve", k + 1, "bar")
        return self


class Duplicates(Strict):
    """exact: one decision serves all copies of the same bytes.

    near_distance_max: Hamming distance of PDQ hashes, of 256 bits, up to which two pictures are
    near-duplicates; absent: none are. near_serves: decisions that they may share.
    """

    exact: bool = True
    near_distance_max: Annotated[int, Field(ge=0, le=64)] | None = None
    near_serves: tuple[Served, ...] = ()


class Costs(Strict):
    """Harm of a wrong decision, in views of severity 1.

    missed: of leaving a manipulated item up, beside the severity of each view. wrong: of acting on
    a genuine item, whatever its reach; wrong_per_view · reach ** reach_exponent comes on top.
    """

    missed: Cost = 0.0
    wrong: Cost
    wrong_per_view: Cost
    reach_exponent: Share = 1.0


class HandlingMinutes(Strict):
    """Expected time of one review."""

    image: Minutes
    audio: Minutes
    video: Minutes

    def of(self, modality: Modality | None) -> float:
        """Minutes for `modality`; the longest where it is not known."""
        if modality is None:
            return max(self.image, self.audio, self.video)
        return float(getattr(self, modality.value))


class LegalLane(Strict):
    """name: of the duty; deadline_hours: from the item's arrival, or from the notice."""

    name: Sentence
    deadline_hours: Hours


class Reviewing(Strict):
    """reveal: when reviewers are shown what the judge says; what was measured they always are."""

    reveal: Reveal = Reveal.AT_ONCE


def _listed(known: Set[str], value: str) -> str:
    if value not in known:
        told = f"Input should be one of {', '.join(sorted(known))}"
        raise PydanticCustomError("dsa_value", "{told}", {"told": told})
    return value


class Reason(Strict):
    """One that a reviewer can give. dsa_*: fields of the DSA Transparency Database, as they are."""

    code: Identifier
    text: Sentence
    dsa_ground: Annotated[str, AfterValidator(partial(_listed, dsa_values.GROUNDS))]
    dsa_category: Annotated[str, AfterValidator(partial(_listed, dsa_values.CATEGORIES))]


class Clause(Strict):
    """One rule.

    severity: harm of one view of a manipulated item. surfaces: where it applies; absent:
    everywhere. on_report_only: it applies only to items that a report names it for.
    """

    id: Identifier
    title: Title
    severity: Cost
    action: Action
    surfaces: Annotated[tuple[Identifier, ...], Field(min_length=1)] | None = None
    on_report_only: bool = False
    while_waiting: WhileWaiting = WhileWaiting.UP
    sla_hours: Hours
    costs: Costs
    minutes: HandlingMinutes
    legal_lane: LegalLane | None = None
    reasons: Annotated[tuple[Reason, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _reasons_differ(self) -> Self:
        _require_distinct([reason.code for reason in self.reasons], "reasons", "code")
        return self

    def applies(self, surface: str) -> bool:
        """Whether it applies on `surface` without a report."""
        return not self.on_report_only and (self.surfaces is None or surface in self.surfaces)


class Policy(Strict):
    """A versioned set of rules; the first clause that applies to an item is the item's clause."""

    name: Identifier
    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$")]
    description: str = ""
    surfaces: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    routes: Routes
    unscored: Unscored = Unscored()
    sampling: Sampling = Sampling()
    admission: Admission = Admission()
    duplicates: Duplicates = Duplicates()
    review: Reviewing = Reviewing()
    clauses: Annotated[tuple[Clause, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        _require_distinct([clause.id for clause in self.clauses], "clauses", "id")
        _require_distinct(list(self.surfaces), "surfaces")
        for k, clause in enumerate(self.clauses):
            unknown = sorted(set(clause.surfaces or ()) - set(self.surfaces))
            if unknown:
                known = ", ".join(self.surfaces)
                told = f"{unknown[0]!r} is none of the policy's surfaces, {known}"
                raise Misfit(told, "clauses", k, "surfaces")
        if not any(
            clause.surfaces is None and not clause.on_report_only for clause in self.clauses
        ):
            told = "one clause must apply everywhere, without surfaces and on_report_only"
            raise Misfit(told, "clauses")
        return self

    @model_serializer(mode="wrap")
    def _as_before(self, told: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without keys that came later, where they say nothing: digests stay what they were."""
        content: dict[str, Any] = told(self)
        if self.review == Reviewing():
            content.pop("review", None)
        return content

    @property
    def id(self) -> str:
        """`name@version`, as records have it."""
        return f"{self.name}@{self.version}"

    def clause(self, surface: str, reported: str | None = None) -> Clause:
        """The clause of an item: the one that a report names, else the first that applies.

        A report may name any clause; an unknown name, of an older version perhaps, names none.
        """
        for clause in self.clauses:
            if clause.id == reported:
                return clause
        return next(clause for clause in self.clauses if clause.applies(surface))


def _require_distinct(names: Sequence[str], table: str, *key: str) -> None:
    for k, name in enumerate(names):
        if name in names[:k]:
            raise Misfit(f"{name!r} is there twice", table, k, *key)
