"""What Linux takes away from a decoder child: privileges, processes, the network, resources.

Each function says whether the kernel agreed; the sandbox works without any one of
them (limits and the wall clock always hold) and reports which are active.
Files: encoders.sandbox_landlock. System calls: encoders.sandbox_system_calls.
Sources: seccomp(2), prctl(2), unshare(2), capabilities(7).
"""

import ctypes
import os
import resource
import signal
import struct

from encoders.base import ReadLimits
from encoders.sandbox_system_calls import filter_program

OPEN_FILES_MAX = 128

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 22, 36, 38
_SECCOMP_MODE_FILTER = 2
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_READ_SEARCH = 1 << 2

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int, pointer: int = 0) -> bool:
    arguments = (ctypes.c_ulong(value), ctypes.c_ulong(pointer), ctypes.c_ulong(0))
    return bool(_libc.prctl(option, *arguments, ctypes.c_ulong(0)) == 0)


def adopt_orphans() -> bool:
    """Become the parent of any process that a child leaves behind."""
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def forbid_new_privileges() -> bool:
    """No set-user-ID gain, for this process and all it starts."""
    return _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def die_with_parent(parent_pid: int) -> bool:
    """Be killed when the parent dies, also if it died before this call."""
    agreed = _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(1)
    return agreed


def leave_network() -> bool:
    """Move to an empty network namespace; needs one thread, and privilege or user namespaces.

    The privileged form comes first: a user namespace would cost a privileged worker the
    right to read other users' files.
    """
    return bool(
        _libc.unshare(_CLONE_NEWNET) == 0 or _libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0
    )


def drop_capabilities() -> bool:
    """Keep no privilege but reading what this process could read before (capset(2)).

    A worker that runs as root must still open other users' files; with more, its decoders
    could look into every process, Landlock or not.
    """
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    held = ctypes.create_string_buffer(24)  # twice: effective, permitted, inheritable
    if _libc.capget(header, held) != 0:
        return False
    kept = struct.unpack_from("=I", held, 4)[0] & _CAP_DAC_READ_SEARCH
    return bool(_libc.capset(header, struct.pack("=6I", kept, kept, 0, 0, 0, 0)) == 0)


def set_resource_limits(limits: ReadLimits) -> None:
    """Address space, CPU time, open files; no writing to files and no core dumps."""
    cpu = max(1, limits.cpu_seconds)
    for kind, soft, hard in (
        (resource.RLIMIT_CPU, cpu, cpu + 1),
        (resource.RLIMIT_AS, limits.memory_bytes, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES_MAX, OPEN_FILES_MAX),
    ):
        ceiling = resource.getrlimit(kind)[1]
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        resource.setrlimit(kind, (soft, hard))


def forbid_system_calls() -> bool:
    """Seccomp: no new process, socket or file, no change to one, no signal, no higher limit.

    Call it last in the child; it cannot be undone.
    """
    program = filter_program()
    if program is None:
        return False
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(
        struct.pack("@HP", len(program) // 8, ctypes.addressof(code)), struct.calcsize("@HP")
    )
    return _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(header))
