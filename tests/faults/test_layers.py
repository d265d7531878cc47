"""Each layer of the sandbox by itself: what it refuses alone, and that nothing else would.

The first row has no layer at all, so that every refusal below it is that layer's own.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from encoders.base import ReadLimits, ReadRequest
from encoders.errors import TypedError
from encoders.sampling import Uniform
from encoders.sandbox import Sandbox
from encoders.sandbox_errors import ChildExit
from tests.media_factory import ffmpeg
from tests.media_patches import with_picture_size

HERE = Path(__file__).resolve().parent
# Less address space than the 600 MiB that the reader asks for.
LIMITS = ReadLimits(memory_bytes=700 * 2**20, cpu_seconds=30, wall_seconds=120.0)

# Layer, and the functions that are that layer: each says whether the kernel agreed.
LAYERS = {
    "resource limits": ("confinement.set_resource_limits",),
    "system calls": ("confinement.forbid_system_calls",),
    "network namespace": ("confinement.leave_network",),
    "landlock": ("landlock.forbid_file_changes", "landlock.forbid_other_reads"),
}
# What each refuses without the help of another, with the kernel's own word for it.
REFUSED: dict[str, dict[str, set[str]]] = {
    "none": {},
    "resource limits": {
        "allocate": {"ENOMEM"},
        "open many files": {"EMFILE"},
        "write": {"EFBIG"},
    },
    "system calls": {
        "write": {"EPERM"},
        "remove": {"EPERM"},
        "stream": {"EPERM"},
        "datagram": {"EPERM"},
        "fork": {"EPERM"},
        "execute": {"EPERM"},
        "signal": {"EPERM"},
    },
    "network namespace": {
        "stream": {"ENETUNREACH", "ECONNREFUSED"},
        "datagram": {"ENETUNREACH", "ECONNREFUSED"},
    },
    "landlock": {
        "write": {"EACCES"},
        "read": {"EACCES"},
        "remove": {"EACCES"},
        "execute": {"EACCES"},
    },
}
# Only later kernels have these: TCP since 6.7, signals since 6.12.
BY_LATER_LANDLOCK = {"stream": "EACCES", "signal": "EPERM"}
ASKED = {"no_file_changes": "landlock", "no_network": "network namespace"}


@pytest.fixture(scope="module")
def granted() -> dict[str, bool]:
    return Sandbox.protections()


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[dict[str, Any]]:
    folder = tmp_path / "private"
    folder.mkdir()
    for name in ("secret", "spare"):
        (folder / name).write_text("yours")
    with ExitStack() as stack:
        streams = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        datagrams = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        datagrams.bind(("127.0.0.1", 0))
        yield {
            "folder": str(folder),
            "secret": str(folder / "secret"),
            "spare": str(folder / "spare"),
            "parent": os.getpid(),
            "port": streams.getsockname()[1],
            "datagrams": datagrams.getsockname()[1],
        }


def without(layers: set[str], folder: Path) -> str:
    """A search path on which the zygote finds word to leave out these layers."""
    lines = [
        "from encoders import sandbox_confinement as confinement, sandbox_landlock as landlock"
    ]
    lines += [f"{name} = lambda *_: False" for layer in layers for name in LAYERS[layer]]
    (folder / "sitecustomize.py").write_text("\n".join(lines) + "\n")
    return f"{folder}:{HERE}"


@pytest.mark.parametrize("layer", REFUSED)
def test_a_layer_alone_refuses_what_it_is_there_for(
    layer: str,
    facts: dict[str, Any],
    granted: dict[str, bool],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if layer == "system calls" and not granted["no_dangerous_system_calls"]:
        pytest.skip("this machine has no seccomp filter")
    if any(layer == by and not granted[name] for name, by in ASKED.items()):
        pytest.skip(f"this kernel grants no {layer}")
    monkeypatch.setenv("PYTHONPATH", without(set(LAYERS) - {layer}, tmp_path))
    order = tmp_path / "order.mp4"
    order.write_text(json.dumps(facts))
    with Sandbox(reader="escaping_reader:read", limits=LIMITS, fallback=()) as sandbox:
        notes = sandbox.read(order, ReadRequest(Uniform())).metadata.notes
    found = dict(note.split(": ") for note in notes)
    refused = {name: outcome for name, outcome in found.items() if outcome != "done"}
    if layer == "landlock":
        for name, outcome in BY_LATER_LANDLOCK.items():
            assert refused.pop(name, outcome) == outcome
    assert refused.keys() == REFUSED[layer].keys()
    assert all(outcome in REFUSED[layer][name] for name, outcome in refused.items())


@pytest.fixture
def lying_film(tmp_path: Path) -> Path:
    """H.264 of 160 x 120 whose parameter set claims 8,000 x 8,000."""
    path = tmp_path / "film.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc2=s=160x120:r=10:d=0.2"]
    ffmpeg(*picture, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", str(path))
    path.write_bytes(with_picture_size(path.read_bytes(), 500))
    return path


def test_what_is_really_decoded_is_bounded_by_pixels_and_by_address_space(
    lying_film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Peak memory under the guard on pixels, under address space alone, and under neither."""
    unguarded = ReadLimits(pixels_max=10**9, memory_bytes=650 * 2**20, wall_seconds=120.0)
    peaks_bytes = []
    for limits, left_out in (
        (ReadLimits(), set()),
        (unguarded, set()),
        (unguarded, {"resource limits"}),
    ):
        monkeypatch.setenv("PYTHONPATH", without(left_out, tmp_path))
        exits: list[ChildExit] = []
        with (
            Sandbox(limits=limits, fallback=(), on_exit=exits.append) as sandbox,
            suppress(TypedError),  # which one is for tests.faults.test_hostile_files
        ):
            sandbox.read(lying_film, ReadRequest(Uniform(frames_max=1)))
        peaks_bytes.append(max(ended.max_rss_bytes for ended in exits))
    guarded, limited, free = peaks_bytes

    assert guarded < limited <= unguarded.memory_bytes < free
