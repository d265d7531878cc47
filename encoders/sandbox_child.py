"""The far side of the sandbox: a zygote that forks one short-lived child a file.

Run as `python -m encoders.sandbox_child FD`, where FD is a SOCK_SEQPACKET socket to the
parent. The zygote loads the decoders once, stays on one thread, and never opens media
itself. It ends when the parent closes the socket; its children end when it does.
"""

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import socket
import sys
from typing import Any, NoReturn

from encoders.base import ReadLimits
from encoders.errors import CorruptMedia, DecoderCrashed, LimitExceeded, MediaError
from encoders.sandbox_wire import request_from_json, send_error, send_media
from encoders.syscalls import forbid_side_effects, isolate_network

MESSAGE_BYTES_MAX = 65536
_OPEN_FILES_MAX = 64
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


def main(argv: list[str]) -> int:
    """Serve until the parent goes away."""
    control = socket.socket(fileno=int(argv[0]))
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        import encoders.readers
        import encoders.readers.pyav  # noqa: F401 - loaded once, here, for every child

        with contextlib.suppress(ImportError, OSError):
            import encoders.readers.decord  # noqa: F401 - no wheel on some platforms
    except Exception as error:
        control.send(json.dumps({"failed": f"{type(error).__name__}: {error}"}).encode())
        return 1
    protections = {
        "no_new_privileges": libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0,
        "network_isolated": isolate_network(libc),
        "dies_with_parent": True,
        "resource_limits": True,
        "pidfd": hasattr(os, "pidfd_open"),
    }
    protections["system_calls_filtered"] = _try_filter(libc)
    _silence()
    control.send(json.dumps({"ready": True, "protections": protections}).encode())
    _serve(control, parent, libc)
    return 0


def _try_filter(libc: ctypes.CDLL) -> bool:
    """Whether children can install the filter: tried in one, as it cannot be taken off."""
    pid = os.fork()
    if pid == 0:
        os._exit(0 if forbid_side_effects(libc) else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _silence() -> None:
    """Decoders write warnings about hostile files to standard error; nobody reads them."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _serve(control: socket.socket, parent: int, libc: ctypes.CDLL) -> None:
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    jobs: dict[int, int] = {}
    while os.getppid() == parent:
        ready = dict(poll.poll(1000))
        if wake_read in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(wake_read, 4096)
        if control.fileno() in ready:
            message, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES_MAX, 2)
            if not message:
                return
            _start(control, message, descriptors, jobs, libc)
        _reap(control, jobs)


def _start(
    control: socket.socket,
    message: bytes,
    descriptors: list[int],
    jobs: dict[int, int],
    libc: ctypes.CDLL,
) -> None:
    order = json.loads(message)
    zygote = os.getpid()
    pid = os.fork()
    if pid == 0:
        control.close()
        _child(order["request"], descriptors, zygote, libc)
    for descriptor in descriptors:
        os.close(descriptor)
    jobs[pid] = order["id"]
    note = json.dumps({"started": order["id"], "pid": pid}).encode()
    # The handle is opened before the child can be reaped, so it cannot name another process.
    try:
        handle = os.pidfd_open(pid)
    except (AttributeError, OSError):
        control.send(note)
        return
    socket.send_fds(control, [note], [handle])
    os.close(handle)


def _reap(control: socket.socket, jobs: dict[int, int]) -> None:
    while jobs:
        pid, status, usage = os.wait4(-1, os.WNOHANG)
        if pid == 0:
            return
        job = jobs.pop(pid, None)
        note = {
            "exited": job,
            "code": os.waitstatus_to_exitcode(status),
            "peak_bytes": usage.ru_maxrss * 1024,
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
        }
        control.send(json.dumps(note).encode())


def _child(request: str, descriptors: list[int], zygote: int, libc: ctypes.CDLL) -> NoReturn:
    """Decode one file and end. Nothing may return into the zygote's loop."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != zygote:  # it died before the line above took hold
            os._exit(1)
        answer, media = socket.socket(fileno=descriptors[0]), descriptors[1]
        wanted, limits, readers = request_from_json(request)
        _confine(limits)
        forbid_side_effects(libc)
        _answer(answer, f"/proc/self/fd/{media}", wanted, limits, readers)
        code = 0
    finally:
        os._exit(code)


def _confine(limits: ReadLimits) -> None:
    for kind, soft, hard in (
        (resource.RLIMIT_AS, limits.memory_bytes, limits.memory_bytes),
        # The soft limit ends the process with SIGXCPU, the hard one with SIGKILL.
        (resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES_MAX, _OPEN_FILES_MAX),
    ):
        resource.setrlimit(kind, (soft, hard))


def _answer(
    answer: socket.socket, path: str, wanted: Any, limits: ReadLimits, readers: tuple[str, ...]
) -> None:
    from encoders.readers import read

    try:
        media = read(path, wanted, limits, readers)
    except MediaError as error:
        send_error(answer, error)
    except MemoryError:
        send_error(
            answer,
            LimitExceeded(
                "memory",
                "decoding ran out of memory",
                expected=f"at most {limits.memory_bytes} bytes",
                remedy="Scale the file down, or raise the limit on memory.",
            ),
        )
    except (ValueError, OSError, ArithmeticError, LookupError) as error:
        # A decoder's complaint that its reader did not foresee: still about these bytes.
        send_error(
            answer,
            CorruptMedia(
                f"decoding failed ({type(error).__name__}: {error})"[:300],
                expected="content that decodes",
                remedy="Fetch the file again, or ask for the original.",
            ),
        )
    except Exception as error:
        send_error(
            answer,
            DecoderCrashed(
                f"the decoder raised {type(error).__name__}: {error}"[:300],
                expected="a decoded file or a reason",
                remedy="Report the file to the maintainers.",
            ),
        )
    else:
        send_media(answer, media)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
