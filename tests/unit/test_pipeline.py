"""The pipeline over ports: real files and arithmetic, no model."""

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PIL import Image

from encoders.base import ReadRequest
from encoders.errors import CorruptMedia
from encoders.pdq import frame_hashes
from encoders.sampling import Uniform
from encoders.types import (
    AudioSamples,
    DecodedMedia,
    Encoding,
    FeatureSequence,
    FrameBatch,
    MediaFeatures,
    MediaMetadata,
    Modality,
)
from moderation.errors import JudgeError
from moderation.extraction import Extractor
from moderation.pipeline import ScoringPipeline
from moderation.types import Judgment, Mode


class BytesAsSound:
    """Takes a file's bytes for samples; a file that starts with `bad` is corrupt."""

    def read(self, path: Path, request: ReadRequest) -> DecodedMedia:
        data = path.read_bytes()
        if data.startswith(b"bad"):
            raise CorruptMedia("bad bytes", expected="good ones", remedy="Send others.")
        samples = np.frombuffer(data, dtype=np.uint8).astype(np.float32) / 256
        digest = hashlib.sha256(data).hexdigest()
        metadata = MediaMetadata("raw", len(data), digest, (), (), "bytes")
        audio = AudioSamples(samples, request.sample_rate_hz, request.sample_rate_hz)
        return DecodedMedia(metadata, Modality.AUDIO, audio.duration_seconds, None, audio)


class Mean:
    """One feature, the mean sample; refuses what holds the byte `!`."""

    name, version = "mean", "1"

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode(self, batch: Sequence[DecodedMedia]) -> list[Encoding]:
        for media in batch:
            if (media.audio.waveform_T == ord("!") / 256).any():
                raise CorruptMedia("a !", expected="none", remedy="Remove it.")
        self.encoded += [media.metadata.sha256 for media in batch]
        edges = np.zeros(1)
        return [
            Encoding(
                (
                    FeatureSequence(
                        "mean",
                        Modality.AUDIO,
                        {"mean": media.audio.waveform_T.mean(keepdims=True)[None]},
                        edges,
                        edges,
                    ),
                )
            )
            for media in batch
        ]


class MeanJudge:
    """Scores 9 times the mean; refuses an item of mean 0."""

    judge_id = "mean"

    def judge(
        self, batch: Sequence[MediaFeatures], mode: Mode, *, rationales: int = 1
    ) -> list[Judgment]:
        means = [float(item.sequences[0].layers["mean"][0, 0]) for item in batch]
        if 0.0 in means:
            raise JudgeError("nothing", expected="something", remedy="Send more.")
        spike = (1.0, *[0.0] * 9)
        return [Judgment(spike, 1.0, 9 * mean, mode, self.judge_id) for mean in means]


@pytest.fixture
def encoder() -> Mean:
    return Mean()


@pytest.fixture
def pipeline(encoder: Mean) -> ScoringPipeline:
    extractor = Extractor(BytesAsSound(), (encoder,), ReadRequest(Uniform()), "plan")
    return ScoringPipeline(extractor, MeanJudge(), workers=2, batch_items=3)


