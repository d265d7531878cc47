"""Expected harm of an item under a clause: pure equations, on floats or on arrays alike.

Harm is counted in views of severity 1. p: P(manipulated); views: still to come.
"""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Number = TypeVar("Number", float, Floats)


def harm_left_up(p: Number, *, severity: Number, missed: Number, remaining_views: Number) -> Number:
    """E[harm] of leaving the item up for good: p · (missed + severity · views)."""
    return p * (missed + severity * remaining_views)


def cost_of_wrong_action(
    reach: Number, *, wrong: Number, wrong_per_view: Number, reach_exponent: Number
) -> Number:
    """Harm of acting on a genuine item: wrong + wrong_per_view · reach ** exponent."""
    value: Number = wrong + wrong_per_view * reach**reach_exponent
    return value


def harm_taken_down(p: Number, *, cost_of_wrong: Number) -> Number:
    """E[harm] of acting on the item: (1 - p) · cost of a wrong action."""
    return (1.0 - p) * cost_of_wrong


def information_value(up: Number, down: Number, reviewer_error: Number) -> Number:
    """What a review is worth if the better of both actions is taken without it.

    min(up, down) · (1 - error), the expected value of information of Elkan's two-action problem
    (The foundations of cost-sensitive learning, IJCAI 2001).
    """
    value: Number = np.minimum(up, down) * (1.0 - reviewer_error)
    return value


def avoidable_harm(
    up: Number, down: Number, *, is_held: bool | Flags, reviewer_error: Number
) -> Number:
    """What a review is worth if the item stays as it is without one: up, or held.

    A reviewer who errs with probability e leaves e · (up + down); without the review the harm is
    `up`, or `down` for an item that is held. Never below 0: a review that does more harm than good
    is worth nothing.
    """
    unreviewed: Any = np.where(is_held, down, up)
    value: Number = np.maximum(unreviewed - reviewer_error * (up + down), 0.0)
    return value
