"""`moderation score` with a vision-language judge; settings, plugins and sandbox are real."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from encoders.frames import FramesEncoder
from tests.unit.judge.vision_builders import FAMILIES, write_vision_judge

ROOT = Path(__file__).parents[2]
SAMPLES = ("photo-genuine.jpg", "video-manipulated.mp4", "voice-genuine.wav")


@pytest.mark.parametrize(("family", "mode"), [*zip(FAMILIES, ("fast", "full"), strict=True)])
def test_score_with_a_vision_language_judge(family: str, mode: str, tmp_path: Path) -> None:
    judge = write_vision_judge(tmp_path / "judge", family, FramesEncoder())
    settings = {
        "MODERATION_JUDGE": str(judge),
        "MODERATION_JUDGE_PLUGIN": "vision_language",
        "MODERATION_ENCODERS": "frames",
        "MODERATION_CACHE_DIR": str(tmp_path / "cache"),
        "MODERATION_DEVICE": "cpu",
        "MODERATION_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }
    files = [str(ROOT / "docs" / "samples" / name) for name in SAMPLES]
    run = subprocess.run(
        [sys.executable, "-m", "moderation", "score", *files, "--mode", mode, "--json"],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert run.returncode == 3, run.stderr
    photo, film, voice = map(json.loads, run.stdout.splitlines())
    for row in (photo, film):
        assert row["judge"].startswith("tiny-vision-")
        assert sum(row[f"p{k}"] for k in range(10)) == pytest.approx(1, abs=1e-4)
        assert (row["rationale"] is None) == (mode == "fast")
    assert photo["score"] != film["score"]
    # It hears nothing, so it abstains.
    assert voice["score"] is None
    assert "no pictures" in voice["error_found"]
