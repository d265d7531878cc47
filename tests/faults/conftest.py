"""A sandbox around a reader that does what a file's text orders."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from encoders.sandbox import Sandbox
from tests.faults.sandboxes import HERE, LIMITS, READER, MakeFile, zygotes


@pytest.fixture(scope="module")
def reader_is_importable() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(HERE))
        yield


@pytest.fixture(scope="module")
def sandbox(reader_is_importable: None) -> Iterator[Sandbox]:
    """Without a second attempt: what comes back is the verdict on the first."""
    with Sandbox(limits=LIMITS, reader=READER, fallback=()) as sandbox:
        yield sandbox


@pytest.fixture
def order(tmp_path: Path) -> MakeFile:
    def make(text: str, name: str = "order.mp4") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return make


@pytest.fixture
def known() -> set[int]:
    """Children before the test: the zygote of the shared sandbox, if it has one yet."""
    return {zygote.pid for zygote in zygotes()}
