"""A planted leak makes the control that exists for it fail, and no other."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from encoders.base import ReadLimits, ReadRequest
from encoders.forensic import ForensicEncoder
from encoders.readers import read
from encoders.sampling import Uniform
from encoders.types import ByteArray, FloatArray, MediaFeatures, Modality
from rl.corpus.codecs import jpeg_bytes, sound_bytes
from rl.corpus.scenes import RATE_HZ
from rl.detectors.pooled import pool
from rl.probes.controls import (
    codec_only,
    duration_only,
    real_against_real,
    real_against_real_scores,
    recompression,
    silence_only,
    source_overlap,
)
from rl.probes.file_facts import facts_of, silence_of
from rl.probes.verdict import Verdict
from tests.unit.probes.small_corpus import Row, save_picture, write_corpus

DRAWS = 100


def verdicts(folder: Path, rows: list[Row]) -> dict[str, Verdict]:
    found = {"overlap": source_overlap(rows)}
    for modality in ("audio", "image"):
        mine = [row for row in rows if row["modality"] == modality]
        facts = [facts_of(folder, row) for row in mine]
        for control in (codec_only, duration_only, silence_only):
            verdict = control(mine, facts, draws=DRAWS)
            found[f"{modality} {verdict.name}"] = verdict
    return found


def failed(folder: Path, rows: list[Row]) -> set[str]:
    return {name for name, found in verdicts(folder, rows).items() if found.passed is False}


def padded(waveform_T: FloatArray, is_manipulated: bool, _: int) -> bytes:
    """As much silence either way, but at the front of the genuine and the end of the forged."""
    silence = np.zeros(RATE_HZ // 4, np.float32)
    parts = [waveform_T, silence] if is_manipulated else [silence, waveform_T]
    return sound_bytes(np.concatenate(parts), RATE_HZ)


def shortened(waveform_T: FloatArray, is_manipulated: bool, _: int) -> bytes:
    """Forged sounds last 0.7 s at most, and end while they sound."""
    kept = waveform_T[: round(0.7 * RATE_HZ)] if is_manipulated else waveform_T
    loud = np.flatnonzero(np.abs(kept) > 0.2 * np.abs(kept).max())
    return sound_bytes(kept[: loud[-1] + round(0.02 * RATE_HZ)], RATE_HZ)


def finer(image_HWC: ByteArray, is_manipulated: bool, pair: int) -> bytes:
    """Forged pictures are saved as an editor saves them."""
    return jpeg_bytes(image_HWC, 98) if is_manipulated else save_picture(image_HWC, False, pair)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    folder = tmp_path_factory.mktemp("clean")
    return folder, write_corpus(folder)


def test_a_corpus_without_leaks_passes_every_control(clean: tuple[Path, list[Row]]) -> None:
    found = verdicts(*clean)
    assert {name for name, verdict in found.items() if verdict.passed is None} == {
        "image duration",
        "image silence",
    }
    assert failed(*clean) == set()
    assert all(verdict.sentence for verdict in found.values())


@pytest.mark.parametrize(
    ("planted", "control"),
    [
        ({"sound": padded}, "audio silence"),
        ({"sound": shortened}, "audio duration"),
        ({"image": finer}, "image codec-only"),
    ],
)
def test_a_planted_leak_is_caught_by_its_own_control_alone(
    planted: dict[str, Any], control: str, tmp_path: Path
) -> None:
    rows = write_corpus(tmp_path, **planted)
    found = verdicts(tmp_path, rows)
    assert {name for name, verdict in found.items() if verdict.passed is False} == {control}
    assert found[control].value.value > 0.8
    assert "may learn that" in found[control].sentence


def test_a_source_in_two_splits_is_caught_exactly(clean: tuple[Path, list[Row]]) -> None:
    folder, rows = clean
    moved = [dict(row) for row in rows]
    moved[0]["split"] = "validation"
    assert failed(folder, moved) == {"overlap"}
    verdict = source_overlap(moved)
    # The source, the pair; the file itself is in one split still.
    assert verdict.value.value == 2.0
    assert moved[0]["source"] in verdict.sentence
    twice = [*rows, {**rows[0], "split": "calibration", "source": "s", "pair_id": "p"}]
    assert source_overlap(twice).value.value == 1.0
    assert "1 sha256" in source_overlap(twice).sentence


def encoded(path: Path) -> MediaFeatures:
    media = read(str(path), ReadRequest(Uniform()), ReadLimits())
    encoding = ForensicEncoder().encode([media])[0]
    return MediaFeatures(
        media.metadata, media.modality, media.duration_seconds, encoding.sequences, (), None
    )


def test_real_against_real_tells_data_sets_from_forgeries(clean: tuple[Path, list[Row]]) -> None:
    folder, rows = clean
    mine = [row for row in rows if row["modality"] == "audio"]
    pooled = [pool(encoded(folder / row["path"])) for row in mine]
    alike = real_against_real(mine, pooled, draws=DRAWS)
    assert alike.passed, alike.sentence
    # The recordings of one collection get another microphone: its features move.
    shifted = [
        {name: block + 3.0 * ("collection-1" in row["pair_id"]) for name, block in item.items()}
        for row, item in zip(mine, pooled, strict=True)
    ]
    apart = real_against_real(mine, shifted, draws=DRAWS)
    assert apart.passed is False
    assert apart.value.value > 0.9
    single = [{**row, "pair_id": f"audio/one/{row['pair_id']}"} for row in mine]
    assert real_against_real(single, pooled, draws=DRAWS).passed is None


def test_scores_that_follow_the_source_fail_and_scores_that_follow_the_forgery_pass() -> None:
    rng = np.random.default_rng(0)
    rows = [
        {"is_manipulated": k % 2 == 1, "source": f"s{k % 8 // 2}", "pair_id": f"p{k // 2}"}
        for k in range(240)
    ]
    by_forgery = np.array([3.0 if row["is_manipulated"] else 7.0 for row in rows])
    noisy = by_forgery + rng.normal(size=240)
    assert real_against_real_scores(rows, noisy, draws=DRAWS).passed
    by_source = noisy + np.array([4.0 * (row["source"] == "s2") for row in rows])
    verdict = real_against_real_scores(rows, by_source, draws=DRAWS)
    assert verdict.passed is False
    assert "s2" in verdict.sentence


def test_recompression_may_not_lower_genuine_scores() -> None:
    rng = np.random.default_rng(1)
    rows = [{"is_manipulated": k % 3 == 0, "source": f"s{k % 10}"} for k in range(120)]
    before = rng.uniform(2.0, 8.0, 120)
    assert recompression(rows, before, before + rng.normal(0, 0.2, 120), draws=DRAWS).passed
    forged = np.array([row["is_manipulated"] for row in rows])
    assert recompression(rows, before, before - 2.0 * forged, draws=DRAWS).passed
    verdict = recompression(rows, before, before - 0.5, draws=DRAWS)
    assert verdict.passed is False
    assert verdict.value.value == pytest.approx(-0.5)
    assert recompression(rows, before, np.full(120, np.nan), draws=DRAWS).passed is None


def test_silence_is_measured_at_both_ends() -> None:
    sound = 0.3 * np.sin(np.arange(RATE_HZ) * 0.3).astype(np.float32)
    front, back = np.zeros(RATE_HZ // 2, np.float32), np.zeros(RATE_HZ // 4, np.float32)
    found = silence_of(np.concatenate([front, sound, back]), RATE_HZ)
    # The builder's trimming keeps 30 ms, and looks at windows of 20 ms.
    assert found["leading.seconds"] == pytest.approx(0.5, abs=0.06)
    assert found["trailing.seconds"] == pytest.approx(0.25, abs=0.06)


def test_facts_name_the_codec_and_count_the_frames(good_media: dict[str, Path]) -> None:
    film = facts_of(good_media["mp4"].parent, {"path": "clip.mp4", "modality": Modality.VIDEO})
    assert film.codec_names["video.codec"] == "h264"
    assert film.codec_names["audio.codec"] == "aac"
    assert film.duration["video.frames"] == 50
    assert film.duration["video.seconds"] == pytest.approx(2.0, abs=0.05)
    with av.open(str(good_media["mp4"])) as container:
        size = sum(p.size for p in container.demux(video=0))
    assert film.codec["video.bits_per_second"] == pytest.approx(8 * size / 2.0, rel=0.03)
