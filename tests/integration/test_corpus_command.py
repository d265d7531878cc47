"""`moderation corpus build` on an empty machine: fetch, build, go on, and stop at a leak."""

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from moderation.errors import ConfigurationError
from rl.commands.corpus import app
from rl.corpus.codecs import jpeg_bytes, read_jpeg
from rl.corpus.leaks import LeakError
from rl.corpus.manifest import read_manifest
from rl.corpus.scenes import picture

RECIPE = """
name = "fetched"
seed = 3
gamma = 0.3
strength_min = 0.01
sources_list = "sources.toml"

[images]
forgeries = ["self_blend", "inpaint"]
unseen_forgeries = ["copy_move"]
forgeries_per_clip = [1, 2]
side_pixels = [200, 240]
jpeg_quality = [70, 95]
rescale_probability = 0.5
rescale = [0.75, 0.95]
weak = {{ crop = 0.5, gain = 0.5, noise = 0.5, recompression = 0.5, overlay = 0.5 }}
{sources}

[audio]
forgeries = []
forgeries_per_clip = [1, 1]
rate_hz = 8000
seconds = [1.0, 2.5]
noise_db = [40.0, 60.0]
lossy_probability = 0.5
mp3_kbps = [24.0, 32.0]
opus_kbps = [16.0, 24.0]

[video]
forgeries = []
forgeries_per_clip = [1, 1]
seconds = [1.0, 1.2]
frames_per_second = [10.0, 15.0]
side_pixels = [80, 96]
crf = [20, 26]
soundtrack_probability = 1.0
forged_soundtrack_probability = 0.5
"""
SOURCE = """
[[images.sources]]
name = "{name}"
origin = "the test"
licence = "CC0"
folder = "{name}"
clips = 20
shares = {shares}
"""
SHARES = "{ train = 0.5, calibration = 0.2, test-unseen-generators = 0.3 }"
UNSEEN = "{ test-unseen-sources = 1.0 }"


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe whose photographs lie in a repository, and an empty cache."""
    origin = tmp_path / "origin"
    (origin / "seen").mkdir(parents=True)
    for seed in range(10):
        content = jpeg_bytes(picture(seed, 240, 320), 90)
        (origin / "seen" / f"{seed}.jpg").write_bytes(content)
    git = ["git", "-C", str(origin), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    git += ["-c", "commit.gpgsign=no"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "photographs"]):
        subprocess.run([*git, *command], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    listed = f'[[repository]]\nname = "photographs"\nurl = "{origin}"\n'
    listed += f'commit = "{head.stdout.strip()}"\npaths = ["seen/*.jpg"]\nfolder = "seen"\n'
    (tmp_path / "sources.toml").write_text(listed)
    monkeypatch.setenv("MODERATION_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("MODERATION_SOURCES", raising=False)
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.format(sources=SOURCE.format(name="seen", shares=SHARES)))
    return path


def build(recipe: Path, out: Path, *options: str) -> Result:
    arguments = ["build", "--recipe", str(recipe), "--out", str(out), "--workers", "1", *options]
    return CliRunner().invoke(app, arguments)


def test_one_command_fetches_and_builds_and_the_next_finds_all_there(
    recipe: Path, tmp_path: Path
) -> None:
    out = tmp_path / "corpus"
    first = build(recipe, out)
    assert first.exit_code == 0, first.output
    assert "photographs: fetched" in first.output
    rows = read_manifest(out)
    assert {row["split"] for row in rows} <= {"train", "calibration", "test-unseen-generators"}
    for row in rows:
        unseen = row["split"] == "test-unseen-generators"
        allowed = {"copy_move"} if unseen else {"self_blend", "inpaint"}
        assert row["recipe"] in allowed | {"genuine"}
        assert not row["mask"] or (out / row["mask"]).is_file()
    card = (out / "data-card.md").read_text()
    assert f"{len(rows)} files" in card
    assert "test-unseen-generators" in card
    assert (out / "contact-image.png").stat().st_size > 10_000
    before = (out / "manifest.parquet").read_bytes()
    again = build(recipe, out)
    assert "photographs: fetched before" in again.output
    assert (out / "manifest.parquet").read_bytes() == before
    assert (out / "data-card.md").read_text() == card


def test_overlays_share_the_label_of_the_pair_that_they_repeat(
    recipe: Path, tmp_path: Path
) -> None:
    build(recipe, tmp_path / "corpus")
    rows = read_manifest(tmp_path / "corpus")
    overlaid = [row for row in rows if row["pair_id"].endswith("/overlay")]
    plain = {(row["pair_id"], row["recipe"]): row for row in rows if row not in overlaid}
    assert overlaid
    for row in overlaid:
        twin = plain[row["pair_id"].removesuffix("/overlay"), row["recipe"]]
        assert (row["y"], row["source"], row["split"]) == (
            twin["y"],
            twin["source"],
            twin["split"],
        )
        assert row["quality"] == f"{twin['quality']}; overlay"
        assert row["sha256"] != twin["sha256"]


def test_without_fetching_there_is_nothing_to_build(recipe: Path, tmp_path: Path) -> None:
    run = build(recipe, tmp_path / "corpus", "--no-fetch")
    assert isinstance(run.exception, ConfigurationError)
    assert "[images]" in str(run.exception)
    assert not (tmp_path / "cache" / "sources").exists()


def test_a_planted_copy_in_another_split_fails_the_build(recipe: Path, tmp_path: Path) -> None:
    media = tmp_path / "media"
    (media / "unseen").mkdir(parents=True)
    copy = read_jpeg(jpeg_bytes(picture(0, 240, 320), 60))
    (media / "unseen" / "copy.jpg").write_bytes(jpeg_bytes(copy[:, ::-1], 80))
    (media / "unseen" / "other.jpg").write_bytes(jpeg_bytes(picture(50, 240, 320), 80))
    sources = SOURCE.format(name="seen", shares=SHARES)
    sources += SOURCE.format(name="unseen", shares=UNSEEN)
    recipe.write_text(RECIPE.format(sources=sources))
    out = tmp_path / "corpus"
    run = build(recipe, out, "--sources", str(media))
    assert isinstance(run.exception, LeakError)
    assert "unseen/copy (test-unseen-sources)" in str(run.exception)
    assert not (out / "manifest.parquet").exists()
    (media / "unseen" / "copy.jpg").unlink()
    mended = build(recipe, out, "--sources", str(media))
    assert mended.exit_code == 0, mended.output
