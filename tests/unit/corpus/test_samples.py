"""The committed demonstration media are what their manifest says."""

import csv
from pathlib import Path

from rl.corpus.codecs import film_duration, read_picture, read_sound
from rl.corpus.distance import picture_distance
from rl.corpus.samples import PHOTO_SIDE, VOICE_HZ, photo_samples

FOLDER = Path(__file__).parents[3] / "docs" / "samples"


def test_every_pair_is_there_licensed_and_small() -> None:
    with (FOLDER / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    licences = (FOLDER / "LICENSES.md").read_text(encoding="utf-8")
    for row in rows:
        assert (FOLDER / row["path"]).is_file()
        assert f"`{row['path']}`" in licences
        assert (row["label"] == "genuine") == (float(row["y"]) == 9.0)
    assert sorted(row["label"] for row in rows) == ["genuine"] * 3 + ["manipulated"] * 3
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 5_000_000


def test_members_of_a_pair_have_one_size_and_one_length() -> None:
    photos = [read_picture(FOLDER / f"photo-{kind}.jpg") for kind in ("genuine", "manipulated")]
    assert photos[0].shape == photos[1].shape
    assert max(photos[0].shape) == PHOTO_SIDE
    voices = [
        read_sound(FOLDER / f"voice-{kind}.wav", VOICE_HZ) for kind in ("genuine", "manipulated")
    ]
    assert voices[0].size == voices[1].size
    films = [film_duration(FOLDER / f"video-{kind}.mp4") for kind in ("genuine", "manipulated")]
    assert films[0] == films[1]


def test_the_photographs_can_be_made_again(tmp_path: Path) -> None:
    for sample in photo_samples():
        path = tmp_path / sample.name
        path.write_bytes(sample.content)
        # Another JPEG library may round otherwise, so not bit for bit.
        assert picture_distance(read_picture(path), read_picture(FOLDER / sample.name)) < 0.02
