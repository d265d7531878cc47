"""A forgery that hardly differs from its original teaches nothing: draw it again."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from rl.corpus.forgeries.types import Forged
from rl.corpus.recipe import CorpusRecipe
from rl.corpus.seeds import generator_for

T = TypeVar("T", bound=npt.NDArray[Any])
ATTEMPTS = 6


def until_visible(
    forge: Callable[[np.random.Generator], Forged[T]],
    recipe: CorpusRecipe,
    pair_id: str,
    name: str,
) -> Forged[T] | None:
    """The first of six draws whose strength reaches the recipe's minimum, or None."""
    for attempt in range(ATTEMPTS):
        forged = forge(generator_for(recipe.seed, "forgery", pair_id, name, attempt))
        if forged.strength >= recipe.strength_min:
            return forged
    return None
