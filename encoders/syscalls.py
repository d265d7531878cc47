"""Takes away from the calling process what decoding does not need, through Linux itself.

The filter is a classic BPF program for seccomp (Linux, Documentation/userspace-api/
seccomp_filter.rst): a deny list, since decoders, numpy and the C library use many calls.
"""

import ctypes
import os
import platform
import struct

_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_THREAD = 0x10000000, 0x40000000, 0x00010000
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_EPERM, _ENOSYS = 1, 38
_LOAD, _JUMP_EQUAL, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_OFFSET, _ARCHITECTURE_OFFSET, _ARGUMENTS_OFFSET = 0, 4, 16
# O_WRONLY, O_RDWR, O_CREAT and O_TRUNC: anything but reading what exists.
_WRITING = 0o1 | 0o2 | 0o100 | 0o1000

# audit architecture, clone, clone3, openat, openat2, tgkill, and the calls refused outright:
# sockets, programs, other processes, and changes to the file system.
_TABLES: dict[str, tuple[int, int, int, int, int, int, tuple[int, ...]]] = {
    "x86_64": (
        0xC000003E,
        56,
        435,
        257,
        437,
        234,
        (
            *(41, 42, 43, 49, 50, 53, 288),  # socket connect accept bind listen socketpair accept4
            *(57, 58, 59, 322),  # fork vfork execve execveat
            *(62, 129, 200, 297, 424),  # kill rt_sigqueueinfo tkill rt_tgsigqueueinfo pidfd_send
            *(101, 310, 311, 438),  # ptrace process_vm_readv process_vm_writev pidfd_getfd
            *(76, 77, 82, 83, 84, 85, 86, 87, 88),  # truncate ftruncate rename..symlink
            *(90, 91, 92, 93, 94, 258, 259, 260, 263, 264, 265, 266, 268, 316),  # chmod, *at
            *(155, 161, 165, 166, 272, 308, 321, 425, 298),  # roots, mounts, bpf, io_uring, perf
        ),
    ),
    "aarch64": (
        0xC00000B7,
        220,
        435,
        56,
        437,
        131,
        (
            *(198, 199, 200, 201, 202, 203, 242),
            *(221, 281),
            *(129, 130, 138, 240, 424),
            *(117, 270, 271, 438),
            *(45, 46, 33, 34, 35, 36, 37, 38, 276),
            *(52, 53, 54, 55),
            *(39, 40, 41, 51, 97, 268, 280, 425, 241),
        ),
    ),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def isolate_network(libc: ctypes.CDLL) -> bool:
    """Move into an empty network namespace; False where the system does not let us.

    Root keeps its user namespace, in which it may read other users' files.
    """
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWNET | _CLONE_NEWUSER
    return bool(libc.unshare(flags) == 0)


def forbid_side_effects(libc: ctypes.CDLL) -> bool:
    """No sockets, programs, new processes, signals to others, or writes to files, from now on.

    Needs no_new_privileges. False where the kernel or the processor is not covered.
    """
    table = _TABLES.get(platform.machine())
    if table is None:
        return False
    code = _assemble(*table)
    program = _Program(len(code) // 8, code)
    result = libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)
    return bool(result == 0)


def _instruction(code: int, if_true: int, if_false: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _assemble(
    architecture: int,
    clone: int,
    clone3: int,
    openat: int,
    openat2: int,
    tgkill: int,
    refused: tuple[int, ...],
) -> bytes:
    deny = _instruction(_RETURN, 0, 0, _ERRNO | _EPERM)
    allow = _instruction(_RETURN, 0, 0, _ALLOW)
    lines = [
        _instruction(_LOAD, 0, 0, _ARCHITECTURE_OFFSET),
        _instruction(_JUMP_EQUAL, 1, 0, architecture),
        _instruction(_RETURN, 0, 0, _KILL),
        _instruction(_LOAD, 0, 0, _NUMBER_OFFSET),
    ]
    for number in refused:
        lines += [_instruction(_JUMP_EQUAL, 0, 1, number), deny]
    # The C library falls back to the older calls, whose flags a filter can read.
    for number in (clone3, openat2):
        lines += [
            _instruction(_JUMP_EQUAL, 0, 1, number),
            _instruction(_RETURN, 0, 0, _ERRNO | _ENOSYS),
        ]
    lines += [
        _instruction(_JUMP_EQUAL, 0, 4, clone),
        _instruction(_LOAD, 0, 0, _ARGUMENTS_OFFSET),
        _instruction(_JUMP_ANY_BIT, 0, 1, _CLONE_THREAD),
        allow,
        deny,
        _instruction(_JUMP_EQUAL, 0, 4, openat),
        _instruction(_LOAD, 0, 0, _ARGUMENTS_OFFSET + 2 * 8),
        _instruction(_JUMP_ANY_BIT, 0, 1, _WRITING),
        deny,
        allow,
        _instruction(_JUMP_EQUAL, 0, 4, tgkill),  # abort() signals its own process
        _instruction(_LOAD, 0, 0, _ARGUMENTS_OFFSET),
        _instruction(_JUMP_EQUAL, 1, 0, os.getpid()),
        deny,
        allow,
    ]
    if platform.machine() == "x86_64":
        lines += [
            _instruction(_JUMP_EQUAL, 0, 4, 2),  # open
            _instruction(_LOAD, 0, 0, _ARGUMENTS_OFFSET + 8),
            _instruction(_JUMP_ANY_BIT, 0, 1, _WRITING),
            deny,
            allow,
            # The x32 interface numbers its calls from 2^30: none of the checks above sees them.
            _instruction(0x35, 0, 1, 0x40000000),
            deny,
        ]
    return b"".join([*lines, allow])
