"""What the estimator of REAL asks of TRL's options, of the model and of the labels."""

import math
from typing import Any

from moderation.errors import ConfigurationError
from moderation.types import LEVELS_K

# Option -> the value that makes the loss the two-term estimator, and why.
_REQUIRED: dict[str, tuple[Any, str]] = {
    "loss_type": ("dr_grpo", "the terms are weighed against a sum over tokens"),
    "num_iterations": (1, "with reuse the exploration term is stale, the refinement term is not"),
    "beta": (0.0, "there is no KL term"),
    "entropy_coef": (0.0, "there is no entropy bonus"),
    "use_adaptive_entropy": (False, "there is no entropy bonus"),
    "top_entropy_quantile": (1.0, "every rationale token takes part"),
    "off_policy_mask_threshold": (None, "rollouts are on policy"),
    "mask_truncated_completions": (False, "a truncated rollout has the worst reward"),
    "temperature": (1.0, "log-probabilities belong to what was sampled"),
    "top_p": (1.0, "log-probabilities belong to what was sampled"),
    "top_k": (0, "log-probabilities belong to what was sampled"),
    "min_p": (None, "log-probabilities belong to what was sampled"),
    "repetition_penalty": (1.0, "log-probabilities belong to what was sampled"),
    "use_vllm": (False, "the score is read from the states of generation"),
    "use_transformers_continuous_batching": (
        False,
        "the score is read from the states of generation",
    ),
}
# Configuration keys with which a model changes its logits behind the output head.
_LOGIT_CHANGES = (
    "final_logit_softcapping",
    "logit_scale",
    "output_multiplier",
    "lm_head_multiplier",
    "logits_scaling",
)


def require_on_policy(args: Any) -> None:
    """Refuse options under which the loss is not the two-term estimator; args: a `GRPOConfig`.

    Raises:
        ConfigurationError: the first such option.
    """
    for name, (value, reason) in _REQUIRED.items():
        if getattr(args, name) != value:
            raise ConfigurationError(
                f"{name} = {getattr(args, name)!r}",
                expected=f"{value!r}: {reason}",
                remedy=f"Set {name} to {value!r} in the trainer's configuration.",
            )
    if args.gradient_accumulation_steps % args.steps_per_generation:
        raise ConfigurationError(
            f"gradient_accumulation_steps = {args.gradient_accumulation_steps} with "
            f"steps_per_generation = {args.steps_per_generation}",
            expected="a multiple, so that no rollout is older than the weights it trains",
            remedy="Leave generation_batch_size and steps_per_generation unset.",
        )


def require_plain_head(config: Any) -> None:
    """Refuse a model whose logits are not what its output head gives; config: transformers'.

    Raises:
        ConfigurationError: the logits are capped or scaled.
    """
    text = config.get_text_config()
    for name in _LOGIT_CHANGES:
        if getattr(text, name, None) not in (None, 1.0):
            raise ConfigurationError(
                f"the backbone's {name} = {getattr(text, name)!r}",
                expected="logits that are the output head's own",
                remedy="Choose a backbone without capped or scaled logits.",
            )


def require_labels(dataset: Any) -> None:
    """Refuse labels that are no numbers from 0 to 9, and raters that are no distribution.

    dataset: a `datasets.Dataset` with a column `y` and maybe `raters`.

    Raises:
        ConfigurationError: the first such row.
    """
    if "y" not in dataset.column_names:
        raise ConfigurationError(
            f"columns {', '.join(dataset.column_names)}",
            expected="a column y among them",
            remedy="Add the label of each row as y.",
        )
    for row, y in enumerate(dataset["y"]):
        is_number = isinstance(y, int | float) and math.isfinite(y)
        if not is_number or not 0.0 <= y <= LEVELS_K - 1:
            raise ConfigurationError(
                f"label y = {y!r} in row {row}",
                expected="a number from 0 (fabricated) to 9 (authentic)",
                remedy="Correct the row, or leave it out.",
            )
    if "raters" not in dataset.column_names:
        return
    for row, shares_K in enumerate(dataset["raters"]):
        if shares_K is None:
            continue
        is_distribution = len(shares_K) == LEVELS_K and all(p >= 0 for p in shares_K)
        if not is_distribution or not math.isclose(sum(shares_K), 1.0, abs_tol=1e-6):
            raise ConfigurationError(
                f"raters = {shares_K!r} in row {row}",
                expected=f"{LEVELS_K} shares, of the scores 0 to 9, that sum to 1",
                remedy="Correct the row, or leave its raters empty.",
            )
