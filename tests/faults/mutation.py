"""Mutations of real media: each takes the bytes of a file, and gives those of a damaged one."""

import random
import struct
from collections.abc import Callable, Mapping

from tests.media_patches import boxes, flip

Mutation = Callable[[bytes, bytes, random.Random], bytes]
"""The file, another one to take from, and draws. The result may be the file itself."""

_LIES = (0, 1, 7, 8, 2**31 - 1, 2**31, 2**32 - 1)


def flip_bytes(content: bytes, _: bytes, draw: random.Random) -> bytes:
    """Single bytes anywhere."""
    return flip(content, draw.randint(1, 64), (0, len(content)), seed=draw.getrandbits(32))


def flip_header(content: bytes, _: bytes, draw: random.Random) -> bytes:
    """Single bytes of the first few hundred."""
    end = min(len(content), 512)
    return flip(content, draw.randint(1, 16), (0, end), seed=draw.getrandbits(32))


def flip_one_bit(content: bytes, _: bytes, draw: random.Random) -> bytes:
    """The least there is."""
    at = draw.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << draw.randrange(8))]) + content[at + 1 :]


def truncate(content: bytes, _: bytes, draw: random.Random) -> bytes:
    """Without its end."""
    return content[: draw.randint(1, len(content))]


def behead(content: bytes, _: bytes, draw: random.Random) -> bytes:
    """Without its beginning."""
    return content[draw.randint(1, min(4096, len(content) - 1)) :]


def splice(content: bytes, other: bytes, draw: random.Random) -> bytes:
    """Its beginning, and the end of another file."""
    return content[: draw.randint(1, len(content))] + other[draw.randrange(len(other)) :]


def swap_header(content: bytes, other: bytes, draw: random.Random) -> bytes:
    """The header of another file before its own bytes."""
    length = draw.choice([4, 12, 64, 512])
    return other[:length] + content[length:]


def repeat_part(content: bytes, _: bytes, draw: random.Random) -> bytes:
    """A part of it, over and over."""
    start = draw.randrange(len(content))
    part = content[start : start + draw.randint(1, 4096)]
    return content[:start] + part * draw.randint(2, 200) + content[start:]


def remove_part(content: bytes, _: bytes, draw: random.Random) -> bytes:
    """A part of it is missing."""
    start = draw.randrange(len(content))
    return content[:start] + content[start + draw.randint(1, 4096) :]


def zero_part(content: bytes, _: bytes, draw: random.Random) -> bytes:
    """A part of it was never written."""
    start = draw.randrange(len(content))
    part = content[start : start + draw.randint(1, 65536)]
    return content[:start] + bytes(len(part)) + content[start + len(part) :]


def repeat_box(content: bytes, _: bytes, draw: random.Random) -> bytes:
    """A box of ISO media, many times; a part of other formats."""
    places = _boxes(content)
    if not places:
        return repeat_part(content, b"", draw)
    _, start, end = draw.choice(places)
    return content[:end] + content[start:end] * draw.randint(1, 50) + content[end:]


def lie_about_a_size(content: bytes, _: bytes, draw: random.Random) -> bytes:
    """The size of a box, or a length field of other formats."""
    places = _boxes(content)
    if places:
        at = draw.choice(places)[1]
        return content[:at] + struct.pack(">I", draw.choice(_LIES)) + content[at + 4 :]
    at = draw.randrange(4, max(5, min(len(content) - 4, 256)))
    packed = struct.pack(draw.choice("<>") + "I", draw.choice(_LIES))
    return content[:at] + packed + content[at + 4 :]


def lie_in_a_field(content: bytes, _: bytes, draw: random.Random) -> bytes:
    """A number inside a box of ISO media, such as a count, a duration or an offset."""
    places = [place for place in _boxes(content) if place[0] not in (b"mdat", b"free")]
    if not places:
        return lie_about_a_size(content, b"", draw)
    _, start, end = draw.choice(places)
    at = draw.randrange(start + 8, max(start + 9, end - 3))
    return content[:at] + struct.pack(">I", draw.choice(_LIES)) + content[at + 4 :]


def _boxes(content: bytes) -> list[tuple[bytes, int, int]]:
    if content[4:8] not in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return []
    return [place for place in boxes(content) if place[2] - place[1] > 12]


MUTATIONS: Mapping[str, Mutation] = {
    one.__name__: one
    for one in (
        *(flip_bytes, flip_header, flip_one_bit, truncate, behead, splice, swap_header),
        *(repeat_part, remove_part, zero_part, repeat_box, lie_about_a_size, lie_in_a_field),
    )
}
