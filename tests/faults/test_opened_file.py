"""What is refused before any byte is read, and hashing that keeps within its bounds."""

import errno
import fcntl
import hashlib
import os
import struct
from pathlib import Path

import pytest

from encoders.base import ReadLimits, ReadRequest
from encoders.errors import EmptyFile, LimitExceeded, TransientError, UnreadableFile
from encoders.sampling import Uniform
from encoders.sandbox import Sandbox
from encoders.sandbox_file import OpenedFile
from encoders.sandbox_wire import Deadline

BYTES_MAX = 2**40
_TIOCSPTLCK, _TIOCGPTN = 0x40045431, 0x80045430


def sparse(path: Path, size_bytes: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size_bytes)
    return path


def test_a_file_beyond_the_limit_is_refused_before_it_is_hashed(tmp_path: Path) -> None:
    size_bytes = 5 * 2**30
    path = sparse(tmp_path / "film.mp4", size_bytes)
    with Sandbox() as sandbox, pytest.raises(LimitExceeded) as caught:
        sandbox.read(path, ReadRequest(Uniform()))
    assert caught.value.limit == "file_bytes"
    assert str(size_bytes) in caught.value.found
    assert f"file_bytes_max = {4 * 2**30}" in caught.value.expected


def test_the_limit_itself_is_allowed(tmp_path: Path) -> None:
    path = sparse(tmp_path / "film.mp4", 1000)
    with OpenedFile(path, bytes_max=1000) as opened:
        assert opened.size_bytes == 1000
    with pytest.raises(LimitExceeded):
        OpenedFile(path, bytes_max=999)


def test_hashing_stops_at_the_end_of_its_time(tmp_path: Path) -> None:
    size_bytes = 3 * 2**30
    path = sparse(tmp_path / "film.mp4", size_bytes)
    limits = ReadLimits(wall_seconds=1e-6)
    with Sandbox(limits=limits) as sandbox, pytest.raises(TransientError) as caught:
        sandbox.read(path, ReadRequest(Uniform()))
    read_bytes = int(caught.value.found.split()[0])
    assert read_bytes < size_bytes
    assert "wall_seconds" in caught.value.expected


@pytest.mark.parametrize("size_bytes", [1, 2**20 - 1, 2**20, 2**20 + 1, 5 * 2**20 + 3])
def test_the_hash_is_that_of_all_bytes(tmp_path: Path, size_bytes: int) -> None:
    path = tmp_path / "film.mp4"
    content = os.urandom(size_bytes)
    path.write_bytes(content)
    with OpenedFile(path, bytes_max=BYTES_MAX) as opened:
        assert opened.sha256(Deadline.after(60.0)) == hashlib.sha256(content).hexdigest()
        # It reads by position, so that a second time gives the same.
        assert opened.sha256(Deadline.after(60.0)) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("change", [-1, 1, 2**21])
def test_a_file_of_another_length_than_it_had_is_transient(tmp_path: Path, change: int) -> None:
    path = sparse(tmp_path / "film.mp4", 2**20)
    with OpenedFile(path, bytes_max=BYTES_MAX) as opened:
        sparse(path, 2**20 + change)
        with pytest.raises(TransientError, match="changed"):
            opened.sha256(Deadline.after(60.0))


def test_bytes_rewritten_in_place_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"before")
    with OpenedFile(path, bytes_max=BYTES_MAX) as opened:
        path.write_bytes(b"behind")
        os.utime(path, ns=(0, 0))
        with pytest.raises(TransientError, match="changed"):
            opened.require_unchanged()


def test_another_file_under_the_same_name_is_not_what_is_read(tmp_path: Path) -> None:
    first, second, link = tmp_path / "first", tmp_path / "second", tmp_path / "link"
    first.write_bytes(b"first")
    second.write_bytes(b"second")
    link.symlink_to(first)
    with OpenedFile(link, bytes_max=BYTES_MAX) as opened:
        link.unlink()
        link.symlink_to(second)
        assert opened.sha256(Deadline.after(60.0)) == hashlib.sha256(b"first").hexdigest()
        assert Path(f"/proc/self/fd/{opened.descriptor}").read_bytes() == b"first"


def test_a_device_is_refused_without_being_opened() -> None:
    """A terminal whose other side was opened and closed again reads as ended ever after."""
    try:
        master = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        pytest.skip("this machine lends no pseudo-terminal")
    try:
        fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
        (number,) = struct.unpack("i", fcntl.ioctl(master, _TIOCGPTN, bytes(4)))
        with pytest.raises(UnreadableFile, match="no regular file"):
            OpenedFile(f"/dev/pts/{number}", bytes_max=BYTES_MAX)
        with pytest.raises(BlockingIOError):
            os.read(master, 1)
        os.close(os.open(f"/dev/pts/{number}", os.O_RDONLY | os.O_NOCTTY))
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            os.read(master, 1)  # so the test can tell
    finally:
        os.close(master)


def test_a_pipe_is_refused_without_being_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableFile, match="no regular file"):
        OpenedFile(tmp_path / "pipe", bytes_max=BYTES_MAX)


def test_nothing_stays_open_after_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    before = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208 (names, not paths)
    for name, error in (("empty", EmptyFile), ("pipe", UnreadableFile), ("none", UnreadableFile)):
        with pytest.raises(error):
            OpenedFile(tmp_path / name, bytes_max=BYTES_MAX)
    assert sorted(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


@pytest.mark.parametrize("name", ["wall_seconds", "file_bytes_max", "memory_bytes"])
def test_limits_are_positive(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        ReadLimits(**{name: 0})
