"""What is due to be deleted: pure arithmetic over what is kept, since when, and for how long."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from moderation.errors import ConfigurationError


class Stage(StrEnum):
    """Where an item stands; each has a period of its own. `OPEN` is never due."""

    OPEN = "open"
    ALLOWED = "allowed"
    DECIDED = "decided"
    APPEALED = "appealed"


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """For how many days media and free text are kept after an item came to its stage.

    Source of the shortest period after a decision: complaints stay open for six months (DSA,
    article 20(1)), and nobody can answer one without the item.

    Raises:
        ConfigurationError: a period that is not positive.
    """

    allowed_days: int = 30
    decided_days: int = 190
    appealed_days: int = 365

    def __post_init__(self) -> None:
        for name in ("allowed_days", "decided_days", "appealed_days"):
            if getattr(self, name) < 1:
                raise ConfigurationError(
                    f"{name} is {getattr(self, name)}",
                    expected="at least one day",
                    remedy="Correct the retention periods.",
                )

    def due_at(self, stage: Stage, since: datetime) -> datetime | None:
        """When what is at `stage` since then is to go; None: not while it stays there."""
        days = {
            Stage.ALLOWED: self.allowed_days,
            Stage.DECIDED: self.decided_days,
            Stage.APPEALED: self.appealed_days,
        }.get(stage)
        return None if days is None else since + timedelta(days=days)


@dataclass(frozen=True, slots=True)
class KeptItem:
    """One item that still has media or free text.

    stage, since: where it stands, and from when on. media: names of its files within the media
    folder; other items with the same bytes may share them.
    """

    item: str
    stage: Stage
    since: datetime
    media: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.since.tzinfo is None:
            raise ValueError(f"the time {self.since.isoformat()} has no time zone")


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is to be deleted of one item. media: only files that no other item still needs.

    reason: `retention` or `request`. rule: the stage whose period ended. request: number of the
    record of the request.
    """

    item: str
    media: tuple[str, ...]
    reason: str
    rule: str | None = None
    request: int | None = None


def plan_retention(
    kept: Iterable[KeptItem], policy: RetentionPolicy, now: datetime
) -> tuple[Erasure, ...]:
    """What is due at `now`, the longest due first.

    A file that several items share goes with the last of them.
    """
    items = tuple(kept)
    due = {
        one.item: at
        for one in items
        if (at := policy.due_at(one.stage, one.since)) is not None and at <= now
    }
    needed = _needed(one for one in items if one.item not in due)
    going = [one for one in items if one.item in due]
    return tuple(
        Erasure(one.item, _free(one, needed), "retention", str(one.stage))
        for one in sorted(going, key=lambda one: (due[one.item], one.item))
    )


def plan_request(kept: Iterable[KeptItem], item: str, request: int) -> Erasure:
    """What an erasure of `item` on request deletes, whatever its stage.

    A file that others share stays for them. request: number of the record of the request.
    """
    items = tuple(kept)
    mine = [one for one in items if one.item == item]
    needed = _needed(one for one in items if one.item != item)
    media = tuple(name for one in mine for name in _free(one, needed))
    return Erasure(item, media, "request", request=request)


def _needed(staying: Iterable[KeptItem]) -> frozenset[str]:
    return frozenset(name for one in staying for name in one.media)


def _free(one: KeptItem, needed: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in one.media if name not in needed)
