"""Materials of made media and of a real sample, and the folder that keeps them."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from encoders.base import ReadRequest
from encoders.forensic.encoder import ForensicEncoder
from encoders.sampling import Uniform
from encoders.sandbox import Sandbox
from encoders.types import DecodedMedia, MediaFeatures, Modality, Span
from moderation.materials.making import (
    BUCKETS,
    evidence_frames,
    make_materials,
)
from moderation.materials.sound import peaks
from moderation.materials.store import (
    INDEX,
    MadeMaterials,
    MaterialLimits,
    MaterialsDamaged,
    MaterialsTooLarge,
    MaterialStore,
    is_piece_name,
    setup_name,
)
from moderation.types import Claim, Examination, Judgment, Mode, Rationale, Strength
from tests.unit.test_report import HOSTILE, examination, frames, signal

SAMPLES = Path(__file__).parents[3] / "docs" / "samples"
DIGEST, SETUP = "ab" * 32, setup_name("judge", "usual")
LIMITS = MaterialLimits()
MADE = MadeMaterials({"claims": [HOSTILE]}, {"frame-001.jpg": b"jpeg", "waveform.json": b"{}"})


def examined(media: DecodedMedia) -> Examination:
    [encoding] = ForensicEncoder().encode([media])
    features = MediaFeatures(
        media.metadata, media.modality, media.duration_seconds, (), encoding.signals, None
    )
    whole = Span(0.0, media.duration_seconds)
    claims = (Claim(media.modality, whole, "interpolated frames", Strength.CLEAR),)
    spike = (1.0, *[0.0] * 9)
    judgment = Judgment(spike, 1.0, 0.0, Mode.FULL, "j", Rationale("", claims, True))
    return Examination("sample", media, features, judgment)


def test_a_real_film_gives_every_piece_within_its_bounds() -> None:
    with Sandbox() as sandbox:
        media = sandbox.read(SAMPLES / "video-manipulated.mp4", ReadRequest(Uniform()))
    made = make_materials(examined(media), LIMITS)
    assert sum(map(len, made.pieces.values())) < LIMITS.bytes_max
    shown = made.facts["frames"]
    assert 1 < len(shown) <= LIMITS.frames_max
    named = {one["picture"] for one in shown} | {"spectrogram.png", "waveform.json"}
    for frame in shown:
        assert len(frame["heat_maps"]) >= 4
        named |= {one["picture"] for one in frame["heat_maps"]}
    if media.audio is None:
        named -= {"spectrogram.png", "waveform.json"}
    assert made.pieces.keys() == named
    for name, content in made.pieces.items():
        if name.endswith(".json"):
            continue
        with Image.open(io.BytesIO(content)) as picture:
            assert max(picture.size) <= 1000
            assert not picture.getexif()
            assert picture.mode == ("RGBA" if "image-" in name or "video-" in name else
                                    "P" if name == "spectrogram.png" else "RGB")  # fmt: skip
    json.dumps(made.facts, allow_nan=False)


def test_hostile_text_stays_text_and_a_hostile_signal_makes_no_file() -> None:
    plain = make_materials(examination("image.noise"), LIMITS)
    assert plain.facts["transcript"]["by"] == "machine"
    assert [one["standing"] for one in plain.facts["claims"]] == ["unsupported"] * 2
    with pytest.raises(ValueError, match="no name of a piece"):
        make_materials(examination(HOSTILE), LIMITS)


@pytest.mark.parametrize("name", ["", INDEX, "../x.png", "a/b.png", "A.png", "x.html", "x.png\n"])
def test_only_plain_names_are_pieces(name: str) -> None:
    assert not is_piece_name(name)


def test_a_still_has_one_frame_and_no_sound() -> None:
    made = make_materials(examination("image.noise", still=True), LIMITS)
    assert len(made.facts["frames"]) == 1
    assert (made.facts["sound"], made.facts["scene_cuts"]) == (None, None)


def test_evidence_comes_before_even_spacing() -> None:
    batch = frames(50)
    odd = signal(value=9.0, span=Span(7.0, 7.5))
    usual = signal(value=2.0, span=Span(9.0, 9.5))
    claim = Claim(Modality.VIDEO, Span(13.2, 14.0), "x", Strength.CLEAR)
    assert evidence_frames(batch, [usual, odd], [claim], 2) == [14, 26]
    chosen = evidence_frames(batch, [odd], [claim], 6)
    assert {14, 26} <= set(chosen)
    assert len(chosen) == 6
    assert chosen == sorted(set(chosen))


def test_peaks_are_the_least_and_greatest_of_each_stretch() -> None:
    ramp = np.arange(10_000, dtype=np.float32) / 10_000
    found = peaks(ramp, BUCKETS)
    assert found.lowest_B == pytest.approx(np.arange(BUCKETS) / BUCKETS)
    assert found.highest_B == pytest.approx(found.lowest_B + 9 / 10_000)
    assert peaks(ramp[:3], BUCKETS).lowest_B.tolist() == ramp[:3].tolist()


@pytest.fixture
def store(tmp_path: Path) -> MaterialStore:
    return MaterialStore(tmp_path)


def test_what_was_written_is_read_and_stays(store: MaterialStore, tmp_path: Path) -> None:
    assert store.facts(DIGEST, SETUP) is None
    assert store.piece(DIGEST, SETUP, "frame-001.jpg") is None
    store.write(DIGEST, SETUP, MADE, bytes_max=1000)
    store.write(DIGEST, SETUP, MadeMaterials({}, {}), bytes_max=1000)
    assert store.facts(DIGEST, SETUP) == MADE.facts
    assert store.piece(DIGEST, SETUP, "frame-001.jpg") == b"jpeg"
    assert store.piece(DIGEST, SETUP, "frame-002.jpg") is None
    assert not store.has(DIGEST, setup_name("judge", "other"))
    assert [one.name for one in (tmp_path / DIGEST[:2] / DIGEST).iterdir()] == [SETUP]
    store.drop(DIGEST)
    store.drop(DIGEST)
    assert not store.has(DIGEST, SETUP)


def test_too_much_is_not_kept(store: MaterialStore, tmp_path: Path) -> None:
    with pytest.raises(MaterialsTooLarge):
        store.write(DIGEST, SETUP, MADE, bytes_max=100)
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("damage", [b"", b"jpeh", None])
@pytest.mark.parametrize("name", [INDEX, "frame-001.jpg"])
def test_damage_is_told_once_and_made_again(
    store: MaterialStore, tmp_path: Path, name: str, damage: bytes | None
) -> None:
    store.write(DIGEST, SETUP, MADE, bytes_max=1000)
    path = tmp_path / DIGEST[:2] / DIGEST / SETUP / name
    if damage is not None:
        path.write_bytes(damage)
    elif name == INDEX:
        path.write_bytes(path.read_bytes().replace(b"script", b"scripf"))
    else:
        path.unlink()
    with pytest.raises(MaterialsDamaged):
        store.piece(DIGEST, SETUP, "frame-001.jpg")
    assert store.piece(DIGEST, SETUP, "frame-001.jpg") is None
    store.write(DIGEST, SETUP, MADE, bytes_max=1000)
    assert store.piece(DIGEST, SETUP, "frame-001.jpg") == b"jpeg"
