"""Decoders that hang, crash, lie and devour memory, and the sandbox that contains them."""

import dataclasses
import hashlib
import json
import os
import signal
import socket
from pathlib import Path

import numpy as np
import pytest

from encoders.base import ReadRequest
from encoders.errors import (
    CorruptMedia,
    DecoderCrashed,
    DecodeTimeout,
    EmptyFile,
    LimitExceeded,
    NoUsableMedia,
    TypedError,
    UnreadableFile,
)
from encoders.sampling import ByScene, Dense, Uniform
from encoders.sandbox import ChildExit, Sandbox
from encoders.sandbox_wire import pack_request, unpack_request
from encoders.types import Span
from tests.faults.sandboxes import (
    IMPATIENT,
    LIMITS,
    READER,
    REQUEST,
    MakeFile,
    decoders,
    require_no_decoders,
    zygote_pid,
)

pytestmark = pytest.mark.usefixtures("reader_is_importable")


def test_media_comes_back_as_read(sandbox: Sandbox, order: MakeFile) -> None:
    path = order("well")
    media = sandbox.read(path, REQUEST)
    assert media.frames is not None
    assert media.audio is not None
    assert np.array_equal(
        media.frames.pixels_FHWC,
        np.arange(2 * 8 * 8 * 3, dtype=np.uint8).reshape(2, 8, 8, 3),
    )
    assert media.frames.timestamps_seconds_F.tolist() == [0.0, 1.0]
    assert np.array_equal(media.audio.waveform_T, np.linspace(-1, 1, 160, dtype=np.float32))
    assert (media.audio.sample_rate_hz, media.audio.source_sample_rate_hz) == (16_000, 8_000)
    # Neither is what the reader said.
    assert media.metadata.sha256 == hashlib.sha256(b"well").hexdigest()
    assert media.metadata.size_bytes == 4


@pytest.mark.parametrize("sampling", [Uniform(3, 2.0), ByScene(5), Dense(Span(1.0, 2.5), 10.0)])
def test_requests_survive_the_wire(sampling: Uniform | ByScene | Dense) -> None:
    request = ReadRequest(sampling, 7.5, 8_000)
    header = json.loads(json.dumps(pack_request(request, LIMITS, READER, ())))
    assert unpack_request(header) == (request, LIMITS)


@pytest.mark.parametrize(
    ("text", "error", "word"),
    [
        ("allocate", LimitExceeded, "memory"),
        ("segfault", DecoderCrashed, "Segmentation"),
        ("abort", DecoderCrashed, "Aborted"),
        ("exit", DecoderCrashed, "status 3"),
        ("hang-up", DecoderCrashed, "closed"),
        ("garbage", DecoderCrashed, "JSON"),
        ("long-header", DecoderCrashed, "4294967295"),
        ("answer []", DecoderCrashed, "object"),
        ("answer {}", DecoderCrashed, "neither"),
        ('answer {"media":{"arrays":{"pixels_FHWC":[1,2]}}}', DecoderCrashed, "dimensions"),
        ('answer {"media":{"arrays":{"waveform_T":[-1]}}}', DecoderCrashed, "positive"),
        ('answer {"media":{"arrays":{"waveform_T":[true]}}}', DecoderCrashed, "positive"),
        ('answer {"media":{"arrays":{"other":[1]}}}', DecoderCrashed, "unknown name"),
        ('answer {"media":{"arrays":{}}}', DecoderCrashed, "wrong field"),
        ('answer {"error":{"code":"none"}}', DecoderCrashed, "unknown kind"),
        ('answer {"error":{"code":"transient"}}', DecoderCrashed, "unknown kind"),
        ("nan", DecoderCrashed, "NaN"),
        ("loud", DecoderCrashed, "beyond -1..1"),
        ("early", DecoderCrashed, "before 0"),
        ("no-rate", DecoderCrashed, "0 is no count"),
        ("no-measure", DecoderCrashed, "no measure"),
        ("claim", LimitExceeded, "hands back"),
        ("too-much", LimitExceeded, "hands back"),
        ("untyped", CorruptMedia, "IndexError: list index out of range"),
        ("typed", NoUsableMedia, "nothing in it; expected a picture. Send another."),
        ("limited", LimitExceeded, "10^9 pixels"),
    ],
)
def test_misbehaviour_is_a_typed_error(
    sandbox: Sandbox, order: MakeFile, text: str, error: type[TypedError], word: str
) -> None:
    with pytest.raises(error) as caught:
        sandbox.read(order(text), REQUEST)
    assert type(caught.value) is error
    assert word in str(caught.value)
    assert len(str(caught.value)) < 1000
    require_no_decoders()


@pytest.mark.parametrize("text", ["burn", "drip", "sleep"])
def test_a_decoder_that_never_ends_is_killed(order: MakeFile, known: set[int], text: str) -> None:
    exits: list[ChildExit] = []
    with Sandbox(limits=IMPATIENT, reader=READER, fallback=(), on_exit=exits.append) as sandbox:
        with pytest.raises(DecodeTimeout) as caught:
            sandbox.read(order(text), REQUEST)
        assert caught.value.limit == "time"
        assert f"{IMPATIENT.wall_seconds:g} s" in caught.value.expected
        (ended,) = exits
        assert ended.killed
        assert ended.exit_code == -signal.SIGKILL
        assert not decoders(zygote_pid(known))
    require_no_decoders(known)


