"""What code that took over a decoder child can still do: tried for real, in a real child."""

import json
import os
import platform
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from encoders.base import ReadLimits, ReadRequest
from encoders.sampling import Uniform
from encoders.sandbox import Sandbox
from encoders.sandbox_system_calls import system_calls

HERE = Path(__file__).resolve().parent
REFUSED = {"EPERM", "EACCES"}
# Which of them only Landlock refuses; the rest are refused by their system call as well.
BY_LANDLOCK = {
    *("read a file", "read a file by a link", "list a folder", "read the environment"),
    *("read the command line", "read the memory", "list the descriptors"),
}
# Answered as by a kernel that has no such call; libraries then take an older one.
UNKNOWN = {"clone3", "openat2"}
# Allowed with some arguments; with the wrong ones here, the kernel's own error comes back.
BY_ARGUMENT = {"clone", "prctl", "prlimit64", "tgkill", "ioctl", "open", "openat"}
# Would do something to the test's own session, should the filter not hold.
NOT_TRIED = {"fork", "vfork", "vhangup"}


@pytest.fixture(scope="module")
def escaping() -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(HERE))
        with Sandbox(reader="escaping_reader:read", limits=ReadLimits(), fallback=()) as sandbox:
            yield sandbox


@pytest.fixture(scope="module")
def granted() -> dict[str, bool]:
    return Sandbox.protections()


def outcomes(sandbox: Sandbox, path: Path, facts: dict[str, Any]) -> dict[str, str]:
    path.write_text(json.dumps(facts))
    notes = sandbox.read(path, ReadRequest(Uniform())).metadata.notes
    return dict(note.split(": ") for note in notes)


def test_an_escape_is_refused(escaping: Sandbox, granted: dict[str, bool], tmp_path: Path) -> None:
    if not (granted["no_dangerous_system_calls"] or granted["no_other_file_reads"]):
        pytest.skip("this kernel grants neither seccomp nor Landlock")
    folder = tmp_path / "private"
    folder.mkdir()
    secret, media, link = folder / "secret", tmp_path / "order.mp4", tmp_path / "link"
    secret.write_text("yours")
    secret.chmod(0o600)
    link.symlink_to(secret)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as local,
    ):
        local.bind(str(tmp_path / "socket"))
        local.listen()
        facts = {
            "secret": str(secret),
            "link": str(link),
            "folder": str(folder),
            "media": str(media),
            "parent": os.getpid(),
            "port": server.getsockname()[1],
            "socket": str(tmp_path / "socket"),
        }
        found = outcomes(escaping, media, facts)
    if not granted["no_other_file_reads"]:
        found = {name: outcome for name, outcome in found.items() if name not in BY_LANDLOCK}
    if not granted["no_dangerous_system_calls"]:
        found = {name: outcome for name, outcome in found.items() if name in BY_LANDLOCK}
    assert found
    assert not {name: outcome for name, outcome in found.items() if outcome not in REFUSED}
    assert secret.read_text() == "yours"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == ["secret"]


def test_landlock_is_told_where_the_kernel_has_it(granted: dict[str, bool]) -> None:
    """`doctor` shows these names; a confinement that silently stopped working shows here."""
    if not granted["no_file_changes"]:
        pytest.skip("this kernel has no Landlock")
    assert granted["no_other_file_reads"]


def test_every_listed_system_call_is_refused(
    escaping: Sandbox, granted: dict[str, bool], tmp_path: Path
) -> None:
    if not granted["no_dangerous_system_calls"]:
        pytest.skip("this machine has no seccomp filter")
    listed = set(system_calls(platform.machine())) - BY_ARGUMENT - NOT_TRIED
    found = outcomes(escaping, tmp_path / "order.mp4", {"calls": sorted(listed)})
    assert {name for name, outcome in found.items() if outcome == "ENOSYS"} == UNKNOWN
    assert {name: found[name] for name in listed - UNKNOWN if found[name] != "EPERM"} == {}


def test_a_kernel_without_landlock_still_reads_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "from encoders import sandbox_landlock\n"
        "sandbox_landlock._CREATE_RULESET = 10_000  # no kernel has such a call\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{HERE}")
    granted = Sandbox.protections()
    assert not granted["no_file_changes"]
    assert not granted["no_other_file_reads"]
    with Sandbox(reader="escaping_reader:read", fallback=()) as sandbox:
        assert outcomes(sandbox, tmp_path / "order.mp4", {"calls": ["kcmp"]})


@pytest.mark.parametrize(
    ("machine", "header"),
    [
        ("x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        ("aarch64", "/usr/include/asm-generic/unistd.h"),
    ],
)
def test_numbers_are_the_kernels_own(machine: str, header: str) -> None:
    path = Path(header)
    if not path.exists():
        pytest.skip(f"no kernel header {header}")
    words = [line.split() for line in path.read_text().splitlines() if "__NR" in line]
    pairs = [row[1:3] for row in words if row[0] == "#define" and len(row) >= 3]
    known = {
        name.removeprefix("__NR_").removeprefix("__NR3264_"): int(number)
        for name, number in pairs
        if number.isdigit()
    }
    ours = system_calls(machine)
    assert ours == {name: known[name] for name in ours}


def test_a_machine_without_a_table_has_no_filter() -> None:
    assert system_calls("riscv64") == {}
