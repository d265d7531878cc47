"""`moderation score` as people run it: a folder of odd and broken files, and what comes out."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from moderation.result_files import read_rows
from moderation.results import unescape_path
from tests.media_factory import write_broken, write_good
from tests.processes import children

pytestmark = pytest.mark.weights

ROOT = Path(__file__).parents[2]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "moderation", *map(str, arguments)]


def moderation(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )


FILES = 200


@dataclass(frozen=True)
class Folder:
    """good: names that must be scored. broken: names, each with the codes its error may have."""

    path: Path
    good: frozenset[bytes]
    broken: Mapping[bytes, tuple[str, ...]]


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """`FILES` files, odd but good ones and broken ones."""
    folder = tmp_path_factory.mktemp("uploads")
    good = {os.fsencode(path.name) for path in write_good(folder).values()}
    (folder / "same as photo").write_bytes((folder / "still.jpg").read_bytes())
    good.add(b"same as photo")
    broken: dict[bytes, tuple[str, ...]] = {}
    for name, (path, errors) in write_broken(tmp_path_factory.mktemp("broken")).items():
        if path.is_dir():
            continue  # in a folder it is a folder, and empty
        path.rename(folder / name)
        codes = errors if isinstance(errors, tuple) else (errors,)
        broken[name.encode()] = tuple(error.code for error in codes)
    noise = np.random.default_rng(3)
    garbled = b"garbled \xff\xfe.mp4"
    Path(os.fsdecode(os.fsencode(folder) + b"/" + garbled)).write_bytes(noise.bytes(3_000))
    broken[garbled] = ("unsupported_media",)
    for k in range(FILES - len(good) - len(broken)):
        name = f"{k:03d}.{('jpg', 'png', 'webp')[k % 3]}"
        pixels = noise.integers(0, 256, (12, 16, 3), np.uint8)
        Image.fromarray(pixels).resize((160, 120)).save(folder / name)
        good.add(name.encode())
    return Folder(folder, frozenset(good), broken)


def by_name(out: Path) -> dict[bytes, dict[str, Any]]:
    return {os.path.basename(os.fsencode(unescape_path(r["path"]))): r for r in read_rows(out)}  # noqa: PTH119


def test_a_row_for_every_file_and_an_error_for_every_broken_one(
    uploads: Folder, tmp_path: Path
) -> None:
    out = tmp_path / "results.parquet"
    before = children()
    run = moderation("score", uploads.path, "--out", out)
    assert run.returncode == 3, run.stderr
    rows = by_name(out)
    assert len(rows) == FILES
    assert len(uploads.broken) >= 20
    assert {name for name, row in rows.items() if row["status"] == "scored"} == uploads.good
    for name, codes in uploads.broken.items():
        assert rows[name]["error_code"] in codes, name
        assert rows[name]["error_found"]
        assert rows[name]["error_remedy"]
    assert rows[b"voice.mp4"]["modality"] == "audio"
    assert rows[b"still.jpg"]["score"] == rows[b"same as photo"]["score"]
    assert rows[b"still.jpg"]["duplicate_of"].endswith("same as photo")
    for name in uploads.good:
        digits = [rows[name][f"p{k}"] for k in range(10)]
        expected = sum(k * p for k, p in enumerate(digits))
        assert expected == pytest.approx(rows[name]["score"], abs=1e-4)
    paths = [os.fsencode(unescape_path(row["path"])) for row in read_rows(out)]
    assert paths == sorted(paths)
    assert children() <= before

    # A second run with --resume has nothing to do.
    again = moderation("score", uploads.path, "--out", out, "--resume")
    assert again.returncode == 3
    assert "kept from before" in again.stdout
    assert by_name(out) == rows


def test_an_interrupted_run_saves_its_rows_and_leaves_no_process(
    tmp_path: Path,
) -> None:
    out = tmp_path / "results.csv"
    # More than two batches: the first rows come while most files are still to be read.
    noise = np.random.default_rng(0)
    files = [tmp_path / f"{k:02d}.png" for k in range(48)]
    for file in files:
        Image.fromarray(noise.integers(0, 256, (96, 96, 3), np.uint8)).save(file)
    run = subprocess.Popen(
        command("score", *files, "--json", "--out", out),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout
    first = json.loads(run.stdout.readline())
    children = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=60)
    rows = read_rows(out)
    assert rows[0]["path"] == first["path"]
    assert 0 < len(rows) < len(files)
    assert run.returncode == 130
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


def test_inspect_writes_its_report(uploads: Folder, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    run = moderation(
        "inspect", uploads.path / "clip.mp4", "--out", report, "--json", "--mode", "fast"
    )
    assert run.returncode == 0, run.stderr
    shown = json.loads(run.stdout)
    assert {stream["kind"] for stream in shown["observed"]} == {"video", "audio"}
    html = report.read_text()
    assert f"{shown['score']:.2f}" in html
    assert all(signal["name"] in html for signal in shown["signals"])
    assert shown["signals"]
    refused = moderation("inspect", uploads.path / "text.mp4", "--out", report)
    assert refused.returncode == 3
    assert len(refused.stderr.splitlines()) == 1
    assert "unsupported_media" in refused.stderr
