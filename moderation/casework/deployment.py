"""What decides a route, chosen once for a deployment: judge, calibrators, policies, order."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from moderation.calibration.calibrator import FittedCalibrator
from moderation.casework.team import TeamError
from moderation.errors import ConfigurationError
from moderation.policy.schema import Policy
from moderation.priority.orders import AvoidableHarm, Order
from moderation.results import RunContext
from moderation.review.rules import ReviewRules
from moderation.triage.context import Calibrated, Unscored
from moderation.triage.routing import NEVER
from moderation.triage.shadow import Deployed
from moderation.types import CalibratedScore, ItemResult, Mode

POLICY_ID_CHARACTERS_MAX = 64
NO_CALIBRATOR = Unscored("no_calibrator", "nothing says what a score of this mode is worth")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """judge_id, setup, limits: of the dispatcher, see `moderation.results.RunContext`.

    mode: in which new items are scored. live, shadow: the policy that acts, and one on trial.
    calibrators: by mode; without one every item of that mode goes to review. secret: of the
    sample's draws. review_minutes_an_hour: of the whole team, averaged over the day to come.
    team: says how often its reviewers err.

    Raises:
        ConfigurationError: a calibrator of another judge or mode, or policies that records cannot
            tell apart.
    """

    judge_id: str
    setup: str
    limits: str
    live: Policy
    secret: bytes = field(repr=False)
    mode: Mode = Mode.FAST
    shadow: Policy | None = None
    calibrators: Mapping[Mode, FittedCalibrator] = field(default_factory=dict)
    order: Order = field(default_factory=AvoidableHarm)
    review_minutes_an_hour: float = 60.0
    team: TeamError = field(default_factory=TeamError, compare=False)
    _deployed: dict[tuple[Mode, str], Deployed] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for mode, calibrator in self.calibrators.items():
            calibrator.require(self.judge_id, mode)
        if self.shadow is not None and self.shadow.id == self.live.id:
            raise _wrong(f"the policy {self.live.id} as its own shadow", "another name or version")
        for policy in (self.live, self.shadow):
            if policy is not None and len(policy.id) > POLICY_ID_CHARACTERS_MAX:
                most = f"at most {POLICY_ID_CHARACTERS_MAX} characters of name@version"
                raise _wrong(f"the policy {policy.id}", most)
        bounds = {
            (mode, policy.id): self.trial(mode, policy)
            for mode in Mode
            for policy in (self.live, self.shadow)
            if policy is not None
        }
        object.__setattr__(self, "_deployed", bounds)

    def trial(self, mode: Mode, policy: Policy) -> Deployed:
        """Any policy, with the bounds that its alphas would have in `mode`."""
        calibrator = self.calibrators.get(mode)
        if calibrator is None:
            return Deployed(policy, NEVER)
        bounds = calibrator.route_bounds(
            false_allow_max=policy.routes.alpha_allow,
            false_enforce_max=policy.routes.alpha_enforce,
        )
        return Deployed(policy, bounds)

    @property
    def near_distance_max(self) -> int | None:
        """The furthest near-duplicate whose decision one of the policies shares; None: none."""
        asked = [
            policy.duplicates.near_distance_max
            for policy in (self.live, self.shadow)
            if policy is not None and policy.duplicates.near_distance_max is not None
        ]
        return max(asked, default=None)

    def review_rules(self, rules: ReviewRules) -> ReviewRules:
        """`rules` with what the live policy says of them: the share of reserved turns."""
        return replace(rules, reserved_share=self.live.sampling.reserved_reviews)

    @property
    def namespace(self) -> str:
        """Names this deployment in statements of reasons, without telling the secret."""
        return hashlib.sha256(b"statements\0" + self.secret).hexdigest()

    def deployed(self, mode: Mode, policy: Policy) -> Deployed:
        """`policy`, live or shadow, with the bounds that its alphas have in `mode`."""
        return self._deployed[mode, policy.id]

    def context(self, mode: Mode) -> RunContext:
        """What an earlier result must share to stand."""
        return RunContext(mode, self.judge_id, 1, self.setup, self.limits)

    def evidence(self, result: ItemResult, mode: Mode) -> Calibrated | Unscored:
        """What triage is told of a result: P(manipulated), or why there is none."""
        if result.error is not None:
            return Unscored(result.error.code, result.error.found)
        calibrated = self.calibrated(result, mode)
        return NO_CALIBRATOR if calibrated is None else calibrated

    def calibrated(self, result: ItemResult, mode: Mode) -> CalibratedScore | None:
        """What the judgment of `result` is worth; None without a judgment or a calibrator."""
        calibrator = self.calibrators.get(mode)
        if result.judgment is None or calibrator is None:
            return None
        return calibrator.calibrate([result.judgment], [result.modality])[0]


def _wrong(found: str, expected: str) -> ConfigurationError:
    return ConfigurationError(
        found, expected=expected, remedy="Change the policy's name or version."
    )
