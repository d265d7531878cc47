"""The other side of the sandbox: a zygote with the decoders loaded that forks a child a file.

Run as `python -m encoders.sandbox_child CONTROL PARENT`: the descriptor of a packet
socket and the parent's process id. For each request the parent sends three descriptors
over it: a stream socket for the child's answer; one on which the zygote tells the child's
process id, and its exit status and memory when it has ended; and the opened file. A parent
that closes the second has the child killed.
"""

import array
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Never

from encoders import sandbox_confinement as confinement
from encoders import sandbox_landlock as landlock
from encoders.errors import UnreadableFile
from encoders.sandbox_errors import pack_error
from encoders.sandbox_media import send_media
from encoders.sandbox_wire import (
    Disconnected,
    receive_header,
    send_header,
    unpack_request,
)

PRELOADED = (
    *("numpy", "av", "PIL.Image", "pillow_heif", "decord"),
    *("encoders.readers", "encoders.readers.decord", "c2pa", "encoders.provenance.reading"),
    *("encoders.provenance.manifest", "encoders.provenance.xmp_packets"),
)
"""Imported once, before the fork; none of them starts a thread with the environment set here."""

# How often the zygote looks whether its parent is alive, in case a copy of the control
# socket lives on in another process and its end is never seen.
_PARENT_CHECK_SECONDS = 1.0


@dataclass(slots=True)
class _Child:
    pid: int
    events: socket.socket


