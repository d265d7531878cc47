"""Landlock: which files a decoder child may reach. Rights that no rule grants are denied.

Source: landlock(7), linux/landlock.h. Every function needs no_new_privs and says whether the
kernel agreed.
"""

import ctypes
import os
import struct
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3

# Rights by the ABI that brought them. To change files: WRITE_FILE, REMOVE_* and MAKE_* (1),
# REFER (2), TRUNCATE (3); for devices: IOCTL_DEV (5).
_WRITES_BY_ABI = ((1, 0b1_1111_1111_0010), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15))
_READS = _EXECUTE | _READ_FILE | _READ_DIR
# TCP by bind and connect (4); abstract sockets and signals beyond the domain (6).
_NETWORK_BY_ABI, _SCOPES_BY_ABI = ((4, 0b11),), ((6, 0b11),)

_libc = ctypes.CDLL(None, use_errno=True)


def forbid_file_changes() -> bool:
    """No file may be created, removed, renamed or written."""
    return _restrict(_bits(_WRITES_BY_ABI), ())


def forbid_other_reads(descriptor: int | None, folders: Iterable[Path]) -> bool:
    """No file may be read but that at `descriptor` and those beneath `folders`.

    Nothing may be executed, nor reached by TCP, and no process outside is to be signalled or
    looked into: its environment least of all. Whether a file exists can still be asked.
    """
    rules: list[tuple[int, int]] = []
    opened: list[int] = []
    try:
        for folder in folders:
            try:
                opened.append(os.open(folder, os.O_PATH | os.O_CLOEXEC))
            except OSError:
                continue  # not on this machine
            rules.append((opened[-1], _READ_FILE | _READ_DIR))
        if descriptor is not None:
            rules.append((descriptor, _READ_FILE))
        return _restrict(_READS, rules, _bits(_NETWORK_BY_ABI), _bits(_SCOPES_BY_ABI))
    finally:
        for number in opened:
            os.close(number)


def library_folders() -> tuple[Path, ...]:
    """Where the interpreter, its packages and shared libraries lie: all that loads lazily."""
    named = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    packages = {path for path in sys.path if Path(path).name.endswith("-packages")}
    system = {"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"}
    paths = {Path(path).resolve() for path in named | packages | system}
    return (*sorted(path for path in paths if path.is_dir()), Path(__file__).resolve().parent)


def _bits(by_abi: tuple[tuple[int, int], ...]) -> int:
    abi = _libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)
    return sum(bits for version, bits in by_abi if abi >= version)


def _restrict(
    rights: int, rules: Iterable[tuple[int, int]], network: int = 0, scopes: int = 0
) -> bool:
    if rights == 0:
        return False
    # Older kernels take a longer structure as long as what they do not know is zero.
    attributes = struct.pack("=QQQ", rights, network, scopes)
    ruleset = _libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return False
    try:
        for descriptor, allowed in rules:
            rule = struct.pack("=Qi", allowed, descriptor)
            if _libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0) != 0:
                return False
        return bool(_libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)
