"""Encoder features of an item as one vector: mean and standard deviation of every layer.

Pooling is over the positions of a sequence: time, and regions of a frame where the encoder has
them. D: width of the vector.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from encoders.types import MediaFeatures
from moderation.errors import ConfigurationError
from rl.probes.statistics import Floats

Pooled = dict[str, Floats]


def pool(features: MediaFeatures) -> Pooled:
    """`encoder.layer` -> (2 D_layer,): means, then standard deviations over the positions."""
    return {
        f"{sequence.encoder}.{layer}": np.concatenate(
            [values_ND.mean(axis=0, dtype=np.float64), values_ND.std(axis=0, dtype=np.float64)]
        )
        for sequence in features.sequences
        for layer, values_ND in sequence.layers.items()
    }


@dataclass(frozen=True, slots=True)
class PooledLayout:
    """Which block stands where in the vector: name -> width, in order of name."""

    widths: Mapping[str, int]

    @classmethod
    def of(cls, items: Sequence[Pooled]) -> "PooledLayout":
        """The layout that holds every block of `items`.

        Raises:
            ConfigurationError: two items give one block different widths.
        """
        widths: dict[str, int] = {}
        for item in items:
            for name, block in item.items():
                if widths.setdefault(name, block.size) != block.size:
                    raise ConfigurationError(
                        f"{name} is {block.size} wide, and {widths[name]} in an earlier item",
                        expected="features of one version of the encoder",
                        remedy="Clear the feature cache and extract again.",
                    )
        return cls({name: widths[name] for name in sorted(widths)})

    def matrix(self, items: Sequence[Pooled]) -> Floats:
        """(N, D); a block that an item lacks is NaN, a block unknown to the layout is left out.

        Raises:
            ConfigurationError: a block has another width than in the layout.
        """
        rows = [[self._block(item, name) for name in self.widths] for item in items]
        return np.array([np.concatenate(row) for row in rows]).reshape(len(items), -1)

    def _block(self, item: Pooled, name: str) -> Floats:
        block = item.get(name)
        if block is None:
            return np.full(self.widths[name], np.nan)
        if block.size != self.widths[name]:
            raise ConfigurationError(
                f"{name} is {block.size} wide",
                expected=f"{self.widths[name]}, as when the detector was fitted",
                remedy="Use the encoders that the artefact names, or fit again.",
            )
        return block

    def present(self, items: Sequence[Pooled]) -> Floats:
        """(N, blocks): 1 where the item has the block, else 0."""
        return np.array([[float(name in item) for name in self.widths] for item in items])
