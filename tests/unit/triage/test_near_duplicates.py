"""The index of hashes against brute force, and PDQ on real pictures."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from encoders.pdq import frame_hashes, pdq_hash
from encoders.types import FrameBatch
from moderation.triage import near_duplicates
from moderation.triage.near_duplicates import BITS, HammingIndex, hamming_distance, parse_hash

PHOTO = "docs/samples/photo-genuine.jpg"


def flipped(value: bytes, bits: int, rng: random.Random) -> bytes:
    """`value` with so many of its bits changed."""
    mask = sum(1 << bit for bit in rng.sample(range(BITS), bits))
    return (int.from_bytes(value) ^ mask).to_bytes(BITS // 8)


@pytest.mark.parametrize("distance_max", [0, 7, 16, 31, 40, 64])
def test_the_index_finds_what_comparing_with_all_finds(
    distance_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_duplicates, "_CHUNK", 64)
    rng = random.Random(3)
    centres = [rng.randbytes(32) for _ in range(40)]
    hashes = [flipped(c, rng.randrange(80), rng) for c in centres for _ in range(15)]
    index = HammingIndex()
    for begin in range(0, len(hashes), 7):
        part = hashes[begin : begin + 7]
        index.extend(part, [1000 + begin + k for k in range(len(part))])
    assert len(index) == len(hashes)
    for query in [*centres[:10], *hashes[:10]]:
        for start in (0, 100):
            by_force = sorted(
                (hamming_distance(query, value), 1000 + k)
                for k, value in enumerate(hashes)
                if k >= start and hamming_distance(query, value) <= distance_max
            )
            assert index.within(query, distance_max, start=start) == by_force


@settings(max_examples=50)
@given(st.binary(min_size=32, max_size=32), st.integers(0, 31), st.integers())
def test_every_hash_within_the_distance_is_found(value: bytes, bits: int, seed: int) -> None:
    rng = random.Random(seed)
    index = HammingIndex()
    index.extend([value], [7])
    assert index.within(flipped(value, bits, rng), 31) == [(bits, 7)]
    assert index.within(flipped(value, 32, rng), 31) == []


def test_a_smaller_recompressed_picture_is_a_near_duplicate() -> None:
    with Image.open(PHOTO) as photo:
        picture = photo.convert("RGB")
    small = picture.resize((picture.width // 2, picture.height // 2))
    mirrored = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    hashes = [pdq_hash(np.asarray(one)) for one in (picture, small, mirrored)]
    first, second, third = (parse_hash(one or "") for one in hashes)
    index = HammingIndex()
    index.extend([first], [1])
    assert [number for _, number in index.within(second, 16)] == [1]
    assert index.within(third, 31) == []


def test_frames_are_hashed_once_each_and_plain_ones_not_at_all() -> None:
    with Image.open(PHOTO) as photo:
        picture = np.asarray(photo.convert("RGB").resize((320, 240)))
    plain = np.full_like(picture, 128)
    pixels = np.stack([plain, picture, picture[:, ::-1], picture])
    found = frame_hashes(FrameBatch(pixels, np.arange(4.0), 240, 320))
    assert found == (pdq_hash(picture), pdq_hash(picture[:, ::-1]))
    assert pdq_hash(plain) is None


@pytest.mark.parametrize("text", ["", "ab", "z" * 64])
def test_what_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"hex|literal"):
        parse_hash(text)


def test_bounds_of_the_index() -> None:
    with pytest.raises(ValueError, match=r"0\.\.64"):
        HammingIndex().within(bytes(32), 65)
    with pytest.raises(ValueError, match="256 bits"):
        HammingIndex().extend([bytes(31)], [1])
