"""One sandbox for all imports, and each miniature data set imported once."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from encoders.sandbox import Sandbox
from moderation.extraction import MediaSource
from rl.imports.importing import Imported, ImportOptions, import_corpus
from rl.imports.layouts import LAYOUTS
from rl.imports.names import LayoutName
from tests.unit.imports.trees import BUILDERS, Tree


@dataclass(frozen=True)
class Case:
    """A data set and what became of it."""

    tree: Tree
    out: Path
    imported: Imported


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Real readers, in real child processes."""
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="session", params=list(BUILDERS), ids=str)
def case(
    request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Case:
    """Every layout in turn."""
    name: LayoutName = request.param
    tree = BUILDERS[name](tmp_path_factory.mktemp(name) / "set")
    out = tmp_path_factory.mktemp("out")
    return Case(tree, out, run(tree, out, sandbox))


def run(tree: Tree, out: Path, source: MediaSource | None, **options: object) -> Imported:
    """Import a tree as the command does."""
    chosen = ImportOptions(tree.options, **options)  # type: ignore[arg-type]
    return import_corpus(LAYOUTS[tree.name], tree.root, out, chosen, source)
