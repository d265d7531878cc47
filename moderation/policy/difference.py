"""What differs between two policies, key by key, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moderation.policy.schema import Policy

_NAMED = {"clauses": "id", "reasons": "code"}


@dataclass(frozen=True, slots=True)
class Difference:
    """place: `routes`, or a clause. before, after: values; None where the key is not there."""

    place: str
    key: str
    before: Any
    after: Any

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.place}: {self.key} is new: {_shown(self.after)}"
        if self.after is None:
            return f"{self.place}: {self.key} is gone, it was {_shown(self.before)}"
        return (
            f"{self.place}: {self.key} {self._direction()}"
            f"{_shown(self.before)} to {_shown(self.after)}"
        )

    def _direction(self) -> str:
        numbers = (self.before, self.after)
        if any(isinstance(one, bool) or not isinstance(one, int | float) for one in numbers):
            return "changes from "
        return "rises from " if self.after > self.before else "falls from "


def differences(before: Policy, after: Policy) -> list[Difference]:
    """Policy-wide keys first, then clause by clause; empty for policies with the same rules."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    found = list(_compared("policy", _without_clauses(old), _without_clauses(new)))
    order_old, order_new = ([clause["id"] for clause in one["clauses"]] for one in (old, new))
    clauses_old, clauses_new = (
        {clause["id"]: clause for clause in one["clauses"]} for one in (old, new)
    )
    for name in dict.fromkeys((*order_old, *order_new)):
        place = f"clause {name}"
        if name not in clauses_new:
            found.append(Difference("clauses", name, clauses_old[name]["title"], None))
        elif name not in clauses_old:
            found.append(Difference("clauses", name, None, clauses_new[name]["title"]))
        else:
            found += _compared(place, clauses_old[name], clauses_new[name])
    if order_old != order_new and set(order_old) == set(order_new):
        # The first clause that applies is the item's: the order is a rule of its own.
        found.append(Difference("clauses", "order", order_old, order_new))
    return found


def _without_clauses(policy: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in policy.items() if key != "clauses"}


def _compared(
    place: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Difference]:
    old, new = dict(_flat(before)), dict(_flat(after))
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) != new.get(key):
            yield Difference(place, key, old.get(key), new.get(key))


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        name = _NAMED.get(key)
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif name is not None:
            for entry in value:
                yield from _flat(entry, f"{prefix}{key}.{entry[name]}.")
        else:
            yield prefix + key, value


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value)) or "nothing"
    if isinstance(value, dict):
        return " ".join(f"{key} {_shown(entry)}" for key, entry in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
