"""IPTC's DigitalSourceType in an XMP packet, by a parser that expands nothing.

Source: XMP specification part 1 (ISO 16684-1); IPTC Photo Metadata Standard 2022.1. A property
is an attribute of `rdf:Description`, or an element with text or with `rdf:resource`.
"""

from xml.parsers import expat

PACKET_BYTES_MAX = 1 << 20
"""Longer packets are not read: real ones have a few kilobytes."""

_ELEMENTS_MAX = 20_000
_DEPTH_MAX = 64
_VALUES_MAX = 16
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/ DigitalSourceType"
_RESOURCE = "http://www.w3.org/1999/02/22-rdf-syntax-ns# resource"


class RefusedPacket(Exception):
    """A packet that is no well-formed XML, or that asks for more than an XMP packet needs."""


def digital_source_types(packet: bytes) -> tuple[str, ...]:
    """The values of DigitalSourceType in `packet`, in order, each once.

    Raises:
        RefusedPacket: longer than `PACKET_BYTES_MAX`, not well-formed, with a document type
            (which is where entities are declared), or too deep.
    """
    if len(packet) > PACKET_BYTES_MAX:
        raise RefusedPacket(f"an XMP packet of {len(packet)} bytes")
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse_doctype
    parser.EntityDeclHandler = reader.refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(packet.rstrip(b"\0 \t\r\n"), True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise RefusedPacket(f"an XMP packet that is no XML ({error})") from error
    return tuple(dict.fromkeys(reader.values))


class _Reader:
    def __init__(self) -> None:
        self.values: list[str] = []
        self._elements = 0
        self._depth = 0
        self._inside_at: int | None = None
        self._words: list[str] = []

    def refuse_doctype(self, *_: object) -> None:
        raise RefusedPacket("an XMP packet with a document type")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._depth += 1
        if self._elements > _ELEMENTS_MAX or self._depth > _DEPTH_MAX:
            raise RefusedPacket("an XMP packet with too many elements")
        if _IPTC in attributes:
            self._keep(attributes[_IPTC])
        if name == _IPTC:
            self._inside_at = self._depth
            self._words = []
        if self._inside_at is not None and _RESOURCE in attributes:
            self._keep(attributes[_RESOURCE])

    def end(self, _: str) -> None:
        if self._inside_at == self._depth:
            self._keep("".join(self._words))
            self._inside_at = None
        self._depth -= 1

    def text(self, words: str) -> None:
        if self._inside_at is not None:
            self._words.append(words)

    def _keep(self, value: str) -> None:
        value = value.strip()[:200]
        if value and len(self.values) < _VALUES_MAX:
            self.values.append(value)
