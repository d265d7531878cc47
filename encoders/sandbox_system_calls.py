"""Which system calls a decoder child may make, as a seccomp filter.

Sources: seccomp(2), the kernel's unistd.h of each machine, BPF in linux/filter.h.
"""

import os
import platform
import struct

_X86_64, _AARCH64 = "x86_64", "aarch64"
_AUDIT_ARCHITECTURES = {_X86_64: 0xC000003E, _AARCH64: 0xC00000B7}

NEWEST = 450
"""Calls with a higher number answer "unknown", which libraries expect of an older kernel."""

# Name, number on x86_64, number on aarch64; - where the machine has no such call.
_TABLE = """
clone 56 220, clone3 435 435, tgkill 234 131, prlimit64 302 261, prctl 157 167, ioctl 16 29
open 2 -, openat 257 56, openat2 437 437
fork 57 -, vfork 58 -, execve 59 221, execveat 322 281, ptrace 101 117
process_vm_readv 310 270, process_vm_writev 311 271, process_madvise 440 440, kcmp 312 272
pidfd_open 434 434, pidfd_getfd 438 438, pidfd_send_signal 424 424, process_mrelease 448 448
kill 62 129, tkill 200 130, rt_sigqueueinfo 129 138, rt_tgsigqueueinfo 297 240
setns 308 268, unshare 272 97, socket 41 198, socketpair 53 199, connect 42 203, bind 49 200
bpf 321 280, perf_event_open 298 241, userfaultfd 323 282, memfd_secret 447 447
add_key 248 217, request_key 249 218, keyctl 250 219
init_module 175 105, finit_module 313 273, delete_module 176 106
kexec_load 246 104, kexec_file_load 320 294
io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427, io_setup 206 0
fanotify_init 300 262, inotify_init 253 -, inotify_init1 294 26
quotactl 179 60, quotactl_fd 443 443, swapon 167 224, swapoff 168 225, reboot 169 142
sethostname 170 161, setdomainname 171 162, settimeofday 164 170, clock_settime 227 112
clock_adjtime 305 266, adjtimex 159 171, acct 163 89, iopl 172 -, ioperm 173 -, syslog 103 116
vhangup 153 58, personality 135 92, modify_ldt 154 -, lookup_dcookie 212 18
name_to_handle_at 303 264, open_by_handle_at 304 265
mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, fsopen 430 430, fsconfig 431 431
fsmount 432 432, fspick 433 433, open_tree 428 428, move_mount 429 429, mount_setattr 442 442
chmod 90 -, fchmod 91 52, fchmodat 268 53, chown 92 -, fchown 93 55, lchown 94 -, fchownat 260 54
utime 132 -, utimes 235 -, futimesat 261 -, utimensat 280 88
setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7
removexattr 197 14, lremovexattr 198 15, fremovexattr 199 16
rename 82 -, renameat 264 38, renameat2 316 276, link 86 -, linkat 265 37, symlink 88 -
symlinkat 266 36, unlink 87 -, unlinkat 263 35, mkdir 83 -, mkdirat 258 34, rmdir 84 -
mknod 133 -, mknodat 259 33, truncate 76 45, creat 85 -, flock 73 32
shmget 29 194, semget 64 190, msgget 68 186, mq_open 240 180
setpriority 141 140, sched_setscheduler 144 119, sched_setparam 142 118, sched_setattr 314 274
ioprio_set 251 30, setrlimit 160 164
"""

# Judged by their arguments, or answered as unknown because those lie in memory.
_BY_ARGUMENT = frozenset(
    ("clone", "tgkill", "prlimit64", "prctl", "ioctl", "open", "openat", "clone3", "openat2")
)
_CLONE_THREAD = 0x00010000
_PR_SET_PDEATHSIG = 1
# O_WRONLY, O_RDWR, O_CREAT and O_TRUNC have the same bits on both machines.
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
# Those that the C library and Python use: TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX,
# FIOCLEX. Others reach drivers, or set a file's attributes through a reading descriptor.
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)

