"""Where XMP packets lie in JPEG, PNG, WebP and MP4 or MOV files; reads no more than it must.

Source: XMP specification part 3 (storage in files). A file is walked from box to box; lengths are
believed only as far as the file goes, and no box is entered twice.
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from encoders.provenance.xmp import PACKET_BYTES_MAX

PACKETS_MAX = 4
_BOXES_MAX = 20_000
_JPEG_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
_JPEG_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_PNG_KEYWORD = b"XML:com.adobe.xmp\0"
_MP4_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


@dataclass(slots=True)
class Packets:
    """The packets of one file. notes: what was not read, and why."""

    found: list[bytes] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, file: BinaryIO, length: int) -> None:
        """The next `length` bytes are a packet."""
        if length > PACKET_BYTES_MAX or len(self.found) >= PACKETS_MAX:
            self.note(f"an XMP packet of {length} bytes was not read")
            return
        packet = file.read(length)
        if len(packet) == length:
            self.found.append(packet)

    def note(self, text: str) -> None:
        if text not in self.notes and len(self.notes) < PACKETS_MAX:
            self.notes.append(text)


def find_packets(file: BinaryIO, form: str, size: int) -> Packets:
    """The packets of a file of `size` bytes; form: its name in `encoders.formats`.

    Formats that are not looked into give none, and a note.
    """
    packets = Packets()
    find = _FINDERS.get(form)
    if find is None:
        packets.note(f"XMP is not looked for in {form} files")
    else:
        file.seek(0)
        find(file, size, packets)
    return packets


def _jpeg(file: BinaryIO, size: int, packets: Packets) -> None:
    file.seek(2)
    for _ in range(_BOXES_MAX):
        marker = file.read(4)
        # The compressed picture begins: nothing of ours follows.
        if len(marker) < 4 or marker[0] != 0xFF or marker[1] in (0xDA, 0xD9):
            return
        length = struct.unpack(">H", marker[2:])[0] - 2
        end = file.tell() + length
        if length < 0 or end > size:
            return
        if marker[1] == 0xE1:
            head = file.read(min(length, len(_JPEG_EXTENSION)))
            if head.startswith(_JPEG_HEADER):
                file.seek(end - length + len(_JPEG_HEADER))
                packets.take(file, length - len(_JPEG_HEADER))
            elif head == _JPEG_EXTENSION:
                packets.note("the extended part of the XMP was not read")
        file.seek(end)


def _png(file: BinaryIO, size: int, packets: Packets) -> None:
    file.seek(8)
    for _ in range(_BOXES_MAX):
        head = file.read(8)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head)
        end = file.tell() + length + 4
        if end > size:
            return
        is_text = kind == b"iTXt" and length > len(_PNG_KEYWORD) + 4
        if is_text and file.read(len(_PNG_KEYWORD)) == _PNG_KEYWORD:
            _png_text(file, length - len(_PNG_KEYWORD), packets)
        file.seek(end)


def _png_text(file: BinaryIO, length: int, packets: Packets) -> None:
    """Flag, method, language and translated keyword, both closed by a zero; then the text."""
    head = file.read(min(length, 512))
    language_end = head.find(b"\0", 2)
    keyword_end = head.find(b"\0", language_end + 1)
    if language_end < 0 or keyword_end < 0:
        return
    rest = length - keyword_end - 1
    file.seek(keyword_end + 1 - len(head), 1)
    if head[0] == 0:
        packets.take(file, rest)
    elif rest <= PACKET_BYTES_MAX:
        inflater = zlib.decompressobj()
        try:
            packet = inflater.decompress(file.read(rest), PACKET_BYTES_MAX)
        except zlib.error:
            packets.note("a compressed XMP packet is damaged")
            return
        if inflater.eof and len(packets.found) < PACKETS_MAX:
            packets.found.append(packet)
        else:
            packets.note("a compressed XMP packet was not read")
    else:
        packets.note(f"an XMP packet of {rest} bytes was not read")


def _webp(file: BinaryIO, size: int, packets: Packets) -> None:
    file.seek(12)
    for _ in range(_BOXES_MAX):
        head = file.read(8)
        if len(head) < 8:
            return
        kind, length = struct.unpack("<4sI", head)
        end = file.tell() + length + length % 2
        if end - length % 2 > size:
            return
        if kind == b"XMP ":
            packets.take(file, length)
        file.seek(end)


def _mp4(file: BinaryIO, size: int, packets: Packets) -> None:
    for kind, start, end in _boxes(file, 0, size):
        if kind == b"uuid":
            file.seek(start)
            if file.read(16) == _MP4_UUID:
                packets.take(file, end - start - 16)
        elif kind == b"moov":
            for inner, inner_start, inner_end in _boxes(file, start, end):
                if inner == b"udta":
                    for leaf, leaf_start, leaf_end in _boxes(file, inner_start, inner_end):
                        if leaf == b"XMP_":
                            file.seek(leaf_start)
                            packets.take(file, leaf_end - leaf_start)


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, first byte of the content and end of each box between `start` and `end`."""
    for _ in range(_BOXES_MAX):
        file.seek(start)
        head = file.read(16)
        if start + 8 > end or len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head[:8])
        content = start + 8
        if length == 1 and len(head) == 16:
            length, content = struct.unpack(">Q", head[8:])[0], start + 16
        elif length == 0:
            length = end - start
        if length < content - start or start + length > end:
            return
        yield kind, content, start + length
        start += length


_FINDERS: Mapping[str, Callable[[BinaryIO, int, Packets], None]] = {
    "jpeg": _jpeg,
    "png": _png,
    "webp": _webp,
    "mov": _mp4,
}
