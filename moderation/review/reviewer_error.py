"""How often a reviewer errs: an estimate with its uncertainty; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moderation.review.agreement import MISSING, Ratings


@dataclass(frozen=True, slots=True)
class BetaPrior:
    """What is believed of a reviewer before the first check: mean errors / (errors + rights).

    The default, one error in ten with the weight of ten checks, is soon outvoted.
    """

    errors: float = 1.0
    rights: float = 9.0

    def __post_init__(self) -> None:
        if not (self.errors > 0 and self.rights > 0):
            raise ValueError(f"{self} is no Beta distribution")


@dataclass(frozen=True, slots=True)
class ErrorEstimate:
    """The share of decisions that are wrong, [0, 1].

    mean: what the priority formula takes as `reviewer_error`. lower, upper: a credible interval.
    checks: decisions that were held against something; errors: those of them that were wrong.
    """

    mean: float
    lower: float
    upper: float
    errors: int
    checks: int


def posterior_mean(errors: int, checks: int, prior: BetaPrior) -> float:
    """Mean of the posterior Beta(a + errors, b + checks - errors): (a + errors) / (a + b + checks).

    Source: Gelman and others, Bayesian data analysis, 2.4.
    """
    if not 0 <= errors <= checks:
        raise ValueError(f"{errors} errors in {checks} checks")
    return (prior.errors + errors) / (prior.errors + prior.rights + checks)


def estimate_error(
    errors: int, checks: int, prior: BetaPrior, *, confidence: float = 0.95
) -> ErrorEstimate:
    """The posterior Beta(a + errors, b + checks - errors) of an error rate.

    Source: Gelman and others, Bayesian data analysis, 2.4.
    """
    from scipy.stats import beta

    mean = posterior_mean(errors, checks, prior)
    a, b = prior.errors + errors, prior.rights + checks - errors
    tail = (1.0 - confidence) / 2.0
    lower, upper = beta.ppf([tail, 1.0 - tail], a, b)
    return ErrorEstimate(mean, float(lower), float(upper), errors, checks)


@dataclass(frozen=True, slots=True)
class LatentTruth:
    """What Dawid and Skene's model makes of ratings without known answers.

    truth_UC: probability of each category, by unit. confusion_RCC: probability that a reviewer
    says the second category where the first is true. prevalence_C: of the categories.
    loglikelihoods: after each iteration; they never fall.
    """

    truth_UC: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    confusion_RCC: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    prevalence_C: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    loglikelihoods: Sequence[float]


def dawid_skene(
    rating_UR: Ratings, *, categories: int, iterations: int = 200, tolerance: float = 1e-9
) -> LatentTruth:
    """Truth and reviewers' confusions at once, by expectation maximisation.

    rating_UR: category, or -1 where a reviewer did not rate a unit; every unit is rated. Starts
    from the majority. Source: Dawid and Skene, Maximum likelihood estimation of observer
    error-rates using the EM algorithm (1979), eqs. 2.3 to 2.5.
    """
    said_URC = (rating_UR[:, :, None] == np.arange(categories)).astype(np.float64)
    truth_UC = said_URC.sum(axis=1)
    if (rating_UR == MISSING).all(axis=1).any():
        raise ValueError("a unit without a rating")
    truth_UC /= truth_UC.sum(axis=1, keepdims=True)
    loglikelihoods: list[float] = []
    while True:
        prevalence_C = truth_UC.mean(axis=0)
        confusion_RCC = np.einsum("uc,urk->rck", truth_UC, said_URC)
        seen_RC1 = confusion_RCC.sum(axis=2, keepdims=True)
        # A reviewer who never met a category has no confusion there; it then weighs nothing.
        confusion_RCC = np.divide(
            confusion_RCC,
            seen_RC1,
            out=np.full_like(confusion_RCC, 1 / categories),
            where=seen_RC1 > 0,
        )
        with np.errstate(divide="ignore"):
            log_RCC, log_C = np.log(confusion_RCC), np.log(prevalence_C)
        # 0 · -inf is nothing said, not a contradiction.
        said = np.where(said_URC[:, :, None, :] > 0, log_RCC[None], 0.0)
        joint_UC = log_C + said.sum(axis=(1, 3))
        top_U1 = joint_UC.max(axis=1, keepdims=True)
        evidence_U1 = top_U1 + np.log(np.exp(joint_UC - top_U1).sum(axis=1, keepdims=True))
        truth_UC = np.exp(joint_UC - evidence_U1)
        loglikelihoods.append(float(evidence_U1.sum()))
        gained = np.inf if len(loglikelihoods) < 2 else loglikelihoods[-1] - loglikelihoods[-2]
        if gained < tolerance or len(loglikelihoods) >= iterations:
            return LatentTruth(truth_UC, confusion_RCC, prevalence_C, tuple(loglikelihoods))
