"""Reads a file's provenance: the part for the sandbox child, and the part for its parent."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from encoders.base import ReadLimits
from encoders.errors import EmptyFile, MediaError, UnreadableFile, UnsupportedMedia
from encoders.provenance.types import ManifestState, Provenance, pack, unpack
from encoders.sandbox import Sandbox
from encoders.sandbox_wire import MalformedAnswer

TRUST_ANCHORS_CHARACTERS_MAX = 900_000
"""What a request to the child can carry; the C2PA trust list has a third of that."""


def report(path: str, _limits: ReadLimits, *, trust_anchors: str = "") -> dict[str, Any]:
    """In the child: everything that `path` says of its origin.

    Raises:
        UnsupportedMedia: no format that is ever opened.
    """
    from encoders.provenance.manifest import read_manifest
    from encoders.provenance.xmp import RefusedPacket, digital_source_types
    from encoders.provenance.xmp_packets import find_packets
    from encoders.readers.opening import identify

    form, size = identify(path)
    with Path(path).open("rb") as file:
        packets = find_packets(file, form.name, size)
        types: dict[str, None] = {}
        for packet in packets.found:
            try:
                types |= dict.fromkeys(digital_source_types(packet))
            except RefusedPacket as refused:
                packets.note(f"not read: {refused}")
        file.seek(0)
        provenance = read_manifest(file, trust_anchors)
    return pack(
        replace(
            provenance,
            xmp_source_types=tuple(types),
            notes=(*provenance.notes, *packets.notes),
        )
    )


def read_provenance(sandbox: Sandbox, path: Path, *, trust_anchors: str = "") -> Provenance:
    """What `path` says of its origin, read in a child of `sandbox`.

    A file whose marks make the reader crash or hang gives `UNREADABLE`: that is no error of the
    picture in it. trust_anchors: PEM of trusted signers.

    Raises:
        UnreadableFile, EmptyFile, UnsupportedMedia, TransientError: the file itself.
        ValueError: more trust anchors than a request to the child can carry.
    """
    if len(trust_anchors) > TRUST_ANCHORS_CHARACTERS_MAX:
        raise ValueError(f"trust anchors of {len(trust_anchors)} characters")
    options = {"trust_anchors": trust_anchors}
    try:
        return unpack(sandbox.report(path, f"{__name__}:{report.__name__}", options))
    except (UnreadableFile, EmptyFile, UnsupportedMedia):
        raise
    except (MediaError, MalformedAnswer) as error:
        reason = error.code if isinstance(error, MediaError) else "malformed_answer"
        return Provenance(ManifestState.UNREADABLE, reasons=(reason,))
