"""Whether the forensic signals bear out what the judge claims.

The rationale is generated text: it can name a cue and a time that nothing measured. Each claim is
held against the signals that can show its cue. A signal lies outside its typical range in one
genuine item of ten or twenty, so `SUPPORTED` is no proof either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from encoders.types import Signal, Span
from moderation.types import Claim, Strength

CLEAN_SLACK_SECONDS = 0.25
"""Claims are written to a tenth of a second, and frames last longer than that."""


class Standing(StrEnum):
    """How a claim stands against the signals.

    Of a manipulation. SUPPORTED: a signal that can show its cue, measured at a time that overlaps
    the claim, is unusual. CONTRADICTED: there are such signals, and none is unusual.
    UNSUPPORTED: no such signal was measured at that time.

    Of a clean stretch, any signal of its modality counts that was measured within it. SUPPORTED:
    none is unusual. CONTRADICTED: one is. UNSUPPORTED: there is none.
    """

    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim, how it stands, and the names of the signals that say so."""

    claim: Claim
    standing: Standing
    signals: tuple[str, ...]


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
    is_borne_out = bool(unusual) != (claim.strength is Strength.CLEAN)
    standing = Standing.SUPPORTED if is_borne_out else Standing.CONTRADICTED
    return CheckedClaim(claim, standing, tuple(one.name for one in unusual or speaking))


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
