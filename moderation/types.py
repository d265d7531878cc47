"""Values of the domain: what was judged, and what the judge said of it.

Score scale: 0 wholly fabricated, 9 wholly authentic. K score levels (the ten digits).
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from encoders.provenance.types import Provenance
from encoders.types import DecodedMedia, MediaFeatures, Modality, Span

LEVELS_K = 10


class Mode(StrEnum):
    """`FAST` scores in one forward pass; `FULL` writes a rationale first."""

    FAST = "fast"
    FULL = "full"


class Strength(StrEnum):
    """How far a claimed stretch departs from genuine media."""

    CLEAN = "clean"
    WEAK = "weak"
    CLEAR = "clear"
    STRONG = "strong"


@dataclass(frozen=True, slots=True)
class Claim:
    """One entry of the rationale's ledger: in `span`, `modality` shows `cue`."""

    modality: Modality
    span: Span
    cue: str
    strength: Strength


@dataclass(frozen=True, slots=True)
class Rationale:
    """What the judge wrote.

    text: as generated. claims: the ledger entries that could be parsed.
    is_complete: False when generation hit its budget before the score.
    """

    text: str
    claims: tuple[Claim, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Judgment:
    """The judge's view of one item, before calibration.

    digit_probabilities_K: p(k | x, c) renormalised over the ten digits, sums to 1.
    digit_mass: the share of the next-token distribution that fell on digits, (0, 1].
    expected_score: sum_k k p(k), in [0, 9] (RAIL, REAL arXiv:2603.17145).
    rationale: None in fast mode.
    """

    digit_probabilities_K: tuple[float, ...]
    digit_mass: float
    expected_score: float
    mode: Mode
    judge_id: str
    rationale: Rationale | None = None

    def __post_init__(self) -> None:
        if len(self.digit_probabilities_K) != LEVELS_K:
            raise ValueError(f"{len(self.digit_probabilities_K)} digit probabilities, not 10")
        if not math.isclose(sum(self.digit_probabilities_K), 1.0, abs_tol=1e-4):
            raise ValueError(f"digit probabilities sum to {sum(self.digit_probabilities_K)}")
        if not 0.0 <= self.expected_score <= LEVELS_K - 1:
            raise ValueError(f"expected score {self.expected_score} is off the scale 0..9")


class Disposition(StrEnum):
    """The machine's route for an item."""

    ALLOW = "allow"
    REVIEW = "review"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class CalibratedScore:
    """What a judgment is worth on held-out items.

    probability: P(manipulated), [0, 1]. score_lower, score_upper: an interval that holds the
    graded score (0..9) of an item with probability `coverage`. group: the cell that the interval
    was fitted on, such as a modality. calibrator_id: the artefact that said so.
    """

    probability: float
    score_lower: float
    score_upper: float
    coverage: float
    group: str
    calibrator_id: str

    def __post_init__(self) -> None:
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"probability {self.probability} is not in [0, 1]")
        if not 0.0 <= self.score_lower <= self.score_upper <= LEVELS_K - 1:
            raise ValueError(f"interval {self.score_lower}..{self.score_upper} is not in 0..9")
        if not 0.0 < self.coverage < 1.0:
            raise ValueError(f"coverage {self.coverage} is not in (0, 1)")


@dataclass(frozen=True, slots=True)
class RouteBounds:
    """How far the machine may act alone; risk control sets both.

    allow_below, enforce_above: P(manipulated) up to which it allows, and from which it enforces.
    None: never.
    """

    allow_below: float | None
    enforce_above: float | None

    def __post_init__(self) -> None:
        bounds = [bound for bound in (self.allow_below, self.enforce_above) if bound is not None]
        if not all(0.0 <= bound <= 1.0 for bound in bounds) or bounds != sorted(bounds):
            raise ValueError(
                f"bounds {self.allow_below} and {self.enforce_above} are not ordered in [0, 1]"
            )


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why an item has no score; `code` is stable, the rest is for people."""

    code: str
    found: str
    expected: str
    remedy: str
    is_transient: bool


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One row of a batch: exactly one of `judgment` and `error` is set.

    path: as the caller named it (undecodable bytes kept by surrogate escapes).
    sha256: of the bytes; None where they could not be read.
    duplicate_of: path of the earlier item with the same bytes whose score this row repeats.
    unusual_signals: names of forensic signals outside their typical range.
    calibrated: what the judgment is worth; None before calibration.
    provenance: what the file says of its own origin; None where nobody looked. Never proof.
    picture_hashes: PDQ, 64 hexadecimal digits each, of the picture or of a video's sampled frames
    in order of time; without those that are too plain to tell apart.
    """

    path: str
    sha256: str | None
    modality: Modality | None
    duration_seconds: float | None
    judgment: Judgment | None
    error: ItemError | None
    duplicate_of: str | None = None
    unusual_signals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    calibrated: CalibratedScore | None = None
    provenance: Provenance | None = None
    picture_hashes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.judgment is None) == (self.error is None):
            raise ValueError(f"{self.path!r} needs a judgment or an error, not both or neither")
        if self.calibrated is not None and self.judgment is None:
            raise ValueError(f"{self.path!r} has a calibrated score without a judgment")


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    """How authentic a stretch of an item looks on its own, in [0, 9]."""

    span: Span
    expected_score: float


@dataclass(frozen=True, slots=True)
class Examination:
    """One item with everything that led to its score, for the report.

    timeline: authenticity over time, see `moderation.judge.timeline`; empty for stills.
    picture_hashes: see `ItemResult`.
    """

    path: str
    media: DecodedMedia
    features: MediaFeatures
    judgment: Judgment
    provenance: Provenance | None = None
    timeline: tuple[ScoredSpan, ...] = ()
    picture_hashes: tuple[str, ...] = ()
