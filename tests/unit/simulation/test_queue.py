"""The simulation against closed forms, brute force and its own rules."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats
from sklearn.metrics import roc_auc_score

from encoders.types import Modality
from moderation.policy.loading import default_policy
from moderation.policy.schema import Policy
from moderation.priority.orders import AvoidableHarm, CMu, FirstInFirstOut, RawScore
from moderation.simulation.arrivals import Arrivals
from moderation.simulation.estimate import estimate
from moderation.simulation.experiment import DISCIPLINES, Synthetic, compare
from moderation.simulation.harm import harm_done
from moderation.simulation.measurement import measure
from moderation.simulation.queue import Discipline, QueueSimulation
from moderation.simulation.staff import Break, Shift, Staff, two_shifts
from moderation.simulation.synthetic import World, arrival_hours, arrivals
from moderation.simulation.views import GrowingViews, SteadyViews
from moderation.triage.routing import NEVER
from moderation.triage.shadow import Deployed
from moderation.types import RouteBounds

ALWAYS = Staff((Shift(0.0, 24.0, 1),))


def plain(**tables: object) -> Policy:
    """The default's last clause alone, without bar, samples and reserved turns."""
    whole = default_policy().model_dump()
    rules = {
        "clauses": whole["clauses"][-1:],
        "admission": {},
        "sampling": {"random_share": 0.0, "disagreement_share": 0.0, "reserved_reviews": 0.0},
    }
    return Policy.model_validate(whole | rules | tables)


def items(n: int, rng: np.random.Generator, **columns: object) -> Arrivals:
    """n manipulated pictures in the feed that all come at once, with forecasts that are right."""
    ones = np.ones(n)
    usual = {
        "hour_N": 0.0 * ones,
        "is_manipulated_N": ones == 1.0,
        "probability_N": 0.5 * ones,
        "score_N": 4.5 * ones,
        "modality_N": (Modality.IMAGE,) * n,
        "surface_N": ("feed",) * n,
        "reported_N": (None,) * n,
        "views_N": rng.uniform(100.0, 10_000.0, n),
        "scale_hours_N": 1000.0 * ones,
        "log_error_N": 0.0 * ones,
        "length_N": ones,
        "mistake_N": 0.5 * ones,
        "draw_N2": np.full((n, 2), 0.5),
        "disagreement_N": np.full(n, np.nan),
    }
    return Arrivals(**usual | columns)  # type: ignore[arg-type]


def simulated(
    arrived: Arrivals, policy: Policy, *, error: float = 0.0, staff: Staff = ALWAYS
) -> QueueSimulation:
    """One reviewer round the clock, steady views, every item reviewed."""
    return QueueSimulation(
        arrived,
        staff,
        Deployed(policy, NEVER),
        reviewer_error=error,
        hours=900.0,
        views=SteadyViews(),
        rerank_minutes=0.0,
    )


def test_cmu_does_least_harm_of_all_orders_with_one_reviewer() -> None:
    """Five items at once, steady views: every one of 120 orders is run through the simulation."""
    rng = np.random.default_rng(1)
    # Clauses say the expected minutes by modality, so these reviews take as long as expected.
    kinds = (Modality.IMAGE, Modality.AUDIO, Modality.VIDEO)
    base = items(5, rng, modality_N=tuple(kinds[k % 3] for k in range(5)))

    def harm(arrived: Arrivals, discipline: Discipline) -> float:
        simulation = simulated(arrived, plain())
        return float(harm_done(simulation, simulation.run(discipline)).total_N.sum())

    best = harm(base, Discipline("cmu", CMu()))
    by_force = []
    for order in permutations(range(5)):
        # The raw score puts them in this order.
        score_N = np.empty(5)
        score_N[list(order)] = np.arange(5.0)
        ranked = replace(base, score_N=score_N)
        by_force.append(harm(ranked, Discipline("score", RawScore())))
    assert best == pytest.approx(min(by_force))
    assert max(by_force) > 1.2 * best


def test_harm_by_hand() -> None:
    """Two items of one minute each: the second one is seen for two minutes of 1,000 hours."""
    rng = np.random.default_rng(0)
    arrived = items(3, rng, views_N=np.array([6e4, 6e4, 6e4]))
    arrived = replace(
        arrived,
        is_manipulated_N=np.array([True, True, False]),
        mistake_N=np.array([0.5, 0.5, 0.01]),
    )
    simulation = simulated(arrived, plain(), error=0.1)
    run = simulation.run(Discipline("fifo", FirstInFirstOut()))
    np.testing.assert_allclose(60 * run.decided_hour_N, [1.0, 2.0, 3.0])
    done = harm_done(simulation, run)
    np.testing.assert_allclose(done.by_manipulated_N, [1.0, 2.0, 0.0])
    # A genuine item is acted on by mistake after three of 60,000 minutes.
    np.testing.assert_allclose(done.to_genuine_N, [0.0, 0.0, 50 + 0.3 * (6e4 - 3.0)])
    measured = measure(simulation, run)
    assert measured.reviewed_share == 1.0
    assert measured.prevented == pytest.approx(2 * 6e4 - 3.0 - (50 + 0.3 * (6e4 - 3.0)))


