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
        now = self._now()
        with self._redis.pipeline() as at_once:
            at_once.zadd(_key(kind), {name: now})
            at_once.zremrangebyscore(_key(kind), "-inf", now - _FORGOTTEN_SECONDS)
            at_once.execute()

    def end(self, kind: Kind, name: str) -> None:
        """It ends in order."""
        self._redis.zrem(_key(kind), name)

    def living(self, kind: Kind) -> int:
        """How many live."""
        return int(self._redis.zcount(_key(kind), self._now() - LIVING_SECONDS, "+inf"))

    def ages(self, names: Collection[str]) -> Mapping[str, float]:
        """Seconds since the last sign of these orders; those that never gave one are left out."""
        now = self._now()
        found = self._redis.zmscore(_key(Kind.ORDER), list(names)) if names else []
        return {
            name: now - float(at) for name, at in zip(names, found, strict=True) if at is not None
        }

    def want(self, client: str, names: Collection[str]) -> None:
        """These orders are still waited for; said again and again, or it is forgotten."""
        if not names:
            return
        key = f"{_PREFIX}:wanted:{client}"
        with self._redis.pipeline() as at_once:
            at_once.sadd(key, *names)
            at_once.expire(key, int(LIVING_SECONDS))
            at_once.execute()

    def unwant(self, client: str, name: str) -> None:
        """This order is not waited for any more."""
        self._redis.srem(f"{_PREFIX}:wanted:{client}", name)

    def leave(self, client: str) -> None:
        """Nothing is waited for any more."""
        self._redis.delete(f"{_PREFIX}:wanted:{client}")

    def is_wanted(self, client: str, name: str) -> bool:
        """Whether anybody waits for it."""
        return bool(self._redis.sismember(f"{_PREFIX}:wanted:{client}", name))

    def _now(self) -> float:
        seconds, microseconds = self._redis.time()
        return float(seconds) + float(microseconds) / 1e6


def _key(kind: Kind) -> str:
    return f"{_PREFIX}:{kind}"
