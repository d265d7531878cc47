"""Scene cuts: closed forms, and a film with known cuts through the real sandbox."""

from pathlib import Path

import numpy as np
import pytest

from encoders.base import ReadRequest
from encoders.sampling import Uniform
from encoders.sandbox import Sandbox
from encoders.types import FrameBatch, Span
from moderation.materials.scene_cuts import GAP_SECONDS_MAX, scene_cuts
from tests.media_factory import ffmpeg

FILM = (
    "color=red:s=160x120:r=25:d=1.6[a];testsrc2=s=160x120:r=25:d=1.4[b];"
    "color=blue:s=160x120:r=25:d=1[c];[a][b][c]concat=n=3:v=1:a=0"
)


def plain(levels: list[int], step_seconds: float) -> FrameBatch:
    pixels = np.stack([np.full((40, 60, 3), level, np.uint8) for level in levels])
    return FrameBatch(pixels, np.arange(len(levels)) * step_seconds, 40, 60)


def test_a_film_is_cut_where_it_was_joined(tmp_path: Path) -> None:
    path = tmp_path / "joined.mp4"
    ffmpeg("-f", "lavfi", "-i", FILM, "-c:v", "libx264", "-pix_fmt", "yuv420p", str(path))
    with Sandbox() as sandbox:
        media = sandbox.read(path, ReadRequest(Uniform(16, 4.0)))
    assert media.frames is not None
    found = [one.between for one in scene_cuts(media.frames)]
    assert len(found) == 2
    for joined, between in zip((1.6, 3.0), found, strict=True):
        assert between.start_seconds <= joined <= between.end_seconds
        assert between.end_seconds - between.start_seconds < 0.4


def test_a_change_of_everything_is_one() -> None:
    [cut] = scene_cuts(plain([10, 10, 200, 200], 1.0))
    assert (cut.between, cut.change) == (Span(1.0, 2.0), 1.0)


@pytest.mark.parametrize("step_seconds", [GAP_SECONDS_MAX, GAP_SECONDS_MAX + 0.1])
def test_frames_far_apart_tell_of_no_cut(step_seconds: float) -> None:
    assert bool(scene_cuts(plain([10, 200], step_seconds))) == (step_seconds <= GAP_SECONDS_MAX)


def test_motion_is_no_cut_and_a_still_has_none() -> None:
    row = np.tile(np.linspace(0, 255, 60).astype(np.uint8), (40, 1))
    pixels = np.stack([np.repeat(np.roll(row, 7 * f, 1)[..., None], 3, 2) for f in range(5)])
    assert scene_cuts(FrameBatch(pixels, np.arange(5.0), 40, 60)) == ()
    assert scene_cuts(plain([10], 1.0)) == ()
