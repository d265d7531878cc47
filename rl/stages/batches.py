"""The order in which a stage sees its items: pairs together, batches of one modality and length."""

from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np

from rl.data import Example, paired_batches
from rl.judge_model import JudgeModel


def endless_batches(
    judge: JudgeModel, examples: Sequence[Example], *, size: int, seed: int
) -> Iterator[list[Example]]:
    """Batch after batch, epoch after epoch, drawn from (seed, epoch); see `paired_batches`."""
    lengths = [judge.prompt_length(example) for example in examples]
    for epoch in count():
        generator = np.random.default_rng((seed, 1, epoch))
        for places in paired_batches(examples, size=size, generator=generator, lengths=lengths):
            yield [examples[place] for place in places]