_ALLOW, _KILL, _REFUSE, _UNKNOWN = 0x7FFF0000, 0x80000000, 0x00050000 | 1, 0x00050000 | 38
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# struct seccomp_data: nr at 0, arch at 4, arguments from 16, eight bytes each.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

Line = tuple[int, int, int, int]


def system_calls(machine: str) -> dict[str, int]:
    """Numbers by name on `machine`; empty where the machine has no table here."""
    if machine not in _AUDIT_ARCHITECTURES:
        return {}
    column = 1 if machine == _X86_64 else 2
    rows = [row.split() for row in _TABLE.replace("\n", ",").split(",") if row.strip()]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


def filter_program() -> bytes | None:
    """The filter for this process, as struct sock_filter after another; None without a table.

    Threads stay allowed, for this process and its own; whatever makes a process, a socket, a
    file or a change to one is refused with EPERM.
    """
    machine = platform.machine()
    numbers = system_calls(machine)
    if not numbers:
        return None
    lines: list[Line] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _AUDIT_ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, 0x40000000),  # the x32 numbering would pass every test below
        (_RETURN, 0, 0, _REFUSE),
        (_AT_LEAST, 0, 1, NEWEST + 1),
        (_RETURN, 0, 0, _UNKNOWN),
    ]
    for name in ("clone3", "openat2"):  # the C library falls back on clone and openat
        lines += [(_EQUAL, 0, 1, numbers[name]), (_RETURN, 0, 0, _UNKNOWN)]
    lines += _when(numbers["clone"], _if_any_bit(0, _CLONE_THREAD, _ALLOW, _REFUSE))
    # abort() signals its own process this way.
    lines += _when(numbers["tgkill"], _if_equal(0, (os.getpid(),), _ALLOW, _REFUSE))
    lines += _when(numbers["prctl"], _if_equal(0, (_PR_SET_PDEATHSIG,), _REFUSE, _ALLOW))
    lines += _when(numbers["ioctl"], _if_equal(1, _IOCTLS, _ALLOW, _REFUSE))
    lines += _when(numbers["openat"], _if_any_bit(2, _WRITING, _REFUSE, _ALLOW))
    if "open" in numbers:
        lines += _when(numbers["open"], _if_any_bit(1, _WRITING, _REFUSE, _ALLOW))
    lines += _when(numbers["prlimit64"], _IF_READING_A_LIMIT)
    for name, number in numbers.items():
        if name not in _BY_ARGUMENT:
            lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _when(number: int, block: list[Line]) -> list[Line]:
    """`block`, which returns on every path, for one call only."""
    return [(_EQUAL, 0, len(block), number), *block]


def _if_any_bit(argument: int, mask: int, then: int, otherwise: int) -> list[Line]:
    return [
        (_LOAD, 0, 0, _ARGUMENTS + 8 * argument),
        (_ANY_BIT, 0, 1, mask),
        (_RETURN, 0, 0, then),
        (_RETURN, 0, 0, otherwise),
    ]


def _if_equal(argument: int, values: tuple[int, ...], then: int, otherwise: int) -> list[Line]:
    lines: list[Line] = [(_LOAD, 0, 0, _ARGUMENTS + 8 * argument)]
    for value in values:
        lines += [(_EQUAL, 0, 1, value), (_RETURN, 0, 0, then)]
    return [*lines, (_RETURN, 0, 0, otherwise)]


# Reading passes no new value: both halves of the third argument are zero.
_IF_READING_A_LIMIT: list[Line] = [
    (_LOAD, 0, 0, _ARGUMENTS + 8 * 2),
    (_EQUAL, 0, 3, 0),
    (_LOAD, 0, 0, _ARGUMENTS + 8 * 2 + 4),
    (_EQUAL, 0, 1, 0),
    (_RETURN, 0, 0, _ALLOW),
    (_RETURN, 0, 0, _REFUSE),
]
