"""Makes media files lie: bits flipped, sizes and durations rewritten."""

import random
import struct
import zlib
from collections.abc import Iterator


def flip(content: bytes, count: int, where: tuple[int, int], seed: int = 7) -> bytes:
    """`content` with `count` bits flipped at fixed random places within `where`."""
    draw, changed = random.Random(seed), bytearray(content)
    for _ in range(count):
        changed[draw.randrange(*where)] ^= 1 << draw.randrange(8)
    return bytes(changed)


def boxes(
    content: bytes, start: int = 0, end: int | None = None
) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of every box of an MP4, outermost first."""
    end = len(content) if end is None else end
    while start + 8 <= end:
        length = int.from_bytes(content[start : start + 4], "big")
        kind = content[start + 4 : start + 8]
        if length < 8:
            return
        yield kind, start, start + length
        if kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
            yield from boxes(content, start + 8, start + length)
        start += length


def media_data(content: bytes) -> tuple[int, int]:
    """Where the coded pictures and sound of an MP4 lie."""
    return next((start + 8, end) for kind, start, end in boxes(content) if kind == b"mdat")


def claiming_seconds(content: bytes, seconds: int) -> bytes:
    """An MP4 whose headers claim another duration; the samples stay as they are."""
    changed = bytearray(content)
    scale = 1000
    for kind, start, _ in boxes(content):
        if kind == b"mvhd":
            (scale,) = struct.unpack_from(">I", content, start + 20)
            struct.pack_into(">I", changed, start + 24, seconds * scale)
        elif kind == b"tkhd":
            struct.pack_into(">I", changed, start + 28, seconds * scale)
        elif kind == b"mdhd":
            (rate,) = struct.unpack_from(">I", content, start + 20)
            struct.pack_into(">I", changed, start + 24, min(seconds * rate, 2**32 - 1))
        elif kind == b"edts":
            changed[start + 4 : start + 8] = b"free"
    return bytes(changed)


def with_picture_size(content: bytes, macroblocks: int) -> bytes:
    """An H.264 MP4 whose sequence parameter set claims (16 x `macroblocks`) squared pixels.

    The parameter set is rewritten bit by bit (H.264, 7.3.2.1.1) and put back with its length;
    the boxes around it, and the sample offsets behind it, are adjusted.
    """
    kinds = {kind: (start, end) for kind, start, end in boxes(content)}
    (stsd, _), (mdat, _) = kinds[b"stsd"], kinds[b"mdat"]
    avcc = content.index(b"avcC", stsd) - 4
    length = int.from_bytes(content[avcc + 14 : avcc + 16], "big")
    old = content[avcc + 16 : avcc + 16 + length]
    new = _resized_sps(old, macroblocks)
    if mdat < kinds[b"moov"][0]:
        offset_change = 0
    else:
        raise ValueError("expected an MP4 with its index at the end")
    changed = bytearray(content)
    changed[avcc + 14 : avcc + 16 + length] = len(new).to_bytes(2, "big") + new
    grown = len(new) - len(old) + offset_change
    outer = [start for kind, (start, end) in kinds.items() if start < avcc < end]
    for start in (*outer, content.index(b"avc1", stsd) - 4, avcc):
        (size,) = struct.unpack_from(">I", content, start)
        struct.pack_into(">I", changed, start, size + grown)
    return bytes(changed)


def _resized_sps(sps: bytes, macroblocks: int) -> bytes:
    payload = sps[1:].replace(b"\x00\x00\x03", b"\x00\x00")
    bits = "".join(f"{byte:08b}" for byte in payload)
    profile, position = payload[0], 24

    def skip_golomb() -> int:
        nonlocal position
        zeros = bits.index("1", position) - position
        value = int(bits[position + zeros : position + 2 * zeros + 1], 2) - 1
        position += 2 * zeros + 1
        return value

    skip_golomb()  # seq_parameter_set_id
    if profile in (100, 110, 122, 244):
        raise ValueError("expected a baseline or main profile")
    skip_golomb()  # log2_max_frame_num_minus4
    order = skip_golomb()
    if order == 0:
        skip_golomb()
    elif order == 1:
        raise ValueError("expected picture order count type 0 or 2")
    skip_golomb()  # max_num_ref_frames
    position += 1
    before = position
    skip_golomb()
    skip_golomb()
    claim = _golomb(macroblocks - 1)
    text = bits[:before] + claim + claim + bits[position:]
    text += "0" * (-len(text) % 8)
    raw = int(text, 2).to_bytes(len(text) // 8, "big")
    escaped = bytearray()
    for byte in raw:
        if escaped[-2:] == b"\x00\x00" and byte <= 3:
            escaped.append(3)
        escaped.append(byte)
    return sps[:1] + bytes(escaped)


def _golomb(value: int) -> str:
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits


def png_of_zeros(width: int, height: int, rows: int | None = None) -> bytes:
    """A black 1-bit PNG of any size; only `rows` of its rows are there."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    row = b"\x00" * (1 + min((width + 7) // 8, 2**20))
    press = zlib.compressobj(9)
    data = b"".join(press.compress(row) for _ in range(rows or height)) + press.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )
