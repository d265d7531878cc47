"""Strategies for items, policies and contexts."""

from dataclasses import dataclass

from hypothesis import strategies as st

from encoders.types import Modality
from moderation.policy.loading import default_policy
from moderation.policy.schema import Policy
from moderation.triage.context import Likeness, Precedent, TriageContext
from moderation.triage.sampling import Draws
from moderation.types import Disposition, RouteBounds

DEFAULT = default_policy()


@dataclass(frozen=True)
class Score:
    """P(manipulated), as a calibrator gives it."""

    probability: float
    calibrator_id: str = "test"


def changed(policy: Policy = DEFAULT, **tables: object) -> Policy:
    """`policy` with some top-level values replaced, and checked anew."""
    return Policy.model_validate(policy.model_dump() | tables)


shares = st.floats(0.0, 1.0)
uniform = st.floats(0.0, 1.0, exclude_max=True)
draws = st.builds(Draws, uniform, uniform)
views = st.floats(0.0, 1e6)

policies = st.builds(
    lambda allow, enforce, random, disagreement, near, serves: changed(
        routes={"allow": allow, "enforce": enforce, "alpha_allow": 0.02, "alpha_enforce": 0.01},
        sampling={"random_share": random, "disagreement_share": disagreement},
        duplicates={"near_distance_max": near, "near_serves": serves},
    ),
    st.booleans(),
    st.booleans(),
    shares,
    shares,
    st.none() | st.integers(0, 64),
    st.sets(st.sampled_from(["allow", "enforce"])).map(tuple),
)


@st.composite
def bounds(draw: st.DrawFn) -> RouteBounds:
    """Ordered, or missing."""
    low, high = sorted((draw(shares), draw(shares)))
    return RouteBounds(*(bound if draw(st.booleans()) else None for bound in (low, high)))


precedents = st.builds(
    lambda disposition, clause, is_by_person, distance: Precedent(
        "first",
        disposition,
        clause,
        is_by_person and disposition is not Disposition.REVIEW,
        Likeness.EXACT if distance is None else Likeness.NEAR,
        distance or 0,
    ),
    st.sampled_from(Disposition),
    st.sampled_from(["deceptive", "paid"]),
    st.booleans(),
    st.none() | st.integers(0, 256),
)


def contexts(
    precedent: st.SearchStrategy[Precedent | None] | None = None,
) -> st.SearchStrategy[TriageContext]:
    """Any context; without a precedent unless one is given."""
    return st.builds(
        TriageContext,
        surface=st.sampled_from(["feed", "advertisement", "elsewhere"]),
        draws=draws,
        modality=st.none() | st.sampled_from(Modality),
        reach=views,
        remaining_views=views,
        reviewer_error=shares,
        backlog_minutes=st.floats(0.0, 1e5),
        capacity_minutes_per_hour=st.floats(0.0, 1e4),
        disagreement=st.none() | shares,
        reported_clause=st.none() | st.just("intimate"),
        precedent=st.none() if precedent is None else precedent,
    )
