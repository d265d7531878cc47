"""Zygotes and children that are killed, fork, or outlive their reader or their parent."""

import dataclasses
import hashlib
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from encoders.errors import (
    TransientError,
    TypedError,
)
from encoders.sandbox import Sandbox
from tests.faults.sandboxes import (
    HERE,
    LIMITS,
    PATIENCE_SECONDS,
    READER,
    REQUEST,
    MakeFile,
    decoders,
    require_gone,
    require_no_decoders,
    wait_for,
    zygote_pid,
    zygotes,
)

pytestmark = pytest.mark.usefixtures("reader_is_importable")


def test_orphans_are_killed_where_the_kernel_lets_a_decoder_fork(
    order: MakeFile, known: set[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A machine that the seccomp filter has no table for.
    (tmp_path / "sitecustomize.py").write_text(
        "import platform\nplatform.machine = lambda: 'other'\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{HERE}")
    assert not Sandbox.protections()["no_dangerous_system_calls"]
    with Sandbox(limits=LIMITS, reader=READER, fallback=()) as sandbox:
        assert sandbox.read(order("fork"), REQUEST).frames is not None
        require_no_decoders()
    require_no_decoders(known)


def test_file_changed_in_mid_read_is_transient(
    order: MakeFile, known: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("encoders.sandbox.FIRST_ATTEMPT_SHARE", 5.0 / LIMITS.wall_seconds)
    with Sandbox(limits=LIMITS, reader=READER) as sandbox, ThreadPoolExecutor() as pool:
        sandbox.read(order("well", "other.mp4"), REQUEST)
        path = order("sleep first")
        reading = pool.submit(sandbox.read, path, REQUEST)
        wait_for(lambda: decoders(zygote_pid(known)))  # so it is hashed
        path.write_text("well changed")
        with pytest.raises(TransientError, match="changed"):
            reading.result()


def test_killed_zygote_is_replaced_in_mid_read(order: MakeFile, known: set[int]) -> None:
    sandbox = Sandbox(limits=LIMITS, reader=READER, fallback=())
    with sandbox, ThreadPoolExecutor() as pool:
        sandbox.read(order("well"), REQUEST)
        reading = pool.submit(sandbox.read, order("sleep", "slow.mp4"), REQUEST)
        first = zygote_pid(known)
        (child,) = wait_for(lambda: decoders(first))
        os.kill(first, signal.SIGKILL)
        require_gone([child.pid])

        def replaced() -> int:
            others = {zygote.pid for zygote in zygotes()} - known - {first}
            return next((pid for pid in others if decoders(pid)), 0)

        second = wait_for(replaced)  # the same read, begun again
        (child,) = wait_for(lambda: decoders(second))
        os.kill(second, signal.SIGKILL)
        with pytest.raises(TransientError, match="lost twice"):
            reading.result()
        require_gone([child.pid])
        assert sandbox.read(order("well"), REQUEST).frames is not None
    require_no_decoders(known)


def test_threads_share_a_sandbox(order: MakeFile, known: set[int]) -> None:
    limits = dataclasses.replace(LIMITS, cpu_seconds=1)
    with Sandbox(limits=limits, reader=READER, fallback=()) as sandbox:
        paths = [order(text, f"{i}.mp4") for i, text in enumerate(["well", "burn", "abort"] * 3)]

        def outcome(path: Path) -> str:
            try:
                return str(sandbox.read(path, REQUEST).metadata.sha256)
            except TypedError as error:
                return error.code

        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(outcome, paths))
        well = hashlib.sha256(b"well").hexdigest()
        assert outcomes == [well, "decode_timeout", "decoder_crashed"] * 3
        assert zygote_pid(known)
    require_no_decoders(known)


def test_close_ends_a_read_and_leaves_nothing(order: MakeFile, known: set[int]) -> None:
    sandbox = Sandbox(limits=LIMITS, reader=READER, fallback=())
    sandbox.read(order("well", "other.mp4"), REQUEST)
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(sandbox.read, order("sleep"), REQUEST)
        wait_for(lambda: decoders(zygote_pid(known)))
        sandbox.close()
        with pytest.raises(RuntimeError, match="closed"):
            reading.result(PATIENCE_SECONDS)
    require_no_decoders(known)


def test_killed_parent_leaves_neither_zygote_nor_child(order: MakeFile) -> None:
    code = (
        "import sys; from encoders.sandbox import *; from encoders.sampling import Uniform\n"
        f"sandbox = Sandbox(reader={READER!r}, fallback=())\n"
        "sandbox.read(sys.argv[1], ReadRequest(Uniform()))"
    )
    command = [sys.executable, "-c", code, str(order("sleep"))]
    with subprocess.Popen(command, cwd=HERE.parent.parent) as parent:
        begun = psutil.Process(parent.pid)
        wait_for(lambda: len(begun.children(recursive=True)) >= 2)
        family = begun.children(recursive=True)
        parent.kill()
    require_gone([process.pid for process in family])


def test_secrets_of_the_parent_stay_with_it(
    order: MakeFile, known: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODERATION_DATABASE_PASSWORD", "hunter2")
    with Sandbox(limits=LIMITS, reader=READER) as sandbox:
        sandbox.read(order("well"), REQUEST)
        assert "MODERATION_DATABASE_PASSWORD" not in psutil.Process(zygote_pid(known)).environ()
