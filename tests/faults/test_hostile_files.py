"""Broken, lying and hostile files through the real sandbox and the real readers."""

import dataclasses
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from encoders.base import ReadLimits, ReadRequest
from encoders.errors import DecodeTimeout, TypedError
from encoders.sampling import Dense, Uniform
from encoders.sandbox import Sandbox
from encoders.sandbox_errors import ChildExit
from encoders.types import Span
from tests.media_factory import Broken
from tests.processes import children

REQUEST = ReadRequest(Uniform())
# Every fourth frame up to the last but one: a walk on which decord 0.6.0 never comes back.
WALK = ReadRequest(Dense(Span(0.0, 20.0), 7.5))
# Long enough for a starved machine: nothing here may come near it.
LIMITS = ReadLimits(wall_seconds=120.0, cpu_seconds=15, memory_bytes=2 * 2**30)
RESIDENT_BYTES_MAX = 400 * 2**20


def test_every_broken_file_is_refused_with_its_reason(broken_media: Broken) -> None:
    assert len(broken_media) >= 20
    before = children()
    exits: list[ChildExit] = []
    with Sandbox(limits=LIMITS, on_exit=exits.append) as sandbox:
        for name, (path, expected) in broken_media.items():
            with pytest.raises(TypedError) as caught:
                sandbox.read(path, REQUEST)
            assert isinstance(caught.value, expected), (name, caught.value)
            assert not isinstance(caught.value, DecodeTimeout), name
    assert not any(ended.killed for ended in exits)
    assert max(ended.max_rss_bytes for ended in exits) < RESIDENT_BYTES_MAX
    assert not children() - before


def test_every_good_file_is_read(good_media: dict[str, Path]) -> None:
    exits: list[ChildExit] = []
    with Sandbox(limits=LIMITS, on_exit=exits.append) as sandbox, ThreadPoolExecutor(4) as pool:
        alone = {name: sandbox.read(path, REQUEST) for name, path in good_media.items()}
        together = pool.map(lambda path: sandbox.read(path, REQUEST), good_media.values())
        for (name, one), other in zip(alone.items(), together, strict=True):
            assert one.metadata == other.metadata, name
            if one.frames is not None and other.frames is not None:
                assert np.array_equal(one.frames.pixels_FHWC, other.frames.pixels_FHWC), name
            if one.audio is not None and other.audio is not None:
                assert np.array_equal(one.audio.waveform_T, other.audio.waveform_T), name
            assert not any("gave up" in note for note in one.metadata.notes), name
    assert all(ended.exit_code == 0 for ended in exits)
    assert max(ended.max_rss_bytes for ended in exits) < RESIDENT_BYTES_MAX


@pytest.fixture
def _decord_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


@pytest.mark.usefixtures("_decord_alone")
def test_decord_hangs_on_hidden_packets_and_is_killed(good_media: dict[str, Path]) -> None:
    exits: list[ChildExit] = []
    with Sandbox(
        limits=LIMITS, reader="decord_alone:read", fallback=(), on_exit=exits.append
    ) as sandbox:
        sandbox.read(good_media["mp4"], WALK)  # the same reader is fine with a plain clip
    limits = dataclasses.replace(LIMITS, wall_seconds=3.0)
    with Sandbox(
        limits=limits, reader="decord_alone:read", fallback=(), on_exit=exits.append
    ) as sandbox:
        with pytest.raises(DecodeTimeout) as caught:
            sandbox.read(good_media["hidden_packets"], WALK)
        assert "3 s" in caught.value.expected
    assert [ended.killed for ended in exits] == [False, True]


@pytest.mark.usefixtures("_decord_alone")
def test_pyav_takes_over_where_decord_hangs(
    good_media: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("encoders.sandbox.FIRST_ATTEMPT_SHARE", 3.0 / LIMITS.wall_seconds)
    exits: list[ChildExit] = []
    with Sandbox(limits=LIMITS, reader="decord_alone:read", on_exit=exits.append) as sandbox:
        media = sandbox.read(good_media["hidden_packets"], WALK)
    assert [ended.killed for ended in exits] == [True, False]
    assert media.metadata.reader == "pyav"
    assert media.frames is not None
    assert len(media.frames.pixels_FHWC) > 70
    assert any("gave up" in note for note in media.metadata.notes)


def test_file_that_hangs_decord_is_never_given_to_it(good_media: dict[str, Path]) -> None:
    exits: list[ChildExit] = []
    with Sandbox(limits=LIMITS, on_exit=exits.append) as sandbox:
        media = sandbox.read(good_media["hidden_packets"], WALK)
    (ended,) = exits  # one child, which ended by itself
    assert not ended.killed
    assert media.metadata.reader == "pyav"
    assert not any("gave up" in note for note in media.metadata.notes)


def test_undecodable_name_reaches_decord(good_media: dict[str, Path]) -> None:
    with Sandbox(limits=LIMITS) as sandbox:
        for path in (good_media["not_utf8"], os.fsencode(good_media["not_utf8"])):
            assert sandbox.read(path, REQUEST).metadata.reader == "decord"