def _preload() -> None:
    for name in PRELOADED:
        # A missing decoder is the reader's affair: it says so with a typed error.
        with contextlib.suppress(ImportError, OSError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # keeps the collector from copying the shared pages in every child


def _silence() -> None:
    """Native decoders write to the terminal; nobody reads it."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


class Zygote:
    """Forks, watches and buries children until the parent goes away."""

    def __init__(self, control: socket.socket, parent_pid: int) -> None:
        self._control = control
        self._parent_pid = parent_pid
        self._children: dict[int, _Child] = {}
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._protections: dict[str, bool] = {}
        self._readable = landlock.library_folders()

    def serve(self) -> None:
        _preload()
        _silence()
        self._protections = {
            "orphans_adopted": confinement.adopt_orphans(),
            "no_new_privileges": confinement.forbid_new_privileges(),
            "no_network": confinement.leave_network(),
            "no_capabilities": confinement.drop_capabilities(),
            "no_file_changes": landlock.forbid_file_changes(),
        }
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        self._control.send(json.dumps({"ready": os.getpid()}).encode())
        while self._turn():
            pass
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)  # only then are the processes that it started orphans
        self._children.clear()
        self._kill_orphans()

    def _turn(self) -> bool:
        """One round of waiting; False when the parent is gone."""
        by_events = {child.events: child for child in self._children.values()}
        readable, _, _ = select.select(
            [self._control, self._wake_read, *by_events], [], [], _PARENT_CHECK_SECONDS
        )
        if os.getppid() != self._parent_pid:
            return False
        for events in readable:
            if events in by_events:
                # The parent never writes here: readable means that it closed its end.
                self._abandon(by_events[events])
        if self._wake_read in readable:
            with contextlib.suppress(BlockingIOError):
                self._wake_read.recv(4096)
            self._bury()
        return self._control not in readable or self._accept()

    def _accept(self) -> bool:
        descriptors = array.array("i")
        try:
            packet, ancillary, _, _ = self._control.recvmsg(16, socket.CMSG_SPACE(12))
        except ConnectionError:
            return False
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptors.frombytes(content[: len(content) // 4 * 4])
        if not packet:
            return False
        answers, events = (socket.socket(fileno=descriptor) for descriptor in descriptors[:2])
        file = descriptors[2] if len(descriptors) > 2 else None
        pid = self._fork(answers, events, file)
        answers.close()
        if file is not None:
            os.close(file)
        with contextlib.suppress(OSError):  # a parent that gave up meanwhile is seen next turn
            send_header(events, {"pid": pid})
            try:
                descriptor = os.pidfd_open(pid)
            except OSError:  # kernels before 5.3
                events.sendall(b"p")
            else:
                socket.send_fds(events, [b"p"], [descriptor])
                os.close(descriptor)
        return True

    def _fork(self, answers: socket.socket, events: socket.socket, file: int | None) -> int:
        zygote_pid = os.getpid()
        pid = os.fork()
        if pid:
            self._children[pid] = _Child(pid, events)
            return pid
        try:
            confinement.die_with_parent(zygote_pid)
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            kept = {0, 1, 2, answers.fileno(), file}
            for entry in list(Path("/proc/self/fd").iterdir()):
                if int(entry.name) not in kept:
                    with contextlib.suppress(OSError):  # the listing's own descriptor
                        os.close(int(entry.name))
            self._serve_request(answers, file)
        finally:
            os._exit(1)

    def _serve_request(self, channel: socket.socket, file: int | None) -> Never:
        """In the child: answer one request and end the process."""
        header = receive_header(channel)
        request, limits = unpack_request(header)
        try:
            # Before the confinement: it may lie where decoders have nothing to read.
            read = None if file is None else _named(header["reader"])
            confinement.set_resource_limits(limits)
            protections = self._confine(file)
            if read is None:
                send_header(channel, {"protections": protections})
                os._exit(0)
            # By number: what is decoded is what was hashed, whatever becomes of its name.
            path = f"/proc/self/fd/{file}"
            if header.get("report") is not None:
                send_header(channel, {"report": read(path, limits, **header["report"])})
                os._exit(0)
            options: dict[str, Any] = {}
            if header["readers"]:
                options["readers"] = tuple(header["readers"])
            send_media(channel, read(path, request, limits, **options))
        except BrokenPipeError:
            pass  # the parent gave up
        except BaseException as error:  # whatever a decoder throws must become an answer
            try:
                send_header(channel, {"error": pack_error(error)})
            except MemoryError:
                os.write(channel.fileno(), _OUT_OF_MEMORY)
        os._exit(0)

    def _confine(self, file: int | None) -> dict[str, bool]:
        """What the kernel granted, by name.

        Raises: UnreadableFile where Landlock works, but not with this file.
        """
        own_file_only = landlock.forbid_other_reads(file, self._readable)
        if self._protections["no_file_changes"] and not own_file_only:
            raise UnreadableFile(
                "the file cannot be read in confinement",
                expected="a file on a disk or a network share",
                remedy="Copy it to a disk.",
            )
        return {
            **self._protections,
            "no_other_file_reads": own_file_only,
            "no_dangerous_system_calls": confinement.forbid_system_calls(),
        }

    def _abandon(self, child: _Child) -> None:
        if self._children.pop(child.pid, None):
            os.kill(child.pid, signal.SIGKILL)
            child.events.close()

    def _bury(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is not None:
                cpu_seconds = usage.ru_utime + usage.ru_stime
                trailer = {
                    "status": os.waitstatus_to_exitcode(status),
                    "max_rss_bytes": usage.ru_maxrss * 1024,
                    "cpu_seconds": cpu_seconds,
                }
                self._kill_orphans()
                with contextlib.suppress(OSError):
                    send_header(child.events, trailer)
                child.events.close()
            else:
                self._kill_orphans()

    def _kill_orphans(self) -> None:
        """Kill processes that a child started and that outlived it."""
        listing = Path(f"/proc/self/task/{os.getpid()}/children")
        try:
            pids = {int(pid) for pid in listing.read_text().split()}
        except OSError:
            return
        for pid in pids - set(self._children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _named(reference: str) -> Callable[..., Any]:
    module, _, name = reference.partition(":")
    read: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return read


_MEMORY_TEXT = b'{"error":{"untyped":"memory"}}'
# Made before the fork: a child without memory cannot build even this.
_OUT_OF_MEMORY = len(_MEMORY_TEXT).to_bytes(4, "big") + _MEMORY_TEXT


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    with contextlib.suppress(Disconnected, BrokenPipeError, KeyboardInterrupt):
        Zygote(control, int(sys.argv[2])).serve()


if __name__ == "__main__":
    main()
