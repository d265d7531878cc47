"""A recipe's file: a path, or the name of one that this package ships."""

from pathlib import Path

SHIPPED = Path(__file__).parent / "recipes"


def recipe_file(name: Path) -> Path:
    """`starter` is the shipped rl/recipes/starter.toml; anything with a suffix is a path."""
    return name if name.suffix or name.exists() else SHIPPED / f"{name}.toml"
