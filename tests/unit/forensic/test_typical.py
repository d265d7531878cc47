"""The survey of genuine media, on made files."""

from pathlib import Path

import made_media as made
import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from encoders.forensic.typical import gather, main, survey, unmeasured, utterances


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
