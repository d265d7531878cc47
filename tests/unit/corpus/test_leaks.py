"""Planted leaks are found, each by its own check; what is merely alike is not."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from encoders.types import ByteArray, FloatArray
from rl.corpus.codecs import jpeg_bytes, read_jpeg, read_sound, through_codec
from rl.corpus.fingerprints import landmarks, near_pictures, near_sounds, picture_prints
from rl.corpus.leaks import LeakError, Origins, find_leaks, require_no_leak
from rl.corpus.scenes import RATE_HZ, picture

VOICES = Path(__file__).parents[2] / "data" / "voices"


def row(pair_id: str, split: str, **changes: str) -> dict[str, str]:
    made = {
        "pair_id": pair_id,
        "split": split,
        "source": pair_id,
        "sha256": f"row of {pair_id}",
        "generator": "",
        "collection": "shared",
    }
    return {**made, **changes}


def origins(pair_id: str, split: str, **changes: object) -> Origins:
    made: dict[str, object] = {
        "files": {f"{pair_id}.jpg": f"file of {pair_id}"},
        "picture_prints": (),
        "sound_prints": (),
    }
    return Origins(pair_id, split, **{**made, **changes})  # type: ignore[arg-type]


def alike(kind: str, scene: ByteArray) -> ByteArray:
    if kind == "recompressed":
        return read_jpeg(jpeg_bytes(scene, 40))
    if kind == "mirrored":
        return np.ascontiguousarray(scene[:, ::-1])
    if kind == "smaller":
        return cv2.resize(scene, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.clip(scene.astype(int) + 12, 0, 255).astype(np.uint8)


def test_nothing_shared_is_no_leak() -> None:
    rows = [row("a", "train"), row("b", "test-in-domain")]
    assert find_leaks(rows, [origins("a", "train"), origins("b", "test-in-domain")]) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"source": "a"}, "source a is in test-in-domain, train"),
        ({"sha256": "row of a"}, "file row of a is in"),
    ],
)
def test_a_shared_source_or_file_is_named(changes: dict[str, str], said: str) -> None:
    rows = [row("a", "train"), row("b", "test-in-domain", **changes)]
    (leak,) = find_leaks(rows, [origins("a", "train"), origins("b", "test-in-domain")])
    assert leak.startswith(said)


def test_a_genuine_file_under_two_names_is_found_by_its_hash() -> None:
    rows = [row("a", "train"), row("b", "validation")]
    copied = origins("b", "validation", files={"b.jpg": "file of a"})
    with pytest.raises(LeakError, match="genuine file"):
        require_no_leak(rows, [origins("a", "train"), copied])


def test_an_unseen_generator_or_collection_that_is_seen_is_named() -> None:
    rows = [
        row("a", "train", generator="lpc_10", collection="one"),
        row("b", "test-unseen-generators", generator="copy_move + lpc_10", collection="one"),
        row("c", "test-unseen-sources", generator="lpc_10", collection="one"),
    ]
    made = [origins(r["pair_id"], r["split"]) for r in rows]
    assert find_leaks(rows, made) == [
        "generator lpc_10 of test-unseen-generators is in another split too",
        "collection one of test-unseen-sources is in another split too",
    ]


@pytest.mark.parametrize("kind", ["recompressed", "mirrored", "smaller", "brighter"])
def test_a_near_duplicate_picture_in_two_splits_is_found(kind: str) -> None:
    scene = picture(1, 240, 320)
    made = [
        origins("a", "train", picture_prints=picture_prints(scene)),
        origins("b", "validation", picture_prints=picture_prints(alike(kind, scene))),
        origins("c", "validation", picture_prints=picture_prints(picture(2, 240, 320))),
    ]
    rows = [row(o.pair_id, o.split) for o in made]
    (leak,) = find_leaks(rows, made)
    assert "pictures of a (train) and b (validation)" in leak


def test_different_pictures_are_far_apart_and_plain_ones_have_no_print() -> None:
    prints = {str(seed): picture_prints(picture(seed, 240, 320)) for seed in range(12)}
    assert all(prints.values())
    assert near_pictures(prints) == []
    assert picture_prints(np.full((200, 200, 3), 90, np.uint8)) == ()
    assert near_pictures({}) == []


def spoken(name: str) -> FloatArray:
    return read_sound(VOICES / f"{name}.wav", RATE_HZ)


def copied_sound(kind: str, sound: FloatArray) -> FloatArray:
    rng = np.random.default_rng(0)
    if kind == "mp3":
        return through_codec(sound, RATE_HZ, "libmp3lame", 24)
    if kind == "noisy":
        level = 0.1 * float(np.sqrt(np.mean(sound**2)))
        return (sound + level * rng.standard_normal(sound.size)).astype(np.float32)
    if kind == "cut":
        return sound[: sound.size // 2]
    return np.concatenate([spoken("it-auth-incorrect"), sound]).astype(np.float32)


@pytest.mark.parametrize("kind", ["mp3", "noisy", "cut", "joined to another"])
def test_a_copied_recording_in_two_splits_is_found(kind: str) -> None:
    sound = spoken("en-auth-incorrect")
    made = [
        origins("a", "train", sound_prints=landmarks(sound)),
        origins("b", "calibration", sound_prints=landmarks(copied_sound(kind, sound))),
    ]
    (leak,) = find_leaks([row(o.pair_id, o.split) for o in made], made)
    assert "sounds of a (train) and b (calibration)" in leak


def test_other_recordings_and_copies_within_a_split_are_no_leak() -> None:
    names = ("en-auth-incorrect", "en-conf-kicked", "it-auth-incorrect")
    sounds = {name: landmarks(spoken(name)) for name in names}
    assert all(len(marks) > 50 for marks in sounds.values())
    assert near_sounds(sounds, {name: name for name in names}) == []
    twice = {"a": sounds[names[0]], "b": sounds[names[0]]}
    assert near_sounds(twice, {"a": "train", "b": "train"}) == []
    ((left, right, shared),) = near_sounds(twice, {"a": "train", "b": "validation"})
    assert (left, right, shared) == ("a", "b", len(set(twice["a"])))
