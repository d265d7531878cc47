"""Bytes that training holds on one device, part by part.

They come from what the modules of the Llama family keep for the backward pass, read off their code
and checked by measurement on small models (tests). The allocator's fragments, the context of the
device and the temporaries of one kernel are not in them: leave a fifth of the memory free.
"""

from dataclasses import dataclass

from rl.memory.shape import ParameterCounts, TransformerShape

FLOAT32_BYTES = 4
BFLOAT16_BYTES = 2
# AdamW keeps two moments.
_MOMENTS = 2
# One copy for the judge before the first stage, one of the best weights so far.
_COPIES = 2


@dataclass(frozen=True, slots=True)
class StandingBytes:
    """What is held from the first step to the last."""

    frozen_weights: int
    trained_weights: int
    gradients: int
    optimiser: int
    copies: int

    @property
    def total(self) -> int:
        """All of it."""
        trained = self.trained_weights + self.gradients + self.optimiser + self.copies
        return self.frozen_weights + trained


@dataclass(frozen=True, slots=True)
class Workload:
    """One backward pass, and the writing before it.

    rows: sequences in one backward pass. tokens: of the longest of them, prompt and completion.
    logit_tokens: of a row whose logits over the vocabulary are computed with gradients.
    generated_rows: sequences that are written at once, 0 for none.
    recomputes: activations inside a layer are computed again instead of kept.
    """

    rows: int
    tokens: int
    logit_tokens: int
    generated_rows: int = 0
    recomputes: bool = False


@dataclass(frozen=True, slots=True)
class StepBytes:
    """What one step needs on top; the cache of writing is gone before activations are there."""

    activations: int
    logits: int
    key_value_cache: int

    @property
    def peak(self) -> int:
        """The larger of the two."""
        return max(self.activations + self.logits, self.key_value_cache)


def standing_bytes(counts: ParameterCounts, *, value_bytes: int = BFLOAT16_BYTES) -> StandingBytes:
    """Weights at `value_bytes` a parameter; what is trained, in float32 as PEFT keeps it."""
    trained = counts.trained * FLOAT32_BYTES
    return StandingBytes(
        frozen_weights=counts.frozen * value_bytes,
        trained_weights=trained,
        gradients=trained,
        optimiser=_MOMENTS * trained,
        copies=_COPIES * trained,
    )


def layer_bytes_a_token(shape: TransformerShape, *, value_bytes: int = BFLOAT16_BYTES) -> int:
    """What one decoder layer keeps of a token for the backward pass.

    Under LoRA on all linear layers of a frozen backbone: each norm keeps its input in float32;
    attention keeps queries, keys and values (repeated to all heads) and its output; the gated MLP
    keeps the gate before and after its activation, and the other half; each adapted linear layer
    keeps its input in float32, a copy of its own unless the model computes in float32 itself.
    """
    inputs_shared = 2 * shape.hidden_D + shape.intermediate_D
    inputs_copied = 5 * shape.hidden_D + shape.query_D + shape.intermediate_D
    is_shared = value_bytes == FLOAT32_BYTES
    inputs = FLOAT32_BYTES * (inputs_shared if is_shared else inputs_copied)
    norms = FLOAT32_BYTES * 2 * shape.hidden_D
    attention = value_bytes * 4 * shape.query_D
    mlp = value_bytes * 3 * shape.intermediate_D
    return inputs + norms + attention + mlp


def step_bytes(
    shape: TransformerShape, work: Workload, *, value_bytes: int = BFLOAT16_BYTES
) -> StepBytes:
    """Upper bounds: every row as long as the longest, and no prompt shared between rows."""
    tokens = work.rows * work.tokens
    layer = tokens * layer_bytes_a_token(shape, value_bytes=value_bytes)
    inputs = tokens * shape.hidden_D * value_bytes * shape.layers
    last_norm = tokens * shape.hidden_D * FLOAT32_BYTES
    # Logits as the head gives them, in float32, their log-softmax, and its gradient.
    logit_bytes = value_bytes + 3 * FLOAT32_BYTES
    cached = 2 * shape.key_value_D * shape.layers * value_bytes
    return StepBytes(
        activations=last_norm + (inputs + layer if work.recomputes else layer * shape.layers),
        logits=work.rows * work.logit_tokens * shape.vocabulary * logit_bytes,
        key_value_cache=work.generated_rows * work.tokens * cached,
    )
