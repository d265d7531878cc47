"""`moderation score` as people run it: a folder of odd and broken files, and what comes out."""

import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from moderation.result_files import read_rows
from moderation.results import unescape_path

pytestmark = pytest.mark.weights

ROOT = Path(__file__).parents[2]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "moderation", *map(str, arguments)]


def moderation(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )


def ffmpeg(*arguments: object) -> None:
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True, timeout=60
    )


PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=192x144:rate=12:duration=2")
SOUND = ("-f", "lavfi", "-i", "sine=frequency=330:duration=2,volume=0.4,tremolo=f=5")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def write_good(folder: Path) -> set[str]:
    """Odd but good files; returns their names."""
    ffmpeg(*PICTURE, *SOUND, *H264, "-c:a", "aac", folder / "both.mp4")
    ffmpeg(*PICTURE, *H264, folder / "silent.mp4")
    ffmpeg(*SOUND, "-c:a", "aac", folder / "audio only.mp4")
    ffmpeg(*PICTURE, *SOUND, *H264, "-c:a", "libmp3lame", folder / "odd.avi")
    ffmpeg(*SOUND, "-f", "flac", folder / "VOICE.FLAC")
    ffmpeg(*SOUND, "-f", "wav", folder / "no suffix")
    x, y = np.meshgrid(np.arange(160), np.arange(120))
    noise = np.random.default_rng(3).integers(0, 40, (120, 160))
    grey = ((x + y + noise) % 256).astype(np.uint8)
    for name in ("photo.JPG", "picture.png", "picture.webp"):
        Image.fromarray(grey).convert("RGB").save(folder / name)
    (folder / "same as photo").write_bytes((folder / "photo.JPG").read_bytes())
    os.link(folder / "no suffix", os.fsencode(folder / "not text ") + b"\xff.wav")
    return {path.name for path in folder.iterdir()}


def write_broken(folder: Path) -> set[str]:
    """Files that no one can score; returns their names."""
    before = set(os.listdir(folder))  # noqa: PTH208
    whole = (folder / "both.mp4").read_bytes()
    (folder / "truncated.mp4").write_bytes(whole[: len(whole) // 3])
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("This is not a film.\n" * 50)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "up").symlink_to(folder)
    os.mkfifo(folder / "pipe.wav")
    bomb = Image.new("1", (16_000, 16_000))
    bomb.save(folder / "bomb.png", optimize=True)
    with zipfile.ZipFile(folder / "archive.jpg", "w") as archive:
        archive.writestr("a.txt", "a")
    return set(os.listdir(folder)) - before  # noqa: PTH208


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def names(folder: Path) -> tuple[set[str], set[str]]:
    return write_good(folder), write_broken(folder)


def test_a_row_for_every_file_and_an_error_for_every_broken_one(
    folder: Path, names: tuple[set[str], set[str]], tmp_path: Path
) -> None:
    good, broken = names
    out = tmp_path / "results.parquet"
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    run = moderation("score", folder, "--out", out)
    assert run.returncode == 3, run.stderr
    rows = {Path(unescape_path(row["path"])).name: row for row in read_rows(out)}
    assert set(rows) == good | broken
    assert {name for name, row in rows.items() if row["status"] == "scored"} == good
    for name in broken:
        assert rows[name]["error_code"]
        assert rows[name]["error_found"]
        assert rows[name]["error_remedy"]
    assert rows["bomb.png"]["error_code"] == "limit_exceeded"
    assert rows["empty.mp4"]["error_code"] == "empty_file"
    assert rows["audio only.mp4"]["modality"] == "audio"
    assert rows["photo.JPG"]["score"] == rows["same as photo"]["score"]
    assert rows["same as photo"]["duplicate_of"].endswith("photo.JPG")
    for name in good:
        digits = [rows[name][f"p{k}"] for k in range(10)]
        assert sum(k * p for k, p in enumerate(digits)) == pytest.approx(
            rows[name]["score"], abs=1e-4
        )
    names_in_order = [row["path"] for row in read_rows(out)]
    assert names_in_order == sorted(
        names_in_order, key=lambda path: os.fsencode(unescape_path(path))
    )
    after = {child.pid for child in psutil.Process().children(recursive=True)}
    assert after <= before

    # The same bytes give the same score, and a second run with --resume has nothing to do.
    again = moderation("score", folder, "--out", out, "--resume")
    assert again.returncode == 3
    kept = {Path(unescape_path(row["path"])).name: row for row in read_rows(out)}
    assert kept == rows
    fresh = tmp_path / "fresh.jsonl"
    moderation("score", folder, "--out", fresh)
    scores = {Path(unescape_path(row["path"])).name: row["score"] for row in read_rows(fresh)}
    assert scores == {name: row["score"] for name, row in rows.items()}


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


def test_inspect_writes_its_report(
    folder: Path, names: tuple[set[str], set[str]], tmp_path: Path
) -> None:
    assert "both.mp4" in names[0]
    report = tmp_path / "report.html"
    run = moderation("inspect", folder / "both.mp4", "--out", report, "--json", "--mode", "fast")
    assert run.returncode == 0, run.stderr
    shown = json.loads(run.stdout)
    assert {stream["kind"] for stream in shown["observed"]} == {"video", "audio"}
    html = report.read_text()
    assert f"{shown['score']:.2f}" in html
    assert all(signal["name"] in html for signal in shown["signals"])
    assert shown["signals"]
    refused = moderation("inspect", folder / "text.mp4", "--out", report)
    assert refused.returncode == 3
    assert len(refused.stderr.splitlines()) == 1
    assert "unsupported_media" in refused.stderr