def test_a_childs_words_steer_no_terminal(sandbox: Sandbox, order: MakeFile) -> None:
    """A decoder that was taken over chooses what a person or a table is shown."""
    metadata = sandbox.read(order("paint"), REQUEST).metadata
    words = [metadata.container, metadata.reader, *metadata.notes]
    words += [text for pair in metadata.tags.items() for text in pair]
    with pytest.raises(NoUsableMedia) as caught:
        sandbox.read(order("painted"), REQUEST)
    words += [caught.value.found, caught.value.expected, caught.value.remedy]
    assert all(word.isprintable() and len(word) <= 2000 for word in words)
    assert all("[31m" in word for word in words)


def test_limits_are_named(sandbox: Sandbox, order: MakeFile) -> None:
    for text, limit in (
        ("allocate", "memory"),
        ("too-much", "output_bytes"),
        ("wide", "frame_side"),
        ("limited", "pixels"),
    ):
        with pytest.raises(LimitExceeded) as caught:
            sandbox.read(order(text), REQUEST)
        assert caught.value.limit == limit


def test_cpu_time_is_bounded_apart_from_wall_time(order: MakeFile) -> None:
    limits = dataclasses.replace(LIMITS, cpu_seconds=1)
    exits: list[ChildExit] = []
    with Sandbox(limits=limits, reader=READER, fallback=(), on_exit=exits.append) as sandbox:
        with pytest.raises(DecodeTimeout) as caught:
            sandbox.read(order("burn"), REQUEST)
        assert "1 s of CPU time" in caught.value.expected
    (ended,) = exits
    assert not ended.killed  # by the sandbox: it was the kernel
    assert ended.exit_code in (-signal.SIGXCPU, -signal.SIGKILL)


def test_memory_stays_within_the_limit(order: MakeFile) -> None:
    exits: list[ChildExit] = []
    with (
        Sandbox(limits=LIMITS, reader=READER, fallback=(), on_exit=exits.append) as sandbox,
        pytest.raises(LimitExceeded),
    ):
        sandbox.read(order("allocate"), REQUEST)
    (ended,) = exits
    assert 100 * 2**20 < ended.max_rss_bytes <= LIMITS.memory_bytes


def test_fallback_takes_over_and_says_so(
    order: MakeFile, known: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A second for the first attempt, all the rest for the other.
    monkeypatch.setattr("encoders.sandbox.FIRST_ATTEMPT_SHARE", 1.0 / LIMITS.wall_seconds)
    with Sandbox(limits=LIMITS, reader=READER) as sandbox:
        media = sandbox.read(order("sleep first"), REQUEST)
        assert media.metadata.reader == "pyav"
        assert "decode_timeout" in media.metadata.notes[-1]
    monkeypatch.undo()
    with Sandbox(limits=LIMITS, reader=READER) as sandbox:
        for text, code in (
            ("segfault first", "decoder_crashed"),
            ("untyped first", "corrupt_media"),
            ("allocate first", "limit_exceeded"),
        ):
            media = sandbox.read(order(text), REQUEST)
            assert media.metadata.reader == "pyav"
            assert code in media.metadata.notes[-1]
        with pytest.raises(NoUsableMedia):
            sandbox.read(order("typed first"), REQUEST)
    require_no_decoders(known)


def test_two_attempts_share_the_time_of_one(order: MakeFile) -> None:
    exits: list[ChildExit] = []
    with Sandbox(limits=IMPATIENT, reader=READER, on_exit=exits.append) as sandbox:
        with pytest.raises(DecodeTimeout) as caught:
            sandbox.read(order("sleep"), REQUEST)
        assert f"{IMPATIENT.wall_seconds:g} s" in caught.value.expected
    assert [ended.killed for ended in exits] == [True, True]


def test_unreadable_paths_never_reach_a_decoder(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for name in ("missing", "loop", ".", "fifo", "socket", "a\0b", "x" * 300):
            with pytest.raises(UnreadableFile):
                sandbox.read(f"{tmp_path}/{name}", REQUEST)
    with pytest.raises(UnreadableFile):
        sandbox.read("/dev/zero", REQUEST)
    (tmp_path / "empty").touch()
    with pytest.raises(EmptyFile):
        sandbox.read(tmp_path / "empty", REQUEST)


def test_forbidden_file_is_unreadable(sandbox: Sandbox, order: MakeFile) -> None:
    path = order("well")
    path.chmod(0)
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(UnreadableFile):
            sandbox.read(path, REQUEST)
    finally:
        os.seteuid(was)


def test_odd_names_links_and_relative_paths_work(
    sandbox: Sandbox, order: MakeFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9\n -\x80.mp4"
    Path(os.fsdecode(name)).write_text("well")
    assert sandbox.read(name, REQUEST).frames is not None
    assert sandbox.read(os.fsdecode(name), REQUEST).frames is not None
    (tmp_path / "link").symlink_to(order("well"))
    monkeypatch.chdir(tmp_path)
    assert sandbox.read("link", REQUEST).frames is not None


def test_big_result_passes(sandbox: Sandbox, order: MakeFile) -> None:
    media = sandbox.read(order("big"), REQUEST)
    assert media.frames is not None
    assert media.frames.pixels_FHWC.nbytes > 100_000_000
    assert (
        int(media.frames.pixels_FHWC[-1, -1, -1, -1]) == (media.frames.pixels_FHWC.size - 1) % 256
    )
