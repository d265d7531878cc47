"""Signs of life in Redis: of workers and of what they are at, and what a client still wants."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

_PREFIX = "moderation:batch"
SIGN_SECONDS = 3.0
"""How often whoever lives says so."""
LIVING_SECONDS = 20.0
"""For how long that counts."""
_FORGOTTEN_SECONDS = 3600.0
SENT = "sent"
"""Header of an order's message: when it went out, by the server's clock."""
OUT = f"{_PREFIX}:out"
"""Orders that anybody waits for, queued or under way: the chart scales by how many there are."""


class Kind(StrEnum):
    """What gives signs: a worker's process, and the order that it is at."""

    WORKER = "workers"
    ORDER = "orders"


class Signs:
    """By the clock of the server, since those of several machines differ.

    redis: a client. All methods raise its errors.
    """

    def __init__(self, redis: Any) -> None:
        self._redis = redis

    def give(self, kind: Kind, name: str) -> None:
        """It lives."""
        now = self.now()
        with self._redis.pipeline() as at_once:
            at_once.zadd(_key(kind), {name: now})
            at_once.zremrangebyscore(_key(kind), "-inf", now - _FORGOTTEN_SECONDS)
            at_once.execute()

    def end(self, kind: Kind, name: str) -> None:
        """It ends in order."""
        self._redis.zrem(_key(kind), name)

    def living(self, kind: Kind) -> int:
        """How many live."""
        return int(self._redis.zcount(_key(kind), self.now() - LIVING_SECONDS, "+inf"))

    def ages(self, names: Collection[str]) -> Mapping[str, float]:
        """Seconds since the last sign of these orders; those that never gave one are left out."""
        now = self.now()
        found = self._redis.zmscore(_key(Kind.ORDER), list(names)) if names else []
        return {
            name: now - float(at) for name, at in zip(names, found, strict=True) if at is not None
        }

    def want(self, client: str, names: Collection[str]) -> None:
        """These orders are still waited for; said again and again, or it is forgotten."""
        if not names:
            return
        now = self.now()
        with self._redis.pipeline() as at_once:
            at_once.sadd(_wanted(client), *names)
            at_once.expire(_wanted(client), int(LIVING_SECONDS))
            at_once.zadd(OUT, dict.fromkeys(names, now))
            at_once.zremrangebyscore(OUT, "-inf", now - LIVING_SECONDS)
            at_once.expire(OUT, int(LIVING_SECONDS))
            at_once.execute()

    def unwant(self, client: str, name: str) -> None:
        """This order is not waited for any more."""
        with self._redis.pipeline() as at_once:
            at_once.srem(_wanted(client), name)
            at_once.zrem(OUT, name)
            at_once.execute()

    def leave(self, client: str) -> None:
        """Nothing is waited for any more."""
        for name in self._redis.smembers(_wanted(client)):
            self._redis.zrem(OUT, name)
        self._redis.delete(_wanted(client))

    def is_wanted(self, client: str, name: str) -> bool:
        """Whether anybody waits for it."""
        return bool(self._redis.sismember(_wanted(client), name))

    def out(self) -> int:
        """Orders that anybody waits for."""
        return int(self._redis.zcount(OUT, self.now() - LIVING_SECONDS, "+inf"))

    def now(self) -> float:
        """Seconds, by the server's clock."""
        seconds, microseconds = self._redis.time()
        return float(seconds) + float(microseconds) / 1e6


def _key(kind: Kind) -> str:
    return f"{_PREFIX}:{kind}"


def _wanted(client: str) -> str:
    return f"{_PREFIX}:wanted:{client}"
