"""Perceptual hashes in memory, and exact search for all within a Hamming distance."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BITS = 256
DISTANCE_MAX = 64
# PDQ's own advice: two pictures that differ in up to 31 bits are near-duplicates.
DISTANCE_USUAL = 31
_WORDS = BITS // 64
_CHUNK = 1 << 16


def hamming_distance(left: bytes, right: bytes) -> int:
    """How many bits differ."""
    return (int.from_bytes(left) ^ int.from_bytes(right)).bit_count()


def parse_hash(text: str) -> bytes:
    """The 32 bytes of a PDQ hash, from its 64 hexadecimal digits.

    Raises:
        ValueError: it is anything else.
    """
    if len(text) != BITS // 4:
        raise ValueError(f"a PDQ hash has {BITS // 4} hexadecimal digits, not {len(text)}")
    return int(text, 16).to_bytes(BITS // 8)


class HammingIndex:
    """256-bit hashes, each with a number: 40 bytes a hash.

    A search compares with every hash, 64 bits at a time, and so is exact at any distance. A
    million take about 5 ms of one core, less than any part of scoring; tables of parts
    (multi-index hashing) would be faster, and take many times the memory.
    """

    def __init__(self) -> None:
        self._words_4N: npt.NDArray[np.uint64] = np.empty((_WORDS, _CHUNK), np.uint64)
        self._number_N: npt.NDArray[np.int64] = np.empty(_CHUNK, np.int64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def extend(self, hashes: Sequence[bytes], numbers: Sequence[int]) -> None:
        """Remember hashes of 32 bytes, in this order, each with its number."""
        if len(hashes) != len(numbers) or any(len(one) != BITS // 8 for one in hashes):
            raise ValueError(f"hashes have {BITS} bits and a number each")
        end = self._count + len(hashes)
        if end > self._number_N.size:
            size = max(end, 2 * self._number_N.size)
            self._words_4N, before = np.empty((_WORDS, size), np.uint64), self._words_4N
            self._words_4N[:, : self._count] = before[:, : self._count]
            self._number_N = np.resize(self._number_N, size)
        words = np.frombuffer(b"".join(hashes), np.uint64).reshape(-1, _WORDS)
        self._words_4N[:, self._count : end] = words.T
        self._number_N[self._count : end] = numbers
        self._count = end

    def within(self, value: bytes, distance_max: int, *, start: int = 0) -> list[tuple[int, int]]:
        """(distance, number) of all that differ in at most so many bits, nearest first.

        start: how many of the first hashes are left out.
        """
        if not 0 <= distance_max <= DISTANCE_MAX:
            raise ValueError(f"distance {distance_max} is not in 0..{DISTANCE_MAX}")
        query_4 = np.frombuffer(value, np.uint64)
        found: list[tuple[int, int]] = []
        for begin in range(start, self._count, _CHUNK):
            end = min(begin + _CHUNK, self._count)
            distance = np.zeros(end - begin, np.uint16)
            for word_N, word in zip(self._words_4N, query_4, strict=True):
                distance += np.bitwise_count(word_N[begin:end] ^ word)
            near = np.flatnonzero(distance <= distance_max)
            numbers = self._number_N[begin + near].tolist()
            found += zip(distance[near].tolist(), numbers, strict=True)
        return sorted(found)
