"""The survey of genuine media, on made files."""

from pathlib import Path

import made_media as made
import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from encoders.base import ReadLimits, ReadRequest
from encoders.forensic import ForensicEncoder
from encoders.forensic.typical import (
    gather,
    main,
    still,
    survey,
    unmeasured,
    utterances,
    voice,
)
from encoders.readers import read
from encoders.sampling import Uniform


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed in range(3):
        Image.fromarray(made.jpeg(made.picture(96, 128, seed), 90)).save(tmp_path / f"{seed}.jpg")
        samples = (made.speech(1.5, seed=seed) * 20_000).astype(np.int16)
        wavfile.write(tmp_path / f"voice{seed}.wav", 8000, samples)
    wavfile.write(tmp_path / "silence.wav", 8000, np.zeros(16_000, np.int16))
    (tmp_path / "notes.txt").write_text("neither picture nor sound")
    return tmp_path


def test_a_survey_counts_what_it_measured(folder: Path) -> None:
    document = survey(gather([folder], stills=2, voices=10, films=1))
    assert document["items"] == {"image": 2, "audio": 3}
    low, high, count = document["signals"]["image.noise_level"]["image"]
    assert low <= high
    assert count == 2
    assert document["signals"]["audio.spectral_flux"]["audio"][2] == 3
    assert {n for n in unmeasured(document) if n.startswith(("image", "audio"))} == set()
    assert "av.onset_lag" in unmeasured(document)


def test_a_large_still_is_surveyed_as_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    noise = np.random.default_rng(0).integers(0, 256, (700, 1500, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    surveyed = still(path).frames
    read_back = read(str(path), ReadRequest(Uniform()), ReadLimits()).frames
    assert surveyed is not None
    assert read_back is not None
    np.testing.assert_array_equal(surveyed.pixels_FHWC, read_back.pixels_FHWC)


def test_sound_is_surveyed_as_it_is_read(tmp_path: Path) -> None:
    """Two resamplers: the signals that they leave differ by far less than the ranges' width."""
    path = tmp_path / "voice.wav"
    wavfile.write(path, 8000, (made.speech(2.0, seed=1) * 20_000).astype(np.int16))
    surveyed = voice([path])
    assert surveyed is not None
    read_back = read(str(path), ReadRequest(Uniform()), ReadLimits())
    ours, theirs = ForensicEncoder().encode([surveyed, read_back])
    assert len(ours.signals) == len(theirs.signals) > 8
    for one, other in zip(ours.signals, theirs.signals, strict=True):
        width = max(one.typical_high - one.typical_low, 1e-9)
        assert abs(one.value - other.value) < 0.05 * width, one.name


def test_an_incomplete_survey_is_not_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "typical.json"
    monkeypatch.setattr("sys.argv", ["typical", str(folder), "--out", str(out)])
    with pytest.raises(SystemExit):
        main()
    assert "av.onset_lag" in capsys.readouterr().err
    assert not out.exists()


def test_single_digits_of_one_speaker_are_joined() -> None:
    names = ["0_ann_1", "1_ann_2", "2_bob_3", "greeting"]
    found = utterances([Path(f"{name}.wav") for name in names])
    assert [[path.stem for path in paths] for paths in found] == [
        ["0_ann_1", "1_ann_2"],
        ["2_bob_3"],
        ["greeting"],
    ]
