"""Which of a recipe's seeds a command runs."""

from collections.abc import Sequence

from moderation.errors import ConfigurationError


def chosen_seeds(asked: Sequence[int], known: Sequence[int]) -> Sequence[int]:
    """The seeds that were asked for, in that order, each once; all of the recipe's without any.

    Raises:
        ConfigurationError: one that the recipe does not have.
    """
    for seed in asked:
        if seed not in known:
            raise ConfigurationError(
                f"seed {seed} is none of the recipe's",
                expected=f"some of: {', '.join(map(str, known))}",
                remedy="Correct --seeds, or add it to the recipe.",
            )
    return tuple(dict.fromkeys(asked)) or known
