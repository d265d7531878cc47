"""Files that `ByteDispatcher` scores."""

from pathlib import Path

import pytest


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = []
    for name, content in {"a": "7", "b": "2x", "bad": "?", "copy": "7", "e": "9"}.items():
        paths.append(tmp_path / name)
        paths[-1].write_text(content)
    return [*paths, tmp_path / "gone\x1b[31m"]
