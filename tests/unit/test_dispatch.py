"""The inline dispatcher loads its models only for a file that opens."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from encoders.base import ReadLimits, ReadRequest
from encoders.errors import EmptyFile, LimitExceeded, UnreadableFile, UnsupportedMedia
from encoders.sampling import Uniform
from encoders.sandbox import Sandbox
from moderation.dispatch import InlineDispatcher, ScoringParts
from moderation.extraction import Extractor
from moderation.pipeline import Refusal, ScoringPipeline, decode
from moderation.settings import Settings
from moderation.types import Mode
from tests.unit.test_pipeline import BytesAsSound, Mean, MeanJudge

REQUEST = ReadRequest(Uniform())


class Loader:
    """Builds a pipeline of real parts, and counts how often."""

    def __init__(self) -> None:
        self.loads = 0
        self.is_closed = False

    def __call__(self) -> ScoringPipeline:
        self.loads += 1
        extractor = Extractor(BytesAsSound(), (Mean(),), REQUEST, "plan")
        return ScoringPipeline(extractor, MeanJudge(), workers=2, batch_items=3)


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def inline(loader: Loader) -> Iterator[InlineDispatcher]:
    resources = ExitStack()
    sandbox = resources.enter_context(Sandbox())
    resources.callback(setattr, loader, "is_closed", True)
    parts = ScoringParts(
        settings=Settings.load(),
        load=loader,
        read=lambda path: sandbox.read(path, REQUEST),
        resources=resources,
        judge_id="mean",
        setup="s",
        limits="l",
    )
    with InlineDispatcher(parts) as dispatcher:
        yield dispatcher


def write(folder: Path) -> tuple[Path, Path, Path]:
    gone, empty, good = folder / "gone", folder / "empty", folder / "good"
    empty.touch()
    good.write_bytes(b"good")
    return gone, empty, good


def test_files_that_do_not_open_load_nothing(
    loader: Loader, inline: InlineDispatcher, tmp_path: Path
) -> None:
    gone, empty, _ = write(tmp_path)
    rows = list(inline.score([gone, empty, tmp_path], Mode.FAST))
    codes = [row.error.code for row in rows if row.error]
    assert codes == [UnreadableFile.code, EmptyFile.code, UnreadableFile.code]
    assert [row.sha256 for row in rows] == [None, hashlib.sha256(b"").hexdigest(), None]
    assert loader.loads == 0


def test_examining_what_does_not_decode_loads_nothing(
    loader: Loader, inline: InlineDispatcher, tmp_path: Path
) -> None:
    gone, _, text = write(tmp_path)
    with pytest.raises(UnreadableFile):
        inline.examine(gone, Mode.FAST)
    with pytest.raises(UnsupportedMedia):
        inline.examine(text, Mode.FAST)
    assert loader.loads == 0


def test_a_file_refused_for_its_size_is_not_read_to_be_named(tmp_path: Path) -> None:
    vast = tmp_path / "vast"
    vast.write_bytes(b"0123456789")
    with Sandbox(limits=ReadLimits(file_bytes_max=9)) as sandbox:
        _, refused = decode(lambda path: sandbox.read(path, REQUEST), vast)
    assert isinstance(refused, Refusal)
    assert isinstance(refused.error, LimitExceeded)
    assert refused.sha256 is None


def test_nothing_to_do_loads_nothing(loader: Loader, inline: InlineDispatcher) -> None:
    assert list(inline.score([], Mode.FAST)) == []
    assert loader.loads == 0


def test_the_first_good_file_loads_once_and_order_is_kept(
    loader: Loader, inline: InlineDispatcher, tmp_path: Path
) -> None:
    gone, empty, good = write(tmp_path)
    rows = list(inline.score([gone, good, empty, good, gone], Mode.FAST))
    assert [Path(row.path).name for row in rows] == ["gone", "good", "empty", "good", "gone"]
    assert [row.judgment is not None for row in rows] == [False, True, False, True, False]
    assert not loader.is_closed
    inline.close()
    assert (loader.loads, loader.is_closed) == (1, True)
