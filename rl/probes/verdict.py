"""What a control says: a figure, a bound, and whether it holds, in a plain sentence."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rl.probes.statistics import Estimate

CHANCE = 0.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """name: of the control. value: measured. threshold: that it must not cross.

    passed: None where the corpus has too little to say. sentence: what it means.
    """

    name: str
    value: Estimate
    threshold: float
    passed: bool | None
    sentence: str


# By modality, or under `all`.
Verdicts = Mapping[str, Sequence[Verdict]]


def leak_verdict(name: str, found: Estimate, threshold: float, what: str) -> Verdict:
    """A classifier that should know nothing: fails above the threshold and surely above chance."""
    if not math.isfinite(found.value):
        return undecided(name, threshold, f"The corpus has no {what} to compare.")
    leaks = found.value > threshold and found.low > CHANCE
    said = (
        f"{what} alone tells forged from genuine with AUC {found}: a detector may learn that "
        f"instead of the forgery (at most {threshold:g} is allowed)."
        if leaks
        else f"{what} alone does not tell forged from genuine: AUC {found}."
    )
    return Verdict(name, found, threshold, not leaks, said[0].upper() + said[1:])


def undecided(name: str, threshold: float, sentence: str) -> Verdict:
    """The corpus has too little for this control; that is no pass."""
    nan = float("nan")
    return Verdict(name, Estimate(nan, nan, nan), threshold, None, sentence)
