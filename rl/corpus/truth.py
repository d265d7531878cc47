"""The truth about a clip as entries of the rationale's ledger."""

from collections.abc import Iterable

from encoders.types import Modality, Span
from moderation.types import Claim, Strength
from rl.corpus.severity import strength_word

CLEAN_CUES = {
    Modality.IMAGE: "even texture",
    Modality.VIDEO: "continuous motion",
    Modality.AUDIO: "natural voice",
}


def clean_claim(modality: Modality, duration_seconds: float) -> Claim:
    """Nothing was changed in this modality, over the whole file."""
    span = Span(0.0, round(duration_seconds, 3))
    return Claim(modality, span, CLEAN_CUES[modality], Strength.CLEAN)


def shifted(spans: Iterable[Span], offset_seconds: float, end_seconds: float) -> tuple[Span, ...]:
    """Spans moved later by `offset_seconds`, cut at `end_seconds`; those wholly beyond it go."""
    moved: list[Span] = []
    for span in spans:
        start = span.start_seconds + offset_seconds
        end = min(span.end_seconds + offset_seconds, end_seconds)
        if start < end:
            moved.append(Span(round(start, 3), round(end, 3)))
    return tuple(moved)


def forged_claims(
    modality: Modality, spans: Iterable[Span], cue: str, m: float
) -> tuple[Claim, ...]:
    """One claim a span, with the word for severity `m`."""
    return tuple(Claim(modality, span, cue, strength_word(m)) for span in spans)
