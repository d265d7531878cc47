"""XMP packets of strangers: found in each container, however written; bombs are refused."""

import dataclasses
import struct
import tracemalloc
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from encoders.base import ReadLimits
from encoders.provenance.reading import read_provenance
from encoders.provenance.types import ManifestState
from encoders.provenance.xmp import PACKET_BYTES_MAX, RefusedPacket, digital_source_types
from encoders.provenance.xmp_packets import find_packets
from encoders.sandbox import ChildExit, Sandbox
from tests.unit.provenance.signing import TRAINED
from tests.unit.provenance.test_provenance import SAMPLES, read

ATTRIBUTE = f"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
<rdf:Description rdf:about="" e:DigitalSourceType="{TRAINED}"/>
</rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()


ELEMENT = ATTRIBUTE.replace(
    f' e:DigitalSourceType="{TRAINED}"/>'.encode(),
    b"><e:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/"
    b"compositeSynthetic</e:DigitalSourceType></rdf:Description>",
)


RESOURCE = ATTRIBUTE.replace(
    f' e:DigitalSourceType="{TRAINED}"/>'.encode(),
    f'><e:DigitalSourceType rdf:resource="{TRAINED}"/></rdf:Description>'.encode(),
)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (ATTRIBUTE, (TRAINED,)),
        (ELEMENT, ("http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic",)),
        (RESOURCE, (TRAINED,)),
        (ATTRIBUTE.replace(b"Iptc4xmpExt", b"Another"), ()),
    ],
    ids=["attribute", "element", "resource", "other namespace"],
)
def test_each_way_to_write_the_property_is_read(packet: bytes, expected: tuple[str, ...]) -> None:
    assert digital_source_types(packet) == expected


BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(
        b'<!ENTITY %s "%s">' % (bytes([98 + n]), b"&%s;" % bytes([97 + n]) * 10) for n in range(12)
    )
    + b"]><x>&m;</x>"
)


@pytest.mark.parametrize(
    "packet",
    [
        BOMB,
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        b"<x>" * 200 + b"</x>" * 200,
        b"<x>" + b"<y/>" * 30_000 + b"</x>",
        b"<x",
        b"",
        b"\xff\xfe\x00",
        b"\x00" * 100,
        b'<?xml version="1.0" encoding="nonsense"?><x/>',
        b" " * (PACKET_BYTES_MAX + 1),
    ],
    ids=["bomb", "external", "deep", "many", "cut", "empty", "bytes", "zeros", "encoding", "long"],
)
def test_a_hostile_packet_is_refused(packet: bytes) -> None:
    with pytest.raises(RefusedPacket):
        digital_source_types(packet)


def jpeg_with(packet: bytes) -> bytes:
    content = (SAMPLES / "photo-genuine.jpg").read_bytes()
    segment = b"http://ns.adobe.com/xap/1.0/\0" + packet
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + content[2:]


def picture(form: str) -> bytes:
    written = BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 30)).save(written, form)
    return written.getvalue()


def png_with(packet: bytes, *, compressed: bool = False, claimed: int | None = None) -> bytes:
    content = picture("PNG")
    text = zlib.compress(packet, 9) if compressed else packet
    body = b"XML:com.adobe.xmp\0" + bytes([compressed]) + b"\0\0\0" + text
    length = len(body) if claimed is None else claimed
    chunk = struct.pack(">I", length) + b"iTXt" + body
    return content[:33] + chunk + struct.pack(">I", zlib.crc32(chunk[4:])) + content[33:]


def webp_with(packet: bytes) -> bytes:
    written = BytesIO()
    Image.new("RGB", (64, 64)).save(written, "WEBP", xmp=packet)
    return written.getvalue()


def mp4_with(packet: bytes) -> bytes:
    content = (SAMPLES / "video-genuine.mp4").read_bytes()
    body = bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + packet
    return content + struct.pack(">I", len(body) + 8) + b"uuid" + body


