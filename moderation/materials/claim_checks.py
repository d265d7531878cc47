"""Whether the forensic signals bear out what the judge claims.

The rationale is generated text: it can name a cue and a time that nothing measured. Each claim is
held against the signals that can show its cue. Of genuine media one item in twenty lies outside a
typical range on either side, for each signal, so one unusual signal among many says nothing: what
counts is whether there are more of them than chance explains. `SUPPORTED` is no proof even so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from encoders.types import Direction, Signal, Span
from moderation.types import Claim, Strength

CHANCE_MAX = 0.1
"""So many unusual signals, or more, are found in at most this share of genuine items."""

TAIL = 0.05
"""Share of genuine items beyond either end of a typical range, see `encoders.types.Signal`."""

CLEAN_SLACK_SECONDS = 0.25
"""Claims are written to a tenth of a second, and frames last longer than that."""


class Standing(StrEnum):
    """How a claim stands against the signals.

    Of a manipulation, the signals count that can show its cue and were measured at a time that
    overlaps the claim. SUPPORTED: more are unusual than chance explains. CONTRADICTED: none is.
    UNSUPPORTED: so few are that chance explains them, or there is no such signal.

    Of a clean stretch, all signals of its modality count that were measured within it.
    CONTRADICTED: more are unusual than chance explains. SUPPORTED: no more than that are.
    UNSUPPORTED: there is no such signal.
    """

    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim, how it stands, and the names of the signals that say so.

    chance: how often genuine media have as many unusual ones, see `chance_of`.
    """

    claim: Claim
    standing: Standing
    signals: tuple[str, ...]
    chance: float = 1.0


_EDITED = frozenset(
    {
        "image.residual_inconsistency",
        "image.noise_inconsistency",
        "image.error_level_inconsistency",
        "image.blur_inconsistency",
    }
)
_PASTED = _EDITED | {"image.grid_displacement", "image.copy_move_peak"}
_RESAMPLED = frozenset(
    {
        "image.spectral_slope",
        "image.high_frequency_deviation",
        "image.checkerboard_peak",
        "image.resampling_peak",
    }
)
_MOVED = frozenset({"video.local_change", "video.detail_jump"})
_SYNTHETIC_VOICE = frozenset(
    {
        "audio.cepstral_movement",
        "audio.spectral_tilt",
        "audio.spectral_flux",
        "audio.group_delay_spread",
        "audio.phase_advance",
        "audio.pulse_sharpness",
        "audio.jitter",
        "audio.shimmer",
        "audio.harmonic_clarity",
    }
)
_JOINED_VOICE = _SYNTHETIC_VOICE | {"audio.noise_floor_jump", "audio.digital_silence"}
_OUT_OF_STEP = frozenset({"av.onset_lag", "av.onset_agreement"})

SIGNALS_OF_CUE: Mapping[str, frozenset[str]] = {
    "copied region": _PASTED,
    "spliced region": _PASTED,
    "filled region": _EDITED,
    "blended edge": _EDITED | _MOVED,
    "warped region": _EDITED | _MOVED,
    "swapped face": _EDITED | _MOVED,
    "delayed region": _MOVED,
    "resampling traces": _RESAMPLED,
    "generated picture": _RESAMPLED | {"image.noise_level", "image.residual_inconsistency"},
    "interpolated frames": frozenset(
        {"video.straight_step", "video.detail_jump", "video.step_volatility"}
    ),
    "repeated frames": frozenset({"video.repeated_frames", "video.return"}),
    "reversed motion": frozenset({"video.repeated_frames", "video.return"}) | _OUT_OF_STEP,
    "resynthesised voice": _JOINED_VOICE,
    "synthetic voice": _JOINED_VOICE,
    "synthetic words": _JOINED_VOICE,
    "sound out of step": _OUT_OF_STEP,
    "re synthesised lips": _EDITED | _MOVED | _OUT_OF_STEP,
}
"""Cue -> the signals that can show it; a cue that is not here no signal speaks of."""


def check_claims(claims: Sequence[Claim], signals: Sequence[Signal]) -> tuple[CheckedClaim, ...]:
    """Each claim with its standing, in the order given; see `Standing` for the rule."""
    return tuple(check_claim(claim, signals) for claim in claims)


def check_claim(claim: Claim, signals: Sequence[Signal]) -> CheckedClaim:
    """One claim against all signals of its item."""
    if claim.strength is Strength.CLEAN:
        speaking = [
            one
            for one in signals
            if one.modality is claim.modality and _is_within(one.span, claim.span)
        ]
    else:
        telling = SIGNALS_OF_CUE.get(normal_cue(claim.cue), frozenset())
        speaking = [
            one
            for one in signals
            if one.name in telling
            and (one.modality is claim.modality or one.name in _OUT_OF_STEP)
            and _overlap(one.span, claim.span)
        ]
    unusual = [one for one in speaking if one.is_unusual]
    if not speaking:
        return CheckedClaim(claim, Standing.UNSUPPORTED, ())
    chance = chance_of(speaking)
    is_marked = chance <= CHANCE_MAX
    if claim.strength is Strength.CLEAN:
        standing = Standing.CONTRADICTED if is_marked else Standing.SUPPORTED
    elif unusual:
        standing = Standing.SUPPORTED if is_marked else Standing.UNSUPPORTED
    else:
        standing = Standing.CONTRADICTED
    return CheckedClaim(claim, standing, tuple(one.name for one in unusual or speaking), chance)


def chance_of(signals: Sequence[Signal]) -> float:
    """P(at least as many of these are unusual) on genuine media, [0, 1], were they independent.

    The tail of a Poisson binomial distribution, `TAIL` for each side that a signal may leave by.
    Signals of one family go together, so the true chance is larger.
    """
    counts = [1.0]
    for one in signals:
        p = 2 * TAIL if one.direction is Direction.EITHER else TAIL
        stays, rises = [c * (1 - p) for c in counts], [c * p for c in counts]
        counts = [a + b for a, b in zip([*stays, 0.0], [0.0, *rises], strict=True)]
    return min(1.0, sum(counts[sum(one.is_unusual for one in signals) :]))


def normal_cue(cue: str) -> str:
    """As the table has it: lower case, single spaces, no hyphens."""
    return " ".join(cue.lower().replace("-", " ").split())


def _overlap(one: Span, other: Span) -> bool:
    """Whether they share more than an edge; an instant shares what it lies in."""
    start = max(one.start_seconds, other.start_seconds)
    end = min(one.end_seconds, other.end_seconds)
    is_instant = any(span.start_seconds == span.end_seconds for span in (one, other))
    return start <= end if is_instant else start < end


def _is_within(inner: Span, outer: Span) -> bool:
    return (
        inner.start_seconds >= outer.start_seconds - CLEAN_SLACK_SECONDS
        and inner.end_seconds <= outer.end_seconds + CLEAN_SLACK_SECONDS
    )