def test_what_is_held_does_no_harm_to_the_public_and_some_to_its_owner() -> None:
    clause = default_policy().clauses[-1].model_dump() | {"while_waiting": "held"}
    rng = np.random.default_rng(0)
    arrived = items(2, rng, views_N=np.array([6e4, 6e4]))
    arrived = replace(arrived, is_manipulated_N=np.array([True, False]))
    simulation = simulated(arrived, plain(clauses=(clause,)))
    done = harm_done(simulation, simulation.run(Discipline("fifo", FirstInFirstOut())))
    np.testing.assert_allclose(done.by_manipulated_N, 0.0)
    np.testing.assert_allclose(done.to_genuine_N, [0.0, 0.3 * 2.0], rtol=1e-6)


def test_nobody_is_reviewed_twice_and_reviews_do_not_overlap() -> None:
    rng = np.random.default_rng(2)
    policy = default_policy()
    arrived = arrivals(World(days=2.0), policy, rate_per_hour=25.0, rng=rng)
    staff = Staff((Shift(8.0, 8.0, 1, (Break(4.0, 0.5),)),))
    simulation = QueueSimulation(
        arrived, staff, Deployed(policy, NEVER), reviewer_error=0.05, hours=48.0
    )
    for discipline in DISCIPLINES:
        run = simulation.run(discipline)
        decided = np.flatnonzero(~np.isnan(run.decided_hour_N))
        minutes_N = simulation.minutes_N * arrived.length_N
        begin = run.decided_hour_N[decided] - minutes_N[decided] / 60.0
        order = np.argsort(begin)
        assert np.all(np.diff(begin[order]) * 60.0 >= minutes_N[decided][order][:-1] - 1e-6)
        assert np.all(begin >= arrived.hour_N[decided] - 1e-9)
        clock = begin % 24.0
        assert np.all((clock >= 8.0 - 1e-9) & (clock <= 16.0))
        assert not np.any((clock > 12.0 + 1e-9) & (clock < 12.5 - 1e-9))
        assert run.busy_minutes == pytest.approx(minutes_N[decided].sum())


def test_legal_lanes_come_first_and_fifo_is_by_arrival() -> None:
    rng = np.random.default_rng(3)
    policy = default_policy()
    world = World(days=1.0, reported_share=0.1)
    arrived = arrivals(world, policy, rate_per_hour=60.0, rng=rng)
    simulation = simulated(arrived, policy)
    first = simulation.run(Discipline("FIFO", FirstInFirstOut(), has_lanes=False))
    order = np.argsort(first.decided_hour_N)
    waiting = np.flatnonzero([one.while_waiting is not None for one in first.outcomes_N])
    assert np.array_equal(order[: waiting.size], waiting)

    laned = simulation.run(Discipline("avoidable", AvoidableHarm()))
    is_legal = np.array([one.legal_lane is not None for one in laned.outcomes_N])
    wait_N = laned.decided_hour_N - arrived.hour_N
    assert np.nanmax(wait_N[is_legal]) < 1.0 < np.nanmax(wait_N[~is_legal])


def test_ranking_now_and_then_changes_little() -> None:
    policy = plain()
    staff = two_shifts(1)
    deployed = Deployed(policy, RouteBounds(0.01, None))
    arrived = Synthetic(World(days=2.0), deployed, staff, 2.0).draw(np.random.default_rng(0))
    harms = []
    for minutes in (0.0, 5.0):
        simulation = QueueSimulation(
            arrived, staff, deployed, reviewer_error=0.05, hours=48.0, rerank_minutes=minutes
        )
        run = simulation.run(Discipline("avoidable", AvoidableHarm()))
        harms.append(measure(simulation, run).harm)
    assert harms[0] == pytest.approx(harms[1], rel=0.05)


def test_overload_is_what_was_asked_for() -> None:
    staff, deployed = two_shifts(1), Deployed(default_policy(), RouteBounds(0.02, None))
    source = Synthetic(World(days=10.0), deployed, staff, 3.0)
    drawn = source.draw(np.random.default_rng(4))
    simulation = QueueSimulation(drawn, staff, deployed, reviewer_error=0.05, hours=0.0)
    run = simulation.run(DISCIPLINES[0])
    is_review = np.array([one.while_waiting is not None for one in run.outcomes_N])
    work = simulation.minutes_N[is_review].sum()
    assert work / (staff.minutes_per_hour * 240.0) == pytest.approx(3.0, rel=0.1)


