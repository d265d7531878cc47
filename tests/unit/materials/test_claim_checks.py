"""Claims against signals: made claims, made signals, and the standing that the rule gives."""

import importlib
import itertools
import math
import pkgutil
from dataclasses import replace

import pytest

import rl.corpus.forgeries
from encoders.forensic.catalogue import BY_NAME
from encoders.types import Direction, Modality, Signal, Span
from moderation.materials.claim_checks import (
    SIGNALS_OF_CUE,
    Standing,
    chance_of,
    check_claim,
    check_claims,
    normal_cue,
)
from moderation.types import Claim, Strength


def signal(name: str, modality: Modality, value: float, start: float, end: float) -> Signal:
    return Signal(name, modality, value, "dB", Span(start, end), Direction.HIGH, 1.0, 3.0, "why")


def claim(cue: str, modality: Modality, start: float, end: float) -> Claim:
    strength = Strength.CLEAN if cue == "clean" else Strength.CLEAR
    return Claim(modality, Span(start, end), cue, strength)


A, V, STILL = Modality.AUDIO, Modality.VIDEO, Modality.IMAGE
VOICE = claim("resynthesised voice", A, 1.0, 2.0)
CLEAN = claim("clean", A, 1.0, 2.0)


EDITED = [f"image.{kind}_inconsistency" for kind in ("residual", "noise", "error_level", "blur")]


def edits(unusual: int) -> list[Signal]:
    return [signal(name, STILL, 9 if k < unusual else 2, 0, 0) for k, name in enumerate(EDITED)]


@pytest.mark.parametrize(
    ("one", "signals", "standing", "named"),
    [
        (VOICE, [signal("audio.jitter", A, 9, 0, 4)], "supported", ("audio.jitter",)),
        (VOICE, [signal("audio.jitter", A, 2, 0, 4)], "contradicted", ("audio.jitter",)),
        (VOICE, [], "unsupported", ()),
        (VOICE, [signal("audio.jitter", A, 9, 2, 4)], "unsupported", ()),  # later
        (VOICE, [signal("audio.jitter", V, 9, 0, 4)], "unsupported", ()),  # another modality
        (VOICE, [signal("image.noise_level", A, 9, 0, 4)], "unsupported", ()),  # another cue
        (
            VOICE,
            [signal("audio.jitter", A, 2, 0, 4), signal("audio.shimmer", A, 9, 0, 4)],
            "supported",
            ("audio.shimmer",),
        ),
        # One of four is what chance gives: .185 of genuine items have as many.
        (claim("filled region", STILL, 0, 0), edits(1), "unsupported", tuple(EDITED[:1])),
        (claim("filled region", STILL, 0, 0), edits(2), "supported", tuple(EDITED[:2])),
        (claim("clean", STILL, 0, 0), edits(1), "supported", tuple(EDITED[:1])),
        (claim("clean", STILL, 0, 0), edits(2), "contradicted", tuple(EDITED[:2])),
        (claim("Re-synthesised  lips", V, 0, 1), [signal("video.local_change", V, 9, 0, 1)],
         "supported", ("video.local_change",)),
        (claim("odd vibes", A, 0, 1), [signal("audio.jitter", A, 9, 0, 1)], "unsupported", ()),
        (claim("sound out of step", A, 0, 1), [signal("av.onset_lag", V, 9, 0, 4)],
         "supported", ("av.onset_lag",)),
        (claim("spliced region", STILL, 0, 0),
         [signal("image.noise_inconsistency", STILL, 9, 0, 0)],
         "supported", ("image.noise_inconsistency",)),
        (CLEAN, [signal("audio.jitter", A, 2, 1, 2)], "supported", ("audio.jitter",)),
        (CLEAN, [signal("audio.jitter", A, 9, 1.2, 1.4)], "contradicted", ("audio.jitter",)),
        # What is unusual of the whole recording need not be so in this stretch.
        (CLEAN, [signal("audio.jitter", A, 9, 0, 9)], "unsupported", ()),
        (CLEAN, [], "unsupported", ()),
    ],
)  # fmt: skip
def test_the_rule(one: Claim, signals: list[Signal], standing: str, named: tuple[str, ...]) -> None:
    found = check_claim(one, signals)
    assert (found.standing, found.signals) == (Standing(standing), named)


@pytest.mark.parametrize("unusual", range(5))
def test_chance_is_the_sum_over_all_outcomes(unusual: int) -> None:
    signals = [*edits(unusual), replace(signal("x", A, 2, 0, 1), direction=Direction.EITHER)]
    tails = [0.05] * 4 + [0.1]
    total = sum(
        math.prod(p if is_out else 1 - p for p, is_out in zip(tails, outcome, strict=True))
        for outcome in itertools.product([False, True], repeat=5)
        if sum(outcome) >= unusual
    )
    assert chance_of(signals) == pytest.approx(total)


def test_claims_keep_their_order() -> None:
    signals = [signal("audio.jitter", A, 9, 0, 4)]
    assert [one.claim for one in check_claims([CLEAN, VOICE], signals)] == [CLEAN, VOICE]


def test_every_cue_that_judges_are_trained_on_has_signals_that_exist() -> None:
    package = rl.corpus.forgeries
    modules = [
        importlib.import_module(f"{package.__name__}.{one.name}")
        for one in pkgutil.iter_modules(package.__path__)
    ]
    cues = {module.CUE for module in modules if hasattr(module, "CUE")}
    assert len(cues) > 10
    assert {normal_cue(cue) for cue in cues} <= SIGNALS_OF_CUE.keys()
    assert set().union(*SIGNALS_OF_CUE.values()) <= BY_NAME.keys()
