"""Reference rationales, written from ground truth: the timeline ledger and one plain sentence."""

from collections.abc import Sequence

import numpy as np

from encoders.types import Modality, Span
from moderation.judge.rationale import CLEAN_CUE, format_rationale
from moderation.types import Claim, Strength

ENTRIES_MAX = 6

_GENUINE = (
    "Nothing departs from a genuine recording.",
    "I find no trace of manipulation.",
    "Everything is as a camera or microphone left it.",
)
_TAMPERED = (
    "The {modality} shows a {strength} trace: {cue}.",
    "A {strength} {cue} betrays the {modality}.",
    "What gives it away is a {strength} {cue} in the {modality}.",
)


def ledger(
    claims: Sequence[Claim], modalities: Sequence[Modality], duration_seconds: float
) -> tuple[Claim, ...]:
    """The claims in order of time within each modality, with the gaps named clean.

    At most `ENTRIES_MAX` entries; the last gap of a modality is dropped first.
    """
    entries: list[Claim] = []
    for modality in modalities:
        position = 0.0
        mine = sorted(
            (claim for claim in claims if claim.modality is modality),
            key=lambda claim: claim.span.start_seconds,
        )
        for claim in mine:
            if claim.span.start_seconds - position > 0.15:
                entries.append(_clean(modality, position, claim.span.start_seconds))
            entries.append(claim)
            position = max(position, claim.span.end_seconds)
        if duration_seconds - position > 0.15 or not mine:
            entries.append(_clean(modality, position, max(duration_seconds, position)))
    return tuple(entries[:ENTRIES_MAX])


def reference_rationale(
    claims: Sequence[Claim],
    modalities: Sequence[Modality],
    duration_seconds: float,
    generator: np.random.Generator,
) -> str:
    """One line of ledger and sentence; the wording of the sentence is drawn from `generator`."""
    entries = ledger(claims, modalities, duration_seconds)
    marked = [claim for claim in claims if claim.strength is not Strength.CLEAN]
    if not marked:
        sentence = _GENUINE[generator.integers(len(_GENUINE))]
    else:
        order = list(Strength)
        worst = max(marked, key=lambda claim: order.index(claim.strength))
        template = _TAMPERED[generator.integers(len(_TAMPERED))]
        sentence = template.format(modality=worst.modality, strength=worst.strength, cue=worst.cue)
    return format_rationale(entries, sentence)


def _clean(modality: Modality, start: float, end: float) -> Claim:
    return Claim(modality, Span(start, end), CLEAN_CUE, Strength.CLEAN)
