"""The list of what can be fetched: packages and repositories, each with its checksum."""

from pathlib import Path

from rl.corpus.recipe import Section
from rl.recipe_file import read_model


class DebianPackage(Section):
    """sha256: of the .deb. paths: what of its usr/share is kept.

    under: a folder of its own to lay it in, where other packages use the same paths.
    """

    name: str
    version: str
    sha256: str
    paths: tuple[str, ...]
    under: str = ""

    @property
    def provides(self) -> tuple[str, ...]:
        """Where things lie once fetched, relative to a root."""
        return tuple(Path(self.under, path).as_posix() for path in self.paths)


class Wheel(Section):
    """paths: files in it. sha256: `rl.corpus.fetch.tree_digest` of these, so that the wheels of
    all platforms agree.
    """

    name: str
    version: str
    sha256: str
    paths: tuple[str, ...]

    @property
    def provides(self) -> tuple[str, ...]:
        """Where things lie once fetched, relative to a root."""
        return self.paths


class Repository(Section):
    """commit: its hash is the checksum. paths: patterns from the repository's top; what matches
    comes to lie in `folder`, without the folders it had.
    """

    name: str
    url: str
    commit: str
    paths: tuple[str, ...]
    folder: str

    @property
    def provides(self) -> tuple[str, ...]:
        """Where things lie once fetched, relative to a root."""
        return (self.folder,)


Entry = DebianPackage | Wheel | Repository


class SourceList(Section):
    """All that can be fetched."""

    debian: tuple[DebianPackage, ...] = ()
    wheel: tuple[Wheel, ...] = ()
    repository: tuple[Repository, ...] = ()

    def entries(self) -> tuple[Entry, ...]:
        return (*self.debian, *self.wheel, *self.repository)


def load_sources(path: Path) -> SourceList:
    """Read a list.

    Raises:
        ConfigurationError: not TOML, or a key that does not belong there.
    """
    return read_model(path, SourceList, like="rl/recipes/sources.toml")
