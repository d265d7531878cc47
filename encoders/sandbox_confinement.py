"""What Linux takes away from a decoder child: writing, processes, the network.

Each function says whether the kernel agreed; the sandbox works without any one of
them (limits and the wall clock always hold) and reports which are active.
Sources: landlock(7), seccomp(2), prctl(2), unshare(2).
"""

import ctypes
import os
import platform
import resource
import signal
import struct

from encoders.base import ReadLimits

OPEN_FILES_MAX = 128

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 22, 36, 38
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_THREAD = 0x10000000, 0x40000000, 0x00010000
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446
_LANDLOCK_VERSION = 1
# Landlock's rights to change files, by the ABI that brought them: WRITE_FILE, REMOVE_*
# and MAKE_* (1), REFER (2), TRUNCATE (3). Rights that no rule grants are denied.
_LANDLOCK_WRITES_BY_ABI = ((1, 0b1_1111_1111_0010), (2, 1 << 13), (3, 1 << 14))

# Per machine: AUDIT_ARCH, clone, clone3, tgkill, prlimit64, and the calls always refused:
# fork, vfork, execve, execveat, socket, ptrace, kill, tkill, process_vm_readv/writev,
# bpf, perf_event_open, userfaultfd, keys, mounts, namespaces, modules, io_uring,
# pidfd_send_signal, pidfd_getfd, setrlimit.
_SYSTEM_CALLS: dict[str, tuple[int, int, int, int, int, tuple[int, ...]]] = {
    "x86_64": (
        *(0xC000003E, 56, 435, 234, 302),
        (
            57,
            58,
            59,
            322,
            41,
            101,
            62,
            200,
            310,
            311,
            321,
            298,
            323,
            248,
            249,
            250,
            165,
            166,
            155,
            161,
            308,
            272,
            246,
            175,
            313,
            425,
            426,
            427,
            424,
            438,
            160,
        ),
    ),
    "aarch64": (
        *(0xC00000B7, 220, 435, 131, 261),
        (
            221,
            281,
            198,
            117,
            129,
            130,
            270,
            271,
            280,
            241,
            282,
            217,
            218,
            219,
            40,
            39,
            41,
            51,
            268,
            97,
            104,
            105,
            273,
            425,
            426,
            427,
            424,
            438,
            164,
        ),
    ),
}
_ALLOW, _KILL, _REFUSE, _UNKNOWN = 0x7FFF0000, 0x80000000, 0x00050000 | 1, 0x00050000 | 38
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06

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


def forbid_file_changes() -> bool:
    """Landlock: no file may be created, removed, renamed or written; after no_new_privs."""
    abi = _libc.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), _LANDLOCK_VERSION)
    rights = sum(bits for version, bits in _LANDLOCK_WRITES_BY_ABI if abi >= version)
    if rights == 0:
        return False
    attributes = ctypes.create_string_buffer(struct.pack("=Q", rights), 8)
    ruleset = _libc.syscall(_LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return False
    agreed = _libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return bool(agreed)


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


def forbid_processes() -> bool:
    """Seccomp: no new process or program, no socket, no signal to others, no higher limit.

    Threads stay allowed: decoders use them. Call it last in the child; it cannot be undone.
    """
    table = _SYSTEM_CALLS.get(platform.machine())
    if table is None:
        return False
    architecture, clone, clone3, tgkill, prlimit, refused = table
    program: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, 4),  # struct seccomp_data: nr at 0, arch at 4, arguments from 16
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 0, 1, 0x40000000),  # the x32 numbering would pass every test below
        (_RETURN, 0, 0, _REFUSE),
        (_EQUAL, 0, 1, clone3),  # its flags lie in memory: make libc fall back to clone
        (_RETURN, 0, 0, _UNKNOWN),
        (_EQUAL, 0, 4, clone),
        (_LOAD, 0, 0, 16),
        (_ANY_BIT, 0, 1, _CLONE_THREAD),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
        (_EQUAL, 0, 4, tgkill),  # abort() signals itself this way
        (_LOAD, 0, 0, 16),
        (_EQUAL, 0, 1, os.getpid()),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
        (_EQUAL, 0, 6, prlimit),  # reading a limit passes no new value (a null third argument)
        (_LOAD, 0, 0, 32),
        (_EQUAL, 0, 3, 0),
        (_LOAD, 0, 0, 36),
        (_EQUAL, 0, 1, 0),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    for number in refused:
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    program.append((_RETURN, 0, 0, _ALLOW))
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    header = ctypes.create_string_buffer(
        struct.pack("@HP", len(program), ctypes.addressof(code)), struct.calcsize("@HP")
    )
    return _prctl(_PR_SET_SECCOMP, 2, ctypes.addressof(header))
