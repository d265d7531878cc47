"""A recipe's file: a path, or the name of one that this package ships; TOML, checked by a model."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from moderation.errors import ConfigurationError

SHIPPED = Path(__file__).parent / "recipes"

Model = TypeVar("Model", bound=BaseModel)


def recipe_file(name: Path) -> Path:
    """`starter` is the shipped rl/recipes/starter.toml; anything with a suffix is a path."""
    return name if name.suffix or name.exists() else SHIPPED / f"{name}.toml"


def read_model(path: Path, model: type[Model], *, like: str) -> Model:
    """Parse a TOML file; like: what to show who wrote a wrong one.

    Raises:
        ConfigurationError: no such file, not TOML, or a key that is unknown or off its range.
    """
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"{path}: {error}", expected="a readable TOML file", remedy="Correct the file."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the whole"
        raise ConfigurationError(
            f"{path}: key {key!r}: {first['msg']} (found {first['input']!r})"[:600],
            expected=f"keys and ranges as in {like}",
            remedy="Correct that key.",
        ) from error
