"""A token bucket a key, in the memory of one process."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from moderation.access.errors import TooManyRequests

_KEYS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """per_second: requests in the long run; burst: at once, after a pause."""

    per_second: float
    burst: int

    def __post_init__(self) -> None:
        if self.per_second <= 0 or self.burst < 1:
            raise ValueError(f"{self} lets nothing through")


class RateLimiter:
    """Counts the requests of each key; `clock` in seconds never goes back.

    A bucket that has filled up is forgotten: that of the key that was silent for longest first.
    """

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key_id: str) -> None:
        """One request of a key.

        Raises:
            TooManyRequests: it has none left; says when it has.
        """
        rate = self._rate
        with self._lock:
            now = self._clock()
            left, since = self._buckets.pop(key_id, (float(rate.burst), now))
            left = min(rate.burst, left + (now - since) * rate.per_second)
            taken = left >= 1.0
            self._buckets[key_id] = (left - 1.0 if taken else left, now)
            while len(self._buckets) > _KEYS_MAX:
                self._buckets.popitem(last=False)
        if not taken:
            raise TooManyRequests(
                f"more than {rate.burst} requests at once",
                expected=f"{rate.per_second:g} a second",
                retry_after_seconds=(1.0 - left) / rate.per_second,
            )
