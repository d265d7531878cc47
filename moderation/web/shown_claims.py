"""What the judge claims, and what the signals say to it, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from moderation.materials.claim_checks import Standing

Facts = Mapping[str, Any]


def shown_claims(facts: Facts) -> list[Facts]:
    """The claims of an item's materials with `told`: the signals that say how each stands.

    A rationale may name times that its item does not have: what is shown ends with the item.
    """
    length = float(facts["duration_seconds"])
    unusual = {one["name"] for one in facts["signals"] if one["is_unusual"]}
    return [
        dict(one)
        | {
            "start_seconds": min(one["start_seconds"], length),
            "end_seconds": min(one["end_seconds"], length),
            "told": told(one, unusual),
        }
        for one in facts["claims"]
    ]


def told(claim: Facts, unusual: set[str]) -> str:
    """After how the claim stands; unusual: names of the item's unusual signals."""
    names: Sequence[str] = claim["signals"]
    if not names:
        return "; nothing measures it"
    if not set(names) <= unusual:
        several = len(names) > 1
        signals = f"none of the {len(names)} signals" if several else "the one signal"
        shows = "speak" if several else "speaks"
        return f"; {signals} that {shows} of this {'is' if several else 'is not'} unusual"
    listed = ", ".join(names)
    is_clean, standing = claim["strength"] == "clean", Standing(claim["standing"])
    if standing is (Standing.CONTRADICTED if is_clean else Standing.SUPPORTED):
        return f" by what is unusual: {listed}"
    return f"; unusual there, no more than by chance: {listed}"
