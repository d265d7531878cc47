"""A policy on trial beside the live one: both are evaluated, only the live one acts."""

from dataclasses import dataclass
from typing import Any

from moderation.policy.schema import Policy
from moderation.triage.context import Calibrated, TriageContext, Unscored
from moderation.triage.outcome import TriageOutcome
from moderation.triage.routing import triage
from moderation.types import RouteBounds


@dataclass(frozen=True, slots=True)
class Deployed:
    """A policy with the bounds that a calibrator made for its alphas."""

    policy: Policy
    bounds: RouteBounds

    def triage(self, evidence: Calibrated | Unscored, context: TriageContext) -> TriageOutcome:
        """The route of one item."""
        return triage(evidence, self.bounds, self.policy, context)


@dataclass(frozen=True, slots=True)
class ShadowedOutcome:
    """live: what is done. shadow: what another policy would have done; it is only recorded."""

    live: TriageOutcome
    shadow: TriageOutcome | None

    @property
    def differs(self) -> bool:
        """Whether the shadow would have chosen another route, action or place in line."""
        if self.shadow is None:
            return False
        return any(
            getattr(self.live, name) != getattr(self.shadow, name)
            for name in ("disposition", "action", "clause_id", "is_deferred")
        )

    def as_json(self) -> dict[str, Any]:
        """Both outcomes, each with its policy's name and version."""
        return {
            "live": self.live.as_json(),
            "shadow": self.shadow and self.shadow.as_json(),
            "differs": self.differs,
        }


def triage_with_shadow(
    evidence: Calibrated | Unscored,
    context: TriageContext,
    *,
    live: Deployed,
    shadow: Deployed | None = None,
) -> ShadowedOutcome:
    """The live outcome, and that of the policy on trial on the same item and the same draws."""
    tried = None if shadow is None else shadow.triage(evidence, context)
    return ShadowedOutcome(live.triage(evidence, context), tried)
