"""Workers end with the process that began them, even where it is killed."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
PARENT = """
import os, time
from rl.worker_pool import worker_pool

if __name__ == "__main__":
    with worker_pool(2) as pool:
        pids = {pool.submit(os.getpid).result() for _ in range(2)}
        print(*pids, flush=True)
        time.sleep(600)
"""


def test_a_killed_parent_leaves_no_worker(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    command = [sys.executable, script]
    with subprocess.Popen(
        command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        workers = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert workers
        parent.send_signal(signal.SIGKILL)
    gone, left = psutil.wait_procs(workers, timeout=120)
    assert len(gone) == len(workers), left
