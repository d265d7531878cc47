"""An index of perceptual hashes that finds all within a Hamming distance.

Multi-index hashing (Norouzi, Punjani and Fleet, Fast search in Hamming space with multi-index
hashing, CVPR 2012): two hashes that differ in at most r of 256 bits differ in at most r // 16 bits
of one of 16 parts at least, so only hashes that share such a part are compared.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

BITS = 256
PARTS = 16
_PART_BITS = BITS // PARTS
_PART_MASK = (1 << _PART_BITS) - 1
DISTANCE_MAX = 64


def hamming_distance(left: int, right: int) -> int:
    """How many bits differ."""
    return (left ^ right).bit_count()


def parse_hash(text: str) -> int:
    """A PDQ hash of 64 hexadecimal digits.

    Raises:
        ValueError: it is anything else.
    """
    if len(text) != BITS // 4:
        raise ValueError(f"a PDQ hash has {BITS // 4} hexadecimal digits, not {len(text)}")
    return int(text, 16)


class HammingIndex:
    """Item ids by 256-bit hash. distance_max: the most that `within` ever looks for."""

    def __init__(self, *, distance_max: int) -> None:
        if not 0 <= distance_max <= DISTANCE_MAX:
            raise ValueError(f"distance {distance_max} is not in 0..{DISTANCE_MAX}")
        self._distance_max = distance_max
        flips_max = distance_max // PARTS
        self._flips = tuple(
            sum(1 << bit for bit in bits)
            for count in range(flips_max + 1)
            for bits in combinations(range(_PART_BITS), count)
        )
        self._tables: tuple[dict[int, list[int]], ...] = tuple(
            defaultdict(list) for _ in range(PARTS)
        )
        self._hashes: list[int] = []
        self._ids: list[str] = []

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, value: int, item_id: str) -> None:
        """Remember the hash of an item."""
        if not 0 <= value < 1 << BITS:
            raise ValueError("a hash has 256 bits")
        for table, part in zip(self._tables, _parts(value), strict=True):
            table[part].append(len(self._ids))
        self._hashes.append(value)
        self._ids.append(item_id)

    def within(self, value: int) -> list[tuple[int, str]]:
        """(distance, id) of every item at most `distance_max` away, nearest first."""
        candidates: set[int] = set()
        for table, part in zip(self._tables, _parts(value), strict=True):
            for flip in self._flips:
                candidates.update(table.get(part ^ flip, ()))
        found = ((hamming_distance(value, self._hashes[k]), k) for k in candidates)
        return [(d, self._ids[k]) for d, k in sorted(found) if d <= self._distance_max]


def _parts(value: int) -> Iterator[int]:
    for part in range(PARTS):
        yield value >> part * _PART_BITS & _PART_MASK
