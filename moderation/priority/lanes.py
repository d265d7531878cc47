"""Lanes: what goes before all priorities.

A legal deadline is a hard lane, in the order of deadlines: earliest deadline first meets all of
them if any order does (Jackson 1955), and meets few when there are too many for the reviewers, so
watch the lane's load. Deferred tasks come when nothing else waits. Drawn tasks are in line by
their worth like others, and in every reserved turn the oldest of them is next: otherwise an
overloaded queue would review the drawn items of much worth alone, and the sample would be none.
"""

import math
from enum import IntEnum


class Lane(IntEnum):
    """The lower, the sooner, whatever the priorities."""

    LEGAL = 0
    ORDINARY = 1
    DEFERRED = 2


def lane_of(*, has_deadline: bool, is_deferred: bool) -> Lane:
    """The lane of a task; a deadline goes before all else."""
    if has_deadline:
        return Lane.LEGAL
    return Lane.DEFERRED if is_deferred else Lane.ORDINARY


def is_reserved_turn(claim_number: int, reserved_share: float) -> bool:
    """Whether the claim with this number, from 0, goes to the oldest drawn task.

    Spreads the turns evenly; `reserved_share` of all claims in the long run. Outside the legal
    lane only; where no drawn task waits, the claim is like any other.
    """
    return math.floor((claim_number + 1) * reserved_share) > math.floor(
        claim_number * reserved_share
    )
