"""A labelled corpus without media."""

from pathlib import Path

import pytest

from tests.unit.evaluation.recorded import labelled_rows, write_manifest


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_manifest(labelled_rows() + labelled_rows(80, split="validation"), tmp_path).parent