def write(folder: Path, contents: Sequence[bytes]) -> list[Path]:
    paths = [folder / f"{k}" for k in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def test_one_row_a_path_in_order_and_failures_stay_their_own(pipeline, tmp_path) -> None:
    contents = [b"aa", b"bad", b"cc", b"x!", b"\0\0", b"dd", b"ee"]
    rows = list(pipeline.score(write(tmp_path, contents), Mode.FAST))
    assert [Path(row.path).name for row in rows] == [str(k) for k in range(7)]
    codes = [row.error.code if row.error else None for row in rows]
    assert codes == [None, "corrupt_media", None, "corrupt_media", "judge", None, None]
    for row, content in zip(rows, contents, strict=True):
        if row.judgment:
            want = 9 * np.frombuffer(content, np.uint8).mean() / 256
            assert row.judgment.expected_score == pytest.approx(want)


def test_a_refused_file_is_named_by_its_bytes(pipeline, tmp_path) -> None:
    bad, gone = tmp_path / "bad", tmp_path / "gone"
    bad.write_bytes(b"bad")
    refused, absent = pipeline.score([bad, gone], Mode.FAST)
    assert refused.error.code == "corrupt_media"
    assert refused.sha256 == hashlib.sha256(b"bad").hexdigest()
    assert absent.sha256 is None


class Pictured(BytesAsSound):
    """Every file comes with a photograph, one that holds `-` with its mirror image after it."""

    def read(self, path: Path, request: ReadRequest) -> DecodedMedia:
        media = super().read(path, request)
        with Image.open("docs/samples/photo-genuine.jpg") as photo:
            picture_HWC = np.asarray(photo.convert("RGB").resize((160, 120)))
        views = [picture_HWC, picture_HWC[:, ::-1]][: 1 + (b"-" in path.read_bytes())]
        frames = FrameBatch(np.stack(views), np.arange(float(len(views))), 120, 160)
        return dataclasses.replace(media, frames=frames)


def test_pictures_are_hashed_beside_the_score(pipeline, encoder, tmp_path) -> None:
    extractor = Extractor(Pictured(), (encoder,), ReadRequest(Uniform()), "plan")
    hashing = dataclasses.replace(pipeline, extractor=extractor, picture_hashes=frame_hashes)
    paths = write(tmp_path, [b"aa", b"a-", b"aa", b"bad"])
    one, two, copy, bad = (row.picture_hashes for row in hashing.score(paths, Mode.FAST))
    assert [len(one), len(two), len(bad)] == [1, 2, 0]
    assert one == two[:1] == copy
    unhashed = dataclasses.replace(hashing, picture_hashes=None)
    assert [row.picture_hashes for row in unhashed.score(paths[:2], Mode.FAST)] == [(), ()]


class ReplacedMeanwhile(BytesAsSound):
    """Another file comes in the place of the one that is being read."""

    def read(self, path: Path, request: ReadRequest) -> DecodedMedia:
        try:
            return super().read(path, request)
        finally:
            other = path.with_name("other")
            other.write_bytes(b"bad, but another")
            other.replace(path)


def test_a_refused_file_replaced_meanwhile_has_no_name(encoder, tmp_path) -> None:
    extractor = Extractor(ReplacedMeanwhile(), (encoder,), ReadRequest(Uniform()), "plan")
    pipeline = ScoringPipeline(extractor, MeanJudge(), workers=1)
    (row,) = pipeline.score(write(tmp_path, [b"bad"]), Mode.FAST)
    assert row.error.code == "corrupt_media"
    assert row.sha256 is None


def test_the_same_bytes_are_scored_once_within_and_across_batches(
    pipeline, encoder, tmp_path
) -> None:
    contents = [b"aa", b"bb", b"aa", b"cc", b"aa", b"bb"]
    rows = list(pipeline.score(write(tmp_path, contents), Mode.FAST))
    assert len(encoder.encoded) == len(set(encoder.encoded)) == 3
    firsts = [row.duplicate_of and Path(row.duplicate_of).name for row in rows]
    assert firsts == [None, None, "0", None, "0", "1"]
    assert rows[4].judgment == rows[0].judgment


def test_closing_early_stops_reading(pipeline, tmp_path) -> None:
    read = []

    def paths():
        for path in write(tmp_path, [bytes([65 + k]) for k in range(20)]):
            read.append(path)
            yield path

    stream = pipeline.score(paths(), Mode.FAST)
    next(stream)
    stream.close()
    assert len(read) <= 3 + 2 + 1


class HeldUp(BytesAsSound):
    """Reading `1` does not end before somebody says so."""

    def __init__(self) -> None:
        self.begun, self.released = Event(), Event()
        self.ended: list[str] = []

    def read(self, path: Path, request: ReadRequest) -> DecodedMedia:
        if path.name == "1":
            self.begun.set()
            self.released.wait(30.0)
        self.ended.append(path.name)
        return super().read(path, request)


def test_closing_does_not_wait_for_the_file_under_way(encoder, tmp_path) -> None:
    source = HeldUp()
    extractor = Extractor(source, (encoder,), ReadRequest(Uniform()), "plan")
    pipeline = ScoringPipeline(extractor, MeanJudge(), workers=1, batch_items=1)
    stream = pipeline.score(write(tmp_path, [b"aa", b"bb", b"cc"]), Mode.FAST)
    next(stream)
    source.begun.wait(30.0)
    stream.close()
    assert source.ended == ["0"]
    source.released.set()


def test_examine_raises_what_a_batch_would_have_put_in_a_row(pipeline, tmp_path) -> None:
    (loud,) = write(tmp_path, [b"x!"])
    media = BytesAsSound().read(loud, pipeline.extractor.request)
    with pytest.raises(CorruptMedia):
        pipeline.examine(loud, media, Mode.FAST)