def test_a_comparison_repeats_itself_and_orders_matter_under_overload() -> None:
    staff, deployed = two_shifts(1), Deployed(default_policy(), RouteBounds(0.01, None))
    source = Synthetic(World(days=1.0), deployed, staff, 3.0)
    runs = []
    first, second = (
        compare(
            source,
            staff,
            deployed,
            seeds=range(2),
            reviewer_error=0.05,
            disciplines=(DISCIPLINES[0], DISCIPLINES[-1]),
            on_run=lambda: runs.append(1),
        )
        for _ in range(2)
    )
    assert len(runs) == 8
    label = DISCIPLINES[-1].label
    assert first.harm_ratios(label) == second.harm_ratios(label)
    assert first.harm_ratio(DISCIPLINES[0].label).value == 1.0
    assert first.harm_ratio(label).value < 0.8
    assert all(run.utilisation > 0.7 for run in first.runs[label])


@pytest.mark.parametrize("curve", [GrowingViews(), SteadyViews()])
def test_views_are_the_integral_of_their_speed(curve: GrowingViews | SteadyViews) -> None:
    for x in (0.3, 1.0, 4.0):
        area, _ = integrate.quad(lambda t: float(curve.speed(np.float64(t))), 0.0, x, points=[1.0])
        assert float(curve.seen(np.float64(x))) == pytest.approx(area, abs=1e-6)
    assert float(curve.seen(np.float64(50.0))) == pytest.approx(1.0)


def test_made_up_scores_are_calibrated_and_have_the_auc() -> None:
    world = World(days=30.0, reported_share=0.0, unscored_share=0.0)
    drawn = arrivals(world, default_policy(), rate_per_hour=60.0, rng=np.random.default_rng(0))
    p, truth = drawn.probability_N, drawn.is_manipulated_N
    assert roc_auc_score(truth, p) == pytest.approx(0.85, abs=0.01)
    for low, high in ((0.0, 0.05), (0.05, 0.2), (0.2, 0.5), (0.5, 1.0)):
        inside = (p >= low) & (p < high)
        limits = stats.binom.interval(1 - 1e-6, inside.sum(), p[inside].mean())
        assert limits[0] <= truth[inside].sum() <= limits[1]


def test_arrivals_follow_the_day() -> None:
    world = World(days=200.0, daily_swing=0.6)
    hours = arrival_hours(10.0, world, np.random.default_rng(0))
    count = np.histogram(hours % 24.0, bins=24, range=(0, 24))[0]
    middle = np.arange(24) + 0.5
    expected = 2000.0 * (1.0 + 0.6 * np.sin(2 * np.pi * (middle - 12.0) / 24.0))
    assert stats.chisquare(count, expected * count.sum() / expected.sum()).pvalue > 1e-4
    assert hours.size == pytest.approx(48_000, rel=0.03)


@given(st.floats(0.0, 500.0), st.floats(0.0, 23.9), st.floats(3.0, 24.0))
def test_reviewers_work_in_their_shift(hour: float, start: float, length: float) -> None:
    shift = Shift(start, length, 1, (Break(1.0, 0.5), Break(2.0, 0.5)))
    staff = Staff((shift,))
    when = staff.next_at(0, hour)
    assert hour <= when <= hour + 24.0
    inside = [
        begin - 1e-6 <= when + day < end + 1e-6
        for day in range(-528, 48, 24)
        for begin, end in shift.stretches()
    ]
    assert any(inside)
    assert staff.minutes_per_hour == pytest.approx(60.0 * (length - 1.0) / 24.0)


def test_intervals_are_students() -> None:
    found = estimate([1.0, 2.0, 3.0, float("nan")])
    assert found.seeds == 3
    expected = stats.t.interval(0.95, 2, loc=2.0, scale=stats.sem([1.0, 2.0, 3.0]))
    assert (found.low, found.high) == pytest.approx(expected)
    assert np.isnan(estimate([1.0]).low)
    assert np.isnan(estimate([]).value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Shift(25.0, 8.0, 1),
        lambda: Shift(8.0, 8.0, -1),
        lambda: Shift(8.0, 8.0, 1, (Break(4.0, 1.0), Break(4.5, 1.0))),
        lambda: Shift(8.0, 8.0, 1, (Break(7.5, 1.0),)),
        lambda: Staff((Shift(8.0, 8.0, 0),)),
        lambda: World(auc=1.0),
        lambda: items(2, np.random.default_rng(0), hour_N=np.array([1.0, 0.0])),
        lambda: items(2, np.random.default_rng(0), hour_N=np.zeros(3)),
    ],
)
def test_values_check_themselves(make: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        make()  # type: ignore[operator]
