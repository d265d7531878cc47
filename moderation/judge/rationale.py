"""The rationale: a ledger that walks the timeline, then one plain sentence.

    audio 0.0-1.5 clean; audio 1.5-3.0 resynthesised voice, strong. Part of the speech was rebuilt.

Each entry names a modality, a span in seconds, a cue and a strength, so that it can be checked
against the truth and drawn on a timeline. Written by `rl` for training, parsed here.
"""

import re
from collections.abc import Sequence

from encoders.types import Modality, Span
from moderation.types import Claim, Rationale, Strength

CLEAN_CUE = "clean"

_ENTRY = re.compile(
    r"(?P<modality>image|video|audio)\s+"
    r"(?P<start>\d{1,5}(?:\.\d{1,3})?)-(?P<end>\d{1,5}(?:\.\d{1,3})?)\s+"
    r"(?:(?P<clean>clean)|(?P<cue>[a-z][a-z \-]{1,40}?),\s*(?P<strength>weak|clear|strong))"
    r"(?=\s*[;.]|\s*$)"
)


def format_claim(claim: Claim) -> str:
    """One ledger entry, times to a tenth of a second."""
    times = f"{claim.span.start_seconds:.1f}-{claim.span.end_seconds:.1f}"
    if claim.strength is Strength.CLEAN:
        return f"{claim.modality} {times} {CLEAN_CUE}"
    return f"{claim.modality} {times} {claim.cue}, {claim.strength}"


def format_rationale(claims: Sequence[Claim], sentence: str) -> str:
    """The ledger and the closing sentence, on one line."""
    return "; ".join(map(format_claim, claims)) + ". " + sentence


def parse_rationale(text: str, *, is_complete: bool) -> Rationale:
    """Read the claims out of generated text; what is not an entry is left as prose.

    Entries whose end precedes their start are dropped: they claim nothing that can be checked.
    """
    claims = []
    for match in _ENTRY.finditer(text):
        start, end = float(match["start"]), float(match["end"])
        if start > end:
            continue
        strength = Strength.CLEAN if match["clean"] else Strength(match["strength"])
        cue = CLEAN_CUE if match["clean"] else match["cue"].strip()
        claims.append(Claim(Modality(match["modality"]), Span(start, end), cue, strength))
    return Rationale(text=text.strip(), claims=tuple(claims), is_complete=is_complete)
