"""A reader for the sandbox's child that tries to get out, and tells what came of each attempt."""

import ctypes
import errno
import fcntl
import json
import mmap
import os
import platform
import resource
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from encoders.base import ReadLimits, ReadRequest
from encoders.sandbox_system_calls import system_calls
from encoders.types import DecodedMedia, FrameBatch, MediaMetadata, Modality

_SHARED_MEMORY_BYTES, _IPC_PRIVATE, _IPC_CREAT = 4096, 0, 0o1000
_FS_IOC_GETFLAGS = 0x80086601
_PR_SET_PDEATHSIG = 1
_MEMORY_BYTES = 600 * 2**20
_DESCRIPTORS = 300
_libc = ctypes.CDLL(None, use_errno=True)


def _raised(outcome: int) -> int:
    if outcome < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return outcome


def _connect(family: socket.AddressFamily, address: Any) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as channel:
        channel.connect(address)


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _shared_memory() -> None:
    _raised(_libc.shmget(_IPC_PRIVATE, _SHARED_MEMORY_BYTES, _IPC_CREAT | 0o600))


def _raise_limit() -> None:
    both = struct.pack("@LL", 2**20, 2**20)
    _raised(_libc.setrlimit(resource.RLIMIT_FSIZE, both))


def _attempts(path: str, facts: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    secret, parent, folder = facts["secret"], facts["parent"], facts["folder"]
    descriptor = os.open(path, os.O_RDONLY)
    return {
        "read a file": lambda: Path(secret).read_text(),
        "read a file by a link": lambda: Path(facts["link"]).read_text(),
        "list a folder": lambda: list(Path(folder).iterdir()),
        "read the environment": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
        "read the command line": lambda: Path(f"/proc/{parent}/cmdline").read_bytes(),
        "read the memory": lambda: Path(f"/proc/{parent}/mem").open("rb"),
        "list the descriptors": lambda: list(Path(f"/proc/{parent}/fd").iterdir()),
        "write the file": lambda: Path(facts["media"]).write_text("mine"),
        "write a new file": lambda: Path(folder, "new").write_text("mine"),
        "write shared memory": lambda: Path("/dev/shm/mine").write_text("mine"),
        "chmod": lambda: Path(secret).chmod(0o644),
        "fchmod": lambda: os.fchmod(descriptor, 0o777),
        "chown": lambda: os.chown(secret, os.getuid(), os.getgid()),
        "fchown": lambda: os.fchown(descriptor, os.getuid(), os.getgid()),
        "utime": lambda: os.utime(secret, (1, 1)),
        "setxattr": lambda: os.setxattr(secret, "user.mine", b"1"),
        "file attributes": lambda: fcntl.ioctl(descriptor, _FS_IOC_GETFLAGS, bytes(8)),
        "lock": lambda: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB),
        "rename": lambda: Path(secret).rename(f"{folder}/elsewhere"),
        "link": lambda: os.link(secret, f"{folder}/elsewhere"),
        "symlink": lambda: Path(folder, "elsewhere").symlink_to(secret),
        "unlink": lambda: Path(secret).unlink(),
        "truncate": lambda: os.truncate(secret, 0),
        "mkdir": lambda: Path(folder, "elsewhere").mkdir(),
        "mkfifo": lambda: os.mkfifo(f"{folder}/elsewhere"),
        "connect by TCP": lambda: _connect(socket.AF_INET, ("127.0.0.1", facts["port"])),
        "connect to a socket file": lambda: _connect(socket.AF_UNIX, facts["socket"]),
        "fork": _fork,
        "execute": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
        "signal": lambda: os.kill(parent, 0),
        "trace": lambda: _raised(_libc.ptrace(16, parent, 0, 0)),
        "shared memory": _shared_memory,
        "raise a limit": _raise_limit,
        "outlive the zygote": lambda: _raised(_libc.prctl(_PR_SET_PDEATHSIG, 0, 0, 0, 0)),
        "user namespace": lambda: _raised(_libc.unshare(0x10000000)),
    }


def _allocate() -> None:
    """As much memory as the order says, written to: an OSError where it is refused."""
    try:
        np.ones(_MEMORY_BYTES, dtype=np.uint8)
    except MemoryError as error:
        raise OSError(errno.ENOMEM, "no memory") from error


def _datagram(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.sendto(b"mine", ("127.0.0.1", port))


def _open_many() -> None:
    opened = []
    try:
        while len(opened) < _DESCRIPTORS:
            opened.append(os.dup(0))
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _harmless_attempts(facts: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    """Those that a test may let succeed: they touch its own files and ports alone."""
    return {
        "allocate": _allocate,
        "open many files": _open_many,
        "write": lambda: Path(facts["folder"], "new").write_text("mine"),
        "read": lambda: Path(facts["secret"]).read_text(),
        "remove": lambda: Path(facts["spare"]).unlink(),
        "stream": lambda: _connect(socket.AF_INET, ("127.0.0.1", facts["port"])),
        "datagram": lambda: _datagram(facts["datagrams"]),
        "fork": _fork,
        "execute": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
        "signal": lambda: os.kill(facts["parent"], 0),
    }


def _tried(attempt: Callable[[], Any]) -> str:
    try:
        attempt()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "done"


def _call(number: int) -> str:
    """The error of a system call with arguments that no kernel takes."""
    wrong = [ctypes.c_long(-1)] * 6
    return "done" if _libc.syscall(number, *wrong) >= 0 else errno.errorcode[ctypes.get_errno()]


def _needs() -> None:
    """What decoders do all the time."""
    with mmap.mmap(-1, 4096):
        pass
    fcntl.ioctl(0, 0x5421, struct.pack("i", 0))
    resource.getrlimit(resource.RLIMIT_AS)
    Path(os.__file__).read_bytes()


def read(
    path: str, request: ReadRequest, limits: ReadLimits, *, readers: tuple[str, ...] = ()
) -> DecodedMedia:
    """One line a note: what was tried, and `done` or the name of the error."""
    facts = json.loads(Path(path).read_text())
    _needs()
    if "calls" in facts:
        numbers = system_calls(platform.machine())
        notes = [f"{name}: {_call(numbers[name])}" for name in facts["calls"]]
    elif "datagrams" in facts:
        attempts = _harmless_attempts(facts)
        notes = [f"{name}: {_tried(act)}" for name, act in attempts.items()]
    else:
        notes = [f"{name}: {_tried(act)}" for name, act in _attempts(path, facts).items()]
    return DecodedMedia(
        metadata=MediaMetadata("made", 1, "0" * 64, (), (), "made", notes=tuple(notes)),
        modality=Modality.IMAGE,
        duration_seconds=0.0,
        frames=FrameBatch(np.zeros((1, 8, 8, 3), dtype=np.uint8), np.zeros(1), 8, 8),
        audio=None,
    )
