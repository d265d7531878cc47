"""The index of hashes against brute force, and PDQ on a real picture."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from encoders.pdq import pdq_hash
from moderation.triage.near_duplicates import BITS, HammingIndex, hamming_distance, parse_hash

PHOTO = "docs/samples/photo-genuine.jpg"


def flipped(value: int, bits: int, rng: random.Random) -> int:
    """`value` with so many of its bits changed."""
    return value ^ sum(1 << bit for bit in rng.sample(range(BITS), bits))


@pytest.mark.parametrize("distance_max", [0, 7, 16, 31, 40])
def test_the_index_finds_what_comparing_with_all_finds(distance_max: int) -> None:
    rng = random.Random(3)
    centres = [rng.getrandbits(BITS) for _ in range(40)]
    hashes = [flipped(c, rng.randrange(60), rng) for c in centres for _ in range(15)]
    index = HammingIndex(distance_max=distance_max)
    for k, value in enumerate(hashes):
        index.add(value, str(k))
    assert len(index) == len(hashes)
    for query in [*centres[:10], *hashes[:10]]:
        by_force = sorted(
            (hamming_distance(query, value), k)
            for k, value in enumerate(hashes)
            if hamming_distance(query, value) <= distance_max
        )
        assert index.within(query) == [(distance, str(k)) for distance, k in by_force]


@settings(max_examples=50)
@given(st.integers(0, 2**BITS - 1), st.integers(0, 31), st.randoms(use_true_random=False))
def test_every_hash_within_the_distance_is_found(value: int, bits: int, rng: random.Random) -> None:
    index = HammingIndex(distance_max=31)
    index.add(value, "it")
    assert index.within(flipped(value, bits, rng)) == [(bits, "it")]
    assert index.within(flipped(value, 32, rng)) == []


def test_a_smaller_recompressed_picture_is_a_near_duplicate() -> None:
    with Image.open(PHOTO) as photo:
        picture = photo.convert("RGB")
    small = picture.resize((picture.width // 2, picture.height // 2))
    mirrored = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    hashes = [pdq_hash(np.asarray(one)) for one in (picture, small, mirrored)]
    first, second, third = (parse_hash(one or "") for one in hashes)
    index = HammingIndex(distance_max=16)
    index.add(first, "original")
    assert [item for _, item in index.within(second)] == ["original"]
    assert index.within(third) == []


def test_a_plain_picture_has_no_hash() -> None:
    assert pdq_hash(np.full((64, 64, 3), 128, np.uint8)) is None


@pytest.mark.parametrize("text", ["", "ab", "z" * 64])
def test_what_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"hex|literal"):
        parse_hash(text)


def test_bounds_of_the_index() -> None:
    with pytest.raises(ValueError, match=r"0\.\.64"):
        HammingIndex(distance_max=65)
    with pytest.raises(ValueError, match="256 bits"):
        HammingIndex(distance_max=1).add(1 << 256, "it")
