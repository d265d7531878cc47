"""What tests of provenance share."""

from collections.abc import Iterator

import pytest

from encoders.sandbox import ChildExit, Sandbox


@pytest.fixture(scope="module")
def exits() -> list[ChildExit]:
    """How the sandbox's children ended, in their order."""
    return []


@pytest.fixture(scope="module")
def sandbox(exits: list[ChildExit]) -> Iterator[Sandbox]:
    with Sandbox(on_exit=exits.append) as running:
        yield running
