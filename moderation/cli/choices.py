"""Options that name one of a fixed set."""

from enum import StrEnum
from typing import TypeVar

from moderation.errors import ConfigurationError

Kind = TypeVar("Kind", bound=StrEnum)


def choice(kind: type[Kind], text: str, option: str) -> Kind:
    """The member that `text` names.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        return kind(text)
    except ValueError:
        raise ConfigurationError(
            f"{option} is {text[:40]!r}",
            expected=f"one of {', '.join(kind)}",
            remedy=f"Correct {option}.",
        ) from None
