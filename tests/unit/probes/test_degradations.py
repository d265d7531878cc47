"""Degradations do what they say, and give the same bytes each time."""

import io
import json
import pickle
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from encoders.errors import CorruptMedia
from encoders.types import Modality
from rl.corpus.codecs import film_bytes, jpeg_bytes, sound_bytes
from rl.corpus.loudness import rms
from rl.corpus.scenes import RATE_HZ, film, picture, voice
from rl.probes.alteration import Alteration
from rl.probes.degradations import grid
from rl.probes.media import picture_size, read_waveform, transcode
from rl.probes.sound_degradations import room_response, with_noise

GRID = grid()
SAMPLE = {
    Modality.IMAGE: ("jpeg", "blur", "resize bicubic", "noise"),
    Modality.AUDIO: ("mp3", "aac", "opus", "noise", "reverberation"),
    Modality.VIDEO: ("h264", "blur", "resize lanczos", "noise", "aac"),
}
CASES = [
    next(a for a in GRID if a.modality is modality and a.name == name)
    for modality, names in SAMPLE.items()
    for name in names
]


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[Modality, Path]:
    folder = tmp_path_factory.mktemp("originals")
    made = {
        Modality.IMAGE: (folder / "picture.jpg", jpeg_bytes(picture(1), 95)),
        Modality.AUDIO: (folder / "voice.wav", sound_bytes(voice(1), RATE_HZ)),
        Modality.VIDEO: (
            folder / "film.mp4",
            film_bytes(film(1, frames=15), 15.0, 18, voice(1, 1.0), RATE_HZ),
        ),
    }
    for path, content in made.values():
        path.write_bytes(content)
    return {modality: path for modality, (path, _) in made.items()}


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), np.float64)


def by_level(name: str, modality: Modality) -> list[Alteration]:
    return [a for a in GRID if a.name == name and a.modality is modality]


def written(folder: Path, alteration: Alteration, source: Path, seed: int = 3) -> Path:
    path = folder / f"{alteration.order}{alteration.suffix}"
    path.write_bytes(alteration.make(source, seed))
    return path


def test_the_grid_has_what_it_promises_each_once() -> None:
    keys = [a.key for a in GRID]
    assert len(set(keys)) == len(keys)
    assert [a.level for a in by_level("jpeg", Modality.IMAGE)] == [
        f"quality {q}" for q in range(100, 0, -10)
    ]
    assert [a.level for a in by_level("h264", Modality.VIDEO)] == ["CRF 23", "CRF 28", "CRF 35"]
    assert {a.modality for a in grid(names=["noise"])} == set(Modality)
    assert all(pickle.loads(pickle.dumps(a)) is not None for a in GRID)


@pytest.mark.parametrize("alteration", CASES, ids=lambda a: a.key)
def test_the_same_file_and_seed_give_the_same_bytes(
    alteration: Alteration, originals: dict[Modality, Path]
) -> None:
    source = originals[alteration.modality]
    before = source.read_bytes()
    made = alteration.make(source, 3)
    assert made == alteration.make(source, 3)
    assert made != before
    assert source.read_bytes() == before
    if alteration.name == "noise":
        assert made != alteration.make(source, 4)


@pytest.mark.parametrize("name", ["jpeg", "blur", "resize nearest", "noise"])
def test_each_level_of_a_picture_is_further_from_the_original(
    name: str, originals: dict[Modality, Path]
) -> None:
    source = originals[Modality.IMAGE]
    original = pixels(source.read_bytes())
    found = [pixels(a.make(source, 3)) for a in by_level(name, Modality.IMAGE)]
    assert all(changed.shape == original.shape for changed in found)
    errors = [np.abs(changed - original).mean() for changed in found]
    assert errors == sorted(errors)
    assert errors[-1] > 1.5 * errors[0]


def test_noise_on_a_picture_has_its_deviation(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    Image.new("RGB", (128, 128), (128, 128, 128)).save(path)
    levels = {a.level: a for a in by_level("noise", Modality.IMAGE)}
    found = pixels(levels["sigma 10"].make(path, 0)) - 128.0
    assert found.std() == pytest.approx(10.0, rel=0.02)


def test_sound_noise_has_its_ratio_and_the_response_decays_by_60_db() -> None:
    waveform = voice(2)
    rng = np.random.default_rng(0)
    noisy = with_noise(waveform, 10.0, rng)
    assert 20 * np.log10(rms(waveform) / rms(noisy - waveform)) == pytest.approx(10.0, abs=0.01)
    seconds = 0.6
    energy = np.mean(
        [room_response(seconds, RATE_HZ, np.random.default_rng(k))[1:] ** 2 for k in range(200)], 0
    )
    time = (1 + np.arange(energy.size)) / RATE_HZ
    late = time > 0.01
    slope, _ = np.polyfit(time[late], 10 * np.log10(energy[late]), 1)
    assert slope * seconds == pytest.approx(-60.0, abs=0.5)
    response = room_response(seconds, RATE_HZ, rng)
    assert response[0] == 1.0
    assert 10 * np.log10(np.sum(response[1:] ** 2)) == pytest.approx(-3.0, abs=0.01)


@pytest.mark.parametrize("name", ["noise", "reverberation", "mp3", "opus", "aac"])
def test_degraded_sound_keeps_its_length(
    name: str, originals: dict[Modality, Path], tmp_path: Path
) -> None:
    source = originals[Modality.AUDIO]
    waveform, rate_hz = read_waveform(source)
    for alteration in by_level(name, Modality.AUDIO):
        degraded, degraded_hz = read_waveform(written(tmp_path, alteration, source))
        assert degraded.size / degraded_hz == pytest.approx(waveform.size / rate_hz, abs=0.2)
        assert rms(degraded) == pytest.approx(rms(waveform), rel=0.35)


@pytest.mark.parametrize("name", SAMPLE[Modality.VIDEO])
def test_degraded_films_keep_size_frames_and_sound(
    name: str, originals: dict[Modality, Path], tmp_path: Path
) -> None:
    source = originals[Modality.VIDEO]
    path = written(tmp_path, by_level(name, Modality.VIDEO)[-1], source)
    assert picture_size(path) == picture_size(source)
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 15
        assert len(container.streams.audio) == 1


def test_a_higher_rate_factor_makes_a_smaller_film(originals: dict[Modality, Path]) -> None:
    sizes = [len(a.make(originals[Modality.VIDEO], 0)) for a in by_level("h264", Modality.VIDEO)]
    assert sizes == sorted(sizes, reverse=True)


def test_what_is_no_media_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.mp4"
    path.write_text("not a film")
    with pytest.raises(CorruptMedia, match=r"letter\.mp4"):
        transcode(path, ("-c", "copy"), ".mp4")


def test_tags_of_the_original_do_not_pass(originals: dict[Modality, Path], tmp_path: Path) -> None:
    tagged = tmp_path / "tagged.mp4"
    arguments = ("-c", "copy", "-metadata", "title=secret")
    tagged.write_bytes(transcode(originals[Modality.VIDEO], arguments, ".mp4"))
    path = written(tmp_path, by_level("h264", Modality.VIDEO)[0], tagged)
    command = ["ffprobe", "-v", "error", "-show_format", "-of", "json"]
    for file, has_title in ((tagged, True), (path, False)):
        said = subprocess.run([*command, str(file)], capture_output=True, check=True).stdout
        assert ("title" in json.loads(said)["format"].get("tags", {})) is has_title
