"""Made-up judges: digit distributions whose truth is known."""

import numpy as np

from moderation.calibration.draws import Flags, Floats


def digits_and_labels(
    items: int, seed: int, *, sharpness: float = 1.0, skill: float = 3.0, share: float = 0.5
) -> tuple[Floats, Flags, Floats]:
    """Digit distributions (N, K), is_manipulated and graded y (N,) of a judge of some skill.

    skill: levels between the classes. sharpness: above 1 the judge is surer than it may be.
    """
    generator = np.random.default_rng(seed)
    is_manipulated = generator.random(items) < share
    y = np.where(is_manipulated, generator.uniform(0, 7.5, items), 9.0)
    seen = 4.5 + skill * np.where(is_manipulated, -0.5, 0.5) + generator.normal(0, 1.5, items)
    spread = generator.uniform(0.8, 2.5, items)
    level = np.arange(10)
    log_p = -sharpness * (level - seen[:, None]) ** 2 / (2 * spread[:, None] ** 2)
    digit = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    return digit / digit.sum(axis=1, keepdims=True), is_manipulated, y