CONTAINERS = {
    "jpeg": jpeg_with,
    "png": png_with,
    "png, compressed": lambda packet: png_with(packet, compressed=True),
    "webp": webp_with,
    "mp4": mp4_with,
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_iptc_s_source_type_is_found(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    for packet in (ATTRIBUTE, ELEMENT):
        found = read(sandbox, tmp_path, CONTAINERS[name](packet))
        assert found.manifest is ManifestState.ABSENT
        assert found.xmp_source_types == found.source_types != ()
        assert found.declares_synthetic


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_bomb_in_a_file_is_noted(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    found = read(sandbox, tmp_path, CONTAINERS[name](BOMB))
    assert found.xmp_source_types == ()
    assert found.notes == ("not read: an XMP packet with a document type",)


@pytest.mark.parametrize("name", ["png", "mp4", "webp", "jpeg"])
def test_a_packet_of_a_hundred_megabytes_is_not_taken_in(tmp_path: Path, name: str) -> None:
    forms = {"mp4": "mov"}
    path = tmp_path / "file"
    path.write_bytes(CONTAINERS[name](ATTRIBUTE))
    whole = path.read_bytes()
    where = whole.index(ATTRIBUTE)
    with path.open("r+b") as file:
        if name == "png":
            at = whole.index(b"iTXt") - 4
            file.seek(at)
            file.write(struct.pack(">I", 100_000_000))
        elif name == "mp4":
            file.seek(where - 24)
            file.write(struct.pack(">I", 100_000_000))
        elif name == "webp":
            file.seek(where - 4)
            file.write(struct.pack("<I", 100_000_000))
        file.truncate(120_000_000)
    tracemalloc.start()
    with path.open("rb") as file:
        packets = find_packets(file, forms.get(name, name), 120_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * PACKET_BYTES_MAX
    if name == "jpeg":  # no segment can be that long: what follows is picture
        assert packets.found == [ATTRIBUTE]
    else:
        assert packets.found == []
        assert "was not read" in packets.notes[0]


def test_a_packet_beyond_the_memory_of_the_child_harms_nobody(tmp_path: Path) -> None:
    # The C2PA library does take a packet in, so that the limit on memory is what holds it.
    vast = 900 * 2**20
    path = tmp_path / "vast.mp4"
    path.write_bytes(mp4_with(ATTRIBUTE))
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size - len(ATTRIBUTE) - 24)
        file.write(struct.pack(">I", vast))
        file.truncate(size - len(ATTRIBUTE) - 24 + vast)
    limits = dataclasses.replace(ReadLimits(), memory_bytes=700 * 2**20)
    ended: list[ChildExit] = []
    with Sandbox(limits=limits, on_exit=ended.append) as narrow:
        found = read_provenance(narrow, path)
        assert found.manifest is ManifestState.UNREADABLE
        assert ended[-1].max_rss_bytes < limits.memory_bytes
        # The next file is read as if nothing had been.
        again = read_provenance(narrow, SAMPLES / "photo-genuine.jpg")
    assert again.manifest is ManifestState.ABSENT


def test_a_packet_that_inflates_without_end_takes_no_memory(
    sandbox: Sandbox, exits: list[ChildExit], tmp_path: Path
) -> None:
    found = read(sandbox, tmp_path, png_with(b" " * 100_000_000, compressed=True))
    assert found.notes == ("a compressed XMP packet was not read",)
    assert exits[-1].max_rss_bytes < 400 * 2**20


def test_lengths_that_lie_end_the_search(sandbox: Sandbox, tmp_path: Path) -> None:
    lying = {
        "png": png_with(ATTRIBUTE, claimed=2**31),
        "jpeg": jpeg_with(ATTRIBUTE)[:2] + b"\xff\xe1\xff\xff" + ATTRIBUTE,
        "mp4": (SAMPLES / "video-genuine.mp4").read_bytes() + struct.pack(">I4s", 1, b"uuid"),
    }
    for content in lying.values():
        assert read(sandbox, tmp_path, content).xmp_source_types == ()
