"""What must hold of every route, whatever the policy and the context."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from encoders.types import Modality
from moderation.policy.schema import Action, Policy, WhileWaiting
from moderation.triage.admission import admission_bar
from moderation.triage.context import Likeness, Precedent, TriageContext, Unscored
from moderation.triage.routing import NEVER, machine_route, triage
from moderation.triage.sampling import Draws, Sample, draws_of
from moderation.triage.shadow import Deployed, triage_with_shadow
from moderation.types import CalibratedScore, Disposition, RouteBounds
from tests.unit.triage.cases import DEFAULT, Score, bounds, changed, contexts, policies, precedents

ALLOW, REVIEW, ENFORCE = Disposition
LENIENCY = {ALLOW: 0, REVIEW: 1, ENFORCE: 2}
NOT_DRAWN = Draws(0.999, 0.999)
ACTS = changed(
    routes={"allow": True, "enforce": True, "alpha_allow": 0.02, "alpha_enforce": 0.01},
)
WIDE = RouteBounds(0.1, 0.9)
FEED = TriageContext(surface="feed", draws=NOT_DRAWN, reach=1000.0, remaining_views=500.0)

probabilities = st.floats(0.0, 1.0)


@given(probabilities, bounds(), policies, contexts())
def test_the_machine_never_acts_outside_its_bounds(
    p: float, limits: RouteBounds, policy: Policy, context: TriageContext
) -> None:
    route = triage(Score(p), limits, policy, context).disposition
    if route is ALLOW:
        assert policy.routes.allow
        assert limits.allow_below is not None
        assert p <= limits.allow_below
    if route is ENFORCE:
        assert policy.routes.enforce
        assert limits.enforce_above is not None
        assert p >= limits.enforce_above


@given(bounds(), policies, contexts())
def test_without_a_score_a_person_decides(
    limits: RouteBounds, policy: Policy, context: TriageContext
) -> None:
    outcome = triage(Unscored("abstained"), limits, policy, context)
    assert outcome.disposition is REVIEW
    assert outcome.probability is None
    assert "abstained" in outcome.reasons[0]


@given(probabilities, probabilities, bounds(), policies, contexts(precedents | st.none()))
def test_a_higher_probability_is_never_treated_more_leniently(
    first: float, second: float, limits: RouteBounds, policy: Policy, context: TriageContext
) -> None:
    low, high = (
        triage(Score(p), limits, policy, context).disposition for p in sorted((first, second))
    )
    if context.precedent is None or context.precedent.is_by_person:
        assert LENIENCY[low] <= LENIENCY[high]
    # A machine's route is shared only where it is the item's own: an ENFORCE that is not shared
    # becomes a review, never an ALLOW.
    assert not (low is not ALLOW and high is ALLOW)


@given(probabilities, bounds(), policies, contexts(precedents))
def test_only_a_persons_decision_goes_beyond_the_bounds(
    p: float, limits: RouteBounds, policy: Policy, context: TriageContext
) -> None:
    outcome = triage(Score(p), limits, policy, context)
    precedent = context.precedent
    assert precedent is not None
    if outcome.disposition is not REVIEW and outcome.disposition is not outcome.machine_route:
        assert precedent.is_by_person
        assert outcome.served_by == "first"


@given(probabilities, probabilities, bounds(), policies, contexts(precedents))
def test_exact_copies_get_a_persons_decision_whatever_their_score(
    p: float, q: float, limits: RouteBounds, policy: Policy, context: TriageContext
) -> None:
    clause = policy.clause(context.surface, context.reported_clause)
    decision = Precedent("first", ENFORCE, clause.id, is_by_person=True)
    copies = [
        triage(evidence, limits, policy, replace(context, precedent=decision))
        for evidence in (Score(p), Score(q), Unscored("media"))
    ]
    assert {copy.disposition for copy in copies} == {ENFORCE}
    assert {copy.review_propensity for copy in copies} == {0.0}
    assert {copy.action for copy in copies} == {clause.action}


@given(probabilities, bounds(), policies, contexts())
def test_exact_copies_of_what_the_machine_routed_get_the_same_route(
    p: float, limits: RouteBounds, policy: Policy, context: TriageContext
) -> None:
    first = triage(Score(p), limits, policy, context)
    earlier = Precedent("first", first.disposition, first.clause_id, is_by_person=False)
    copy = triage(Score(p), limits, policy, replace(context, precedent=earlier))
    assert copy.disposition is first.disposition
    assert copy.served_by == "first"


def test_a_copy_of_what_may_no_longer_be_allowed_is_reviewed() -> None:
    earlier = Precedent("first", ALLOW, "deceptive", is_by_person=False)
    outcome = triage(Score(0.5), WIDE, ACTS, replace(FEED, precedent=earlier))
    assert outcome.disposition is REVIEW
    assert "may no longer allow" in outcome.reasons[-1]


@pytest.mark.parametrize(
    ("near_max", "serves", "distance", "p", "expected"),
    [
        (None, ("enforce",), 3, 0.5, REVIEW),
        (16, ("enforce",), 16, 0.5, ENFORCE),
        (16, ("enforce",), 17, 0.5, REVIEW),
        (16, ("allow",), 3, 0.5, REVIEW),
        (16, ("enforce",), 3, 0.01, REVIEW),
    ],
)
def test_near_duplicates_are_served_on_request_and_never_against_the_score(
    near_max: int | None, serves: tuple[str, ...], distance: int, p: float, expected: Disposition
) -> None:
    policy = changed(ACTS, duplicates={"near_distance_max": near_max, "near_serves": serves})
    like = Precedent("first", ENFORCE, "deceptive", True, Likeness.NEAR, distance)
    assert triage(Score(p), WIDE, policy, replace(FEED, precedent=like)).disposition is expected
    reported = replace(FEED, precedent=like, reported_clause="deceptive")
    assert triage(Score(p), WIDE, policy, reported).disposition is REVIEW


def test_a_report_always_reaches_a_person_in_its_legal_lane() -> None:
    outcome = triage(Score(0.001), WIDE, ACTS, replace(FEED, reported_clause="intimate"))
    assert outcome.disposition is REVIEW
    assert outcome.deadline_hours == 48.0
    assert outcome.while_waiting is WhileWaiting.HELD
    assert not outcome.is_deferred
    assert outcome.review_propensity == 1.0


def test_a_drawn_item_that_the_machine_would_enforce_is_held_meanwhile() -> None:
    outcome = triage(Score(0.95), WIDE, ACTS, replace(FEED, draws=Draws(0.0, 0.5)))
    assert outcome.disposition is REVIEW
    assert outcome.machine_route is ENFORCE
    assert outcome.while_waiting is WhileWaiting.HELD
    assert outcome.sample is Sample.RANDOM


def test_the_enforced_action_is_the_clauses() -> None:
    paid = replace(FEED, surface="advertisement")
    assert triage(Score(0.95), WIDE, ACTS, paid).action is Action.DISABLE
    assert triage(Score(0.95), WIDE, ACTS, FEED).action is Action.LABEL
    assert triage(Score(0.5), WIDE, ACTS, FEED).action is None


def test_it_takes_what_a_calibrator_gives() -> None:
    score = CalibratedScore(0.05, 3.0, 8.0, 0.9, "image", "platt/1")
    outcome = triage(score, WIDE, ACTS, FEED)
    assert outcome.disposition is ALLOW
    assert outcome.calibrator_id == "platt/1"
    assert outcome.reasons == (
        "P(manipulated) is 0.05, at most 0.1, up to which the machine may allow",
    )


@given(probabilities)
def test_where_both_bounds_meet_neither_wins(p: float) -> None:
    assert machine_route(p, RouteBounds(p, p), ACTS.routes) is REVIEW
    assert machine_route(p, NEVER, ACTS.routes) is REVIEW


def test_expected_harm_by_hand() -> None:
    """p .2, severity 1, 500 views; a wrong action costs 50 + .3 · 1,000; reviewers err in .1."""
    harm = triage(Score(0.2), WIDE, ACTS, replace(FEED, modality=Modality.AUDIO)).harm
    assert harm.left_up == pytest.approx(100.0)
    assert harm.taken_down == pytest.approx(0.8 * 350.0)
    assert harm.avoidable == pytest.approx(100.0 - 0.1 * 380.0)
    assert harm.avoidable_a_minute == pytest.approx(31.0)


@pytest.mark.parametrize(
    ("hours", "bar"),
    [(0.0, 0.0), (8.0, 0.0), (16.0, 5.0), (24.0, 10.0), (48.0, 55.0), (1e9, 100.0)],
)
def test_the_bar_follows_its_curve(hours: float, bar: float) -> None:
    assert admission_bar(DEFAULT.admission, hours) == pytest.approx(bar)


@given(st.floats(0.0, 1e4), st.floats(0.0, 1e4), probabilities, contexts())
def test_a_larger_backlog_never_admits_more_and_never_changes_a_route(
    first: float, second: float, p: float, context: TriageContext
) -> None:
    low, high = (
        triage(Score(p), WIDE, ACTS, replace(context, backlog_minutes=minutes))
        for minutes in sorted((first, second))
    )
    assert low.disposition is high.disposition
    assert low.is_deferred <= high.is_deferred
    assert not (high.is_deferred and (high.sample is not None or high.legal_lane is not None))


def test_a_deferred_item_has_the_propensity_of_its_draw_alone() -> None:
    busy = replace(FEED, backlog_minutes=1e6, capacity_minutes_per_hour=60.0, remaining_views=1.0)
    outcome = triage(Score(0.5), WIDE, ACTS, busy)
    assert outcome.is_deferred
    assert outcome.disposition is REVIEW
    assert outcome.review_propensity == outcome.sample_propensity == pytest.approx(0.05)
    assert "gets in line" in outcome.reasons[-1]
    assert outcome.as_json()["harm"]["avoidable_a_minute"] == outcome.harm.avoidable_a_minute


@pytest.mark.parametrize("p", [0.01, 0.5, 0.99])
@pytest.mark.parametrize("disagreement", [None, 0.2, 0.8])
@pytest.mark.parametrize("backlog_minutes", [0.0, 1e6])
def test_propensities_are_the_shares_that_are_reviewed(
    p: float, disagreement: float | None, backlog_minutes: float
) -> None:
    """Over the draws; inside the central 1 - 1e-6 of the binomial distribution."""
    context = replace(
        FEED,
        disagreement=disagreement,
        backlog_minutes=backlog_minutes,
        capacity_minutes_per_hour=60.0,
        remaining_views=0.0,
    )
    n = 4000
    rng = np.random.default_rng(7)
    outcomes = [
        triage(Score(p), WIDE, ACTS, replace(context, draws=Draws(*rng.random(2))))
        for _ in range(n)
    ]
    seen = sum(one.disposition is REVIEW and not one.is_deferred for one in outcomes)
    in_sample = sum(one.sample is not None for one in outcomes)
    for count, propensity in (
        (seen, outcomes[0].review_propensity),
        (in_sample, outcomes[0].sample_propensity),
    ):
        low, high = binom.interval(1 - 1e-6, n, propensity)
        assert low <= count <= high
    assert outcomes[0].sample_propensity == pytest.approx(0.145 if disagreement == 0.8 else 0.05)


def test_draws_are_uniform_independent_and_the_keys_own() -> None:
    drawn = [draws_of(f"{k:064x}", key=b"one") for k in range(4000)]
    values = np.array([(one.random, one.disagreement) for one in drawn])
    counts = np.histogram2d(*values.T, bins=4, range=[[0, 1], [0, 1]])[0]
    low, high = binom.interval(1 - 1e-7, 4000, 1 / 16)
    assert low <= counts.min() <= counts.max() <= high
    assert draws_of("a", key=b"one") == draws_of("a", key=b"one") != draws_of("a", key=b"two")


def test_the_shadow_is_recorded_and_never_acts() -> None:
    strict = changed(ACTS, name="strict", version="2")
    live = Deployed(DEFAULT, WIDE)
    both = triage_with_shadow(Score(0.95), FEED, live=live, shadow=Deployed(strict, WIDE))
    assert both.live == triage_with_shadow(Score(0.95), FEED, live=live).live
    assert both.live.disposition is REVIEW
    assert both.differs
    record = both.as_json()
    assert record["live"]["policy_id"] == "default@1"
    assert record["shadow"]["policy_id"] == "strict@2"
    assert record["shadow"]["disposition"] == "enforce"
    assert not triage_with_shadow(Score(0.5), FEED, live=live, shadow=live).differs


@pytest.mark.parametrize(
    "make",
    [
        lambda: Draws(1.0, 0.0),
        lambda: replace(FEED, reach=-1.0),
        lambda: replace(FEED, remaining_views=float("nan")),
        lambda: replace(FEED, disagreement=1.5),
        lambda: replace(FEED, reviewer_error=2.0),
        lambda: Precedent("first", REVIEW, "deceptive", is_by_person=True),
        lambda: Precedent("first", ALLOW, "deceptive", True, Likeness.EXACT, 3),
    ],
)
def test_values_check_themselves(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        make()
