"""When reviewers work: shifts of every day, with breaks. Times are hours from midnight, day 0."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

DAY_HOURS = 24.0


@dataclass(frozen=True, slots=True)
class Break:
    """after_hours: from the shift's start."""

    after_hours: float
    hours: float


@dataclass(frozen=True, slots=True)
class Shift:
    """The same hours every day; it may run past midnight."""

    start_hour: float
    hours: float
    reviewers: int
    breaks: tuple[Break, ...] = ()

    def __post_init__(self) -> None:
        if not (0.0 <= self.start_hour < DAY_HOURS and 0.0 < self.hours <= DAY_HOURS):
            raise ValueError(f"shift of {self.hours} hours from {self.start_hour}")
        if self.reviewers < 0:
            raise ValueError(f"{self.reviewers} reviewers")
        ends = [(0.0, 0.0), *((b.after_hours, b.after_hours + b.hours) for b in self.breaks)]
        if any(after[0] < before[1] for before, after in pairwise(ends)):
            raise ValueError("breaks overlap, or are not in order")
        if ends[-1][1] > self.hours:
            raise ValueError("a break ends after the shift")

    def stretches(self) -> Iterator[tuple[float, float]]:
        """Begin and end of each stretch of work, hours from midnight of the shift's day."""
        begin = 0.0
        for pause in self.breaks:
            if pause.after_hours > begin:
                yield self.start_hour + begin, self.start_hour + pause.after_hours
            begin = pause.after_hours + pause.hours
        if begin < self.hours:
            yield self.start_hour + begin, self.start_hour + self.hours


@dataclass(frozen=True, slots=True)
class Staff:
    """Reviewers are numbered from 0, shift by shift."""

    shifts: tuple[Shift, ...]

    def __post_init__(self) -> None:
        if not self.reviewers:
            raise ValueError("no reviewers")

    @property
    def reviewers(self) -> int:
        """In all shifts together."""
        return sum(shift.reviewers for shift in self.shifts)

    @property
    def minutes_per_hour(self) -> float:
        """Work an hour, averaged over the day."""
        worked = sum(
            shift.reviewers * (end - begin)
            for shift in self.shifts
            for begin, end in shift.stretches()
        )
        return 60.0 * worked / DAY_HOURS

    def next_at(self, reviewer: int, hour: float) -> float:
        """The earliest time from `hour` at which the reviewer works."""
        shift = self._shift_of(reviewer)
        # Yesterday's shift may run into today.
        day = (hour // DAY_HOURS - 1.0) * DAY_HOURS
        while True:
            for begin, end in shift.stretches():
                if hour < day + end:
                    return max(hour, day + begin)
            day += DAY_HOURS

    def _shift_of(self, reviewer: int) -> Shift:
        for shift in self.shifts:
            if reviewer < shift.reviewers:
                return shift
            reviewer -= shift.reviewers
        raise IndexError(f"no reviewer {reviewer}")


_BREAKS = (Break(2.0, 0.25), Break(4.0, 0.5), Break(6.25, 0.25))


def two_shifts(reviewers: int) -> Staff:
    """So many reviewers early and as many late, seven hours of work each; nobody at night."""
    return Staff(tuple(Shift(start, 8.0, reviewers, _BREAKS) for start in (7.0, 15.0)))
