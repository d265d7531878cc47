"""What the records say of reviewers: agreement, golden answers, rulings that went another way."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, func, select

from moderation.review.agreement import (
    MISSING,
    Agreement,
    Ratings,
    cohen_kappa,
    krippendorff_alpha,
    with_interval,
)
from moderation.review.reviewer_error import BetaPrior, ErrorEstimate, estimate_error
from moderation.review.rules import ReviewRules
from moderation.review.tables import (
    IN_FORCE,
    STANDS,
    decisions,
    golden_items,
    rulings,
    tasks,
)
from moderation.review.types import TaskKind, Verdict

_CODES = {verdict: code for code, verdict in enumerate(Verdict)}
# One error in ten, with the weight of fifty checks: the first few do not swing the queue.
TEAM_PRIOR = BetaPrior(errors=5.0, rights=45.0)
_BLIND = (TaskKind.FIRST, TaskKind.SECOND, TaskKind.THIRD)


@dataclass(frozen=True, slots=True)
class BlindRatings:
    """Verdicts that were reached without knowledge of each other, on cases with two or more.

    clause_U: of each case. reviewers: of each column. rating_UR: codes of `Verdict` in its order.
    """

    clause_U: tuple[str, ...]
    reviewers: tuple[str, ...]
    rating_UR: Ratings


def blind_ratings(connection: Connection, *, since: datetime, until: datetime) -> BlindRatings:
    """Of cases whose decisions fall between `since` and `until`; leads and appeals see more."""
    found = connection.execute(
        select(decisions.c.case_id, decisions.c.reviewer_id, decisions.c.verdict, tasks.c.clause_id)
        .join(tasks, tasks.c.id == decisions.c.task_id)
        .where(
            STANDS,
            tasks.c.kind.in_(_BLIND),
            tasks.c.desk == "general",
            decisions.c.decided_at >= since,
            decisions.c.decided_at < until,
        )
        .order_by(decisions.c.case_id)
    )
    by_case: dict[str, dict[str, int]] = defaultdict(dict)
    clauses: dict[str, str] = {}
    for case_id, reviewer_id, verdict, clause_id in found:
        by_case[case_id][reviewer_id] = _CODES[Verdict(verdict)]
        clauses[case_id] = clause_id
    cases = [case_id for case_id, said in by_case.items() if len(said) >= 2]
    reviewers = sorted({name for case_id in cases for name in by_case[case_id]})
    rating_UR = np.full((len(cases), len(reviewers)), MISSING, dtype=np.int64)
    for row, case_id in enumerate(cases):
        for name, code in by_case[case_id].items():
            rating_UR[row, reviewers.index(name)] = code
    return BlindRatings(tuple(clauses[case_id] for case_id in cases), tuple(reviewers), rating_UR)


def agreement_by_clause(ratings: BlindRatings, *, seed: int) -> dict[str, Agreement]:
    """Krippendorff's α of each clause."""
    clause_U = np.array(ratings.clause_U)
    return {
        clause: with_interval(krippendorff_alpha, ratings.rating_UR[clause_U == clause], seed=seed)
        for clause in sorted(set(ratings.clause_U))
    }


def agreement_by_reviewer(ratings: BlindRatings, *, seed: int) -> dict[str, Agreement]:
    """Cohen's κ of each reviewer with whoever else rated the same case, once a colleague."""
    found = {}
    for column, name in enumerate(ratings.reviewers):
        own_U = ratings.rating_UR[:, column]
        others_UR = np.delete(ratings.rating_UR, column, axis=1)
        row_P, other_P = np.nonzero((others_UR != MISSING) & (own_U != MISSING)[:, None])
        pairs_P2 = np.stack([own_U[row_P], others_UR[row_P, other_P]], axis=1)
        found[name] = with_interval(_kappa_of_columns, pairs_P2, seed=seed)
    return found


def _kappa_of_columns(rating_U2: Ratings) -> float:
    return cohen_kappa(rating_U2[:, 0], rating_U2[:, 1])


