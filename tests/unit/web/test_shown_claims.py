"""Claims in words: what the signals say to each, and never beyond the item's end."""

from typing import Any

import pytest

from moderation.web.shown_claims import shown_claims, told


def claim(strength: str, standing: str, *signals: str) -> dict[str, Any]:
    return {
        "modality": "audio",
        "start_seconds": 1.0,
        "end_seconds": 7.5,
        "cue": "resynthesised voice",
        "strength": strength,
        "standing": standing,
        "signals": list(signals),
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (claim("clear", "supported", "a", "b"), " by what is unusual: a, b"),
        (claim("clean", "contradicted", "a"), " by what is unusual: a"),
        (claim("clear", "unsupported", "a"), "; unusual there, no more than by chance: a"),
        (claim("clean", "supported", "a"), "; unusual there, no more than by chance: a"),
        (
            claim("clear", "contradicted", "c", "d"),
            "; none of the 2 signals that speak of this is unusual",
        ),
        (
            claim("clean", "supported", "c"),
            "; the one signal that speaks of this is not unusual",
        ),
        (claim("clear", "unsupported"), "; nothing measures it"),
    ],
)
def test_what_the_signals_say_to_a_claim(given: dict[str, Any], words: str) -> None:
    assert told(given, {"a", "b"}) == words


def test_a_claim_ends_with_its_item() -> None:
    facts = {
        "duration_seconds": 5.0,
        "signals": [{"name": "a", "is_unusual": True}],
        "claims": [
            claim("clear", "supported", "a"),
            claim("clear", "unsupported") | {"start_seconds": 6.0},
        ],
    }
    first, second = shown_claims(facts)
    assert (first["start_seconds"], first["end_seconds"]) == (1.0, 5.0)
    assert (second["start_seconds"], second["end_seconds"]) == (5.0, 5.0)
    assert facts["claims"][0]["end_seconds"] == 7.5
