"""How long a scoring process waits for a fuller batch: arithmetic alone."""

from dataclasses import dataclass

_SMOOTHING = 0.3


def wait_seconds(
    due: int, *, items_max: int, wait_seconds_max: float, items_per_second: float
) -> float:
    """How long to wait for more jobs, where `due` are there. 0: begin.

    Waits for as long as the missing ones take to come at the present rate, at most
    `wait_seconds_max`; and not at all where not even one is expected in that time.
    """
    if due <= 0 or due >= items_max or items_per_second * wait_seconds_max < 1.0:
        return 0.0
    return min((items_max - due) / items_per_second, wait_seconds_max)


@dataclass(slots=True)
class ArrivalRate:
    """Items a second, as an exponentially weighted mean over the batches that were taken."""

    items_per_second: float = 0.0
    _last: float | None = None

    def note(self, items: int, at_seconds: float) -> None:
        """So many were taken at this time of a monotonic clock."""
        if self._last is not None and at_seconds > self._last:
            rate = items / (at_seconds - self._last)
            self.items_per_second += _SMOOTHING * (rate - self.items_per_second)
        self._last = at_seconds
