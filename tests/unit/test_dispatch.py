"""The inline dispatcher loads its models only for a file that opens."""

import hashlib
from contextlib import ExitStack
from pathlib import Path

import pytest

from encoders.base import ReadRequest
from encoders.errors import EmptyFile, UnreadableFile
from encoders.sampling import Uniform
from moderation.dispatch import InlineDispatcher
from moderation.extraction import Extractor
from moderation.pipeline import ScoringPipeline
from moderation.types import Mode
from tests.unit.test_pipeline import BytesAsSound, Mean, MeanJudge


class Loader:
    """Builds a pipeline of real parts, and counts how often."""

    def __init__(self) -> None:
        self.loads = 0
        self.is_closed = False

    def __call__(self, resources: ExitStack) -> ScoringPipeline:
        self.loads += 1
        resources.callback(setattr, self, "is_closed", True)
        extractor = Extractor(BytesAsSound(), (Mean(),), ReadRequest(Uniform()), "plan")
        return ScoringPipeline(extractor, MeanJudge(), workers=2, batch_items=3)


@pytest.fixture
def loader() -> Loader:
    return Loader()


def dispatcher(loader: Loader) -> InlineDispatcher:
    return InlineDispatcher(loader, judge_id="mean", setup="s", limits="l")


def write(folder: Path) -> tuple[Path, Path, Path]:
    gone, empty, good = folder / "gone", folder / "empty", folder / "good"
    empty.touch()
    good.write_bytes(b"good")
    return gone, empty, good


def test_files_that_do_not_open_load_nothing(loader: Loader, tmp_path: Path) -> None:
    gone, empty, _ = write(tmp_path)
    with dispatcher(loader) as inline:
        rows = list(inline.score([gone, empty, tmp_path], Mode.FAST))
        assert [row.error.code for row in rows if row.error] == [
            UnreadableFile.code,
            EmptyFile.code,
            UnreadableFile.code,
        ]
        assert [row.sha256 for row in rows] == [None, hashlib.sha256(b"").hexdigest(), None]
        with pytest.raises(UnreadableFile):
            inline.examine(gone, Mode.FAST)
    assert loader.loads == 0


def test_nothing_to_do_loads_nothing(loader: Loader) -> None:
    with dispatcher(loader) as inline:
        assert list(inline.score([], Mode.FAST)) == []
    assert loader.loads == 0


def test_the_first_good_file_loads_once_and_order_is_kept(loader: Loader, tmp_path: Path) -> None:
    gone, empty, good = write(tmp_path)
    with dispatcher(loader) as inline:
        rows = list(inline.score([gone, good, empty, good, gone], Mode.FAST))
        assert [Path(row.path).name for row in rows] == ["gone", "good", "empty", "good", "gone"]
        assert [row.judgment is not None for row in rows] == [False, True, False, True, False]
        assert inline.examine(good, Mode.FAST).judgment == rows[1].judgment
        assert not loader.is_closed
    assert (loader.loads, loader.is_closed) == (1, True)