@dataclass(frozen=True, slots=True)
class Check:
    """A decision that was held against a known answer, or against what held in the end."""

    reviewer_id: str
    decision_id: str
    is_error: bool


def checked(
    standing: Sequence[tuple[str, str, Verdict]], ruling_decision_id: str
) -> Iterator[Check]:
    """Of a ruled case's decisions (id, reviewer, verdict), those that another bears out or not.

    The decision that rules is no check of itself: it counts where another agrees with it.
    """
    ruled = next(verdict for key, _, verdict in standing if key == ruling_decision_id)
    agreeing = sum(verdict is ruled for _, _, verdict in standing)
    for key, reviewer_id, verdict in standing:
        if len(standing) >= 2 and (key != ruling_decision_id or agreeing >= 2):
            yield Check(reviewer_id, key, verdict is not ruled)


def checks(connection: Connection, *, since: datetime) -> Iterator[Check]:
    """From golden items, second reviews and appeals, of decisions from `since` on."""
    golden = connection.execute(
        select(decisions.c.reviewer_id, decisions.c.id, decisions.c.verdict, golden_items.c.verdict)
        .join(tasks, tasks.c.id == decisions.c.task_id)
        .join(golden_items, golden_items.c.id == tasks.c.golden_id)
        .where(STANDS, decisions.c.decided_at >= since)
    )
    for reviewer_id, decision_id, said, answer in golden:
        yield Check(reviewer_id, decision_id, said != answer)
    several = (
        select(decisions.c.case_id)
        .where(STANDS, decisions.c.decided_at >= since)
        .group_by(decisions.c.case_id)
        .having(func.count() >= 2)
    )
    found = connection.execute(
        select(
            decisions.c.case_id,
            decisions.c.id,
            decisions.c.reviewer_id,
            decisions.c.verdict,
            rulings.c.decision_id,
        )
        .join(rulings, rulings.c.case_id == decisions.c.case_id)
        .where(STANDS, IN_FORCE, decisions.c.case_id.in_(several))
    )
    cases: dict[tuple[str, str], list[tuple[str, str, Verdict]]] = defaultdict(list)
    for case_id, decision_id, reviewer_id, verdict, ruling_decision_id in found:
        cases[case_id, ruling_decision_id].append((decision_id, reviewer_id, Verdict(verdict)))
    for (_, ruling_decision_id), standing in cases.items():
        yield from checked(standing, ruling_decision_id)


def reviewer_errors(
    connection: Connection, *, since: datetime, prior: BetaPrior | None = None
) -> Mapping[str, ErrorEstimate]:
    """Error estimates by reviewer; whoever is not in it has had no check: use the prior's mean."""
    errors: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for check in checks(connection, since=since):
        total[check.reviewer_id] += 1
        errors[check.reviewer_id] += check.is_error
    chosen = prior or BetaPrior()
    return {name: estimate_error(errors[name], total[name], chosen) for name in sorted(total)}


def team_error(
    connection: Connection,
    rules: ReviewRules,
    *,
    since: datetime,
    prior: BetaPrior = TEAM_PRIOR,
) -> ErrorEstimate:
    """How often the team's reviewers err, for the priority formula.

    From golden items, and from the two blind decisions on cases that were drawn for a second
    review: neither depends on who doubted or complained, as other checks do.
    """
    found = connection.execute(
        select(decisions.c.id, decisions.c.case_id, tasks.c.kind)
        .join(tasks, tasks.c.id == decisions.c.task_id)
        .where(
            STANDS,
            decisions.c.decided_at >= since,
            tasks.c.kind.in_((TaskKind.GOLDEN, TaskKind.FIRST, TaskKind.SECOND)),
        )
    )
    counted = {
        row.id
        for row in found
        if row.kind == TaskKind.GOLDEN or rules.draw("second", row.case_id) < rules.second_rate
    }
    held = [one for one in checks(connection, since=since) if one.decision_id in counted]
    return estimate_error(sum(one.is_error for one in held), len(held), prior)
