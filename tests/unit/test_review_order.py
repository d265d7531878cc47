"""The priority of a review is what triage said that it avoids."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.policy.schema import Policy
from moderation.priority.lanes import Lane
from moderation.priority.orders import AvoidableHarm, RawScore
from moderation.review_order import review_priority
from moderation.triage.context import TriageContext, Unscored
from moderation.triage.routing import triage
from moderation.triage.sampling import Draws
from moderation.types import Disposition, RouteBounds
from tests.unit.triage.cases import DEFAULT, Score, bounds, contexts, policies

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@given(st.none() | st.floats(0.0, 1.0), bounds(), policies, contexts())
def test_worth_and_place_are_those_of_triage(
    p: float | None, limits: RouteBounds, policy: Policy, context: TriageContext
) -> None:
    evidence = Unscored("media") if p is None else Score(p)
    outcome = triage(evidence, limits, policy, context)
    if outcome.disposition is not Disposition.REVIEW:
        return
    factors = review_priority(
        outcome,
        policy,
        context,
        AvoidableHarm(),
        score=None,
        views_per_hour=1.0,
        arrived_at=NOW,
    )
    assert factors.worth == pytest.approx(outcome.harm.avoidable_a_minute)
    assert factors.is_deferred == outcome.is_deferred
    assert (factors.lane is Lane.LEGAL) == (outcome.legal_lane is not None)
    if context.reported_clause == "intimate":
        assert factors.deadline_at == NOW + timedelta(hours=48)


def test_a_file_without_a_score_stands_where_the_policy_says() -> None:
    context = TriageContext(surface="feed", draws=Draws(0.9, 0.9))
    outcome = triage(Unscored("media"), RouteBounds(None, None), DEFAULT, context)
    factors = review_priority(
        outcome, DEFAULT, context, RawScore(), score=None, views_per_hour=0.0, arrived_at=NOW
    )
    assert factors.worth == pytest.approx(4.5)
