"""What a browser is told that a file is: by its bytes, never by its name or its sender."""

from collections.abc import Mapping
from pathlib import Path

from encoders.formats import HEAD_BYTES, id3_length, sniff
from encoders.types import Modality

_TYPES: Mapping[str, tuple[str, Modality]] = {
    "jpeg": ("image/jpeg", Modality.IMAGE),
    "png": ("image/png", Modality.IMAGE),
    "gif": ("image/gif", Modality.IMAGE),
    "webp": ("image/webp", Modality.IMAGE),
    "avif": ("image/avif", Modality.IMAGE),
    "bmp": ("image/bmp", Modality.IMAGE),
    "mov": ("video/mp4", Modality.VIDEO),
    "matroska": ("video/webm", Modality.VIDEO),
    "ogg": ("audio/ogg", Modality.AUDIO),
    "flac": ("audio/flac", Modality.AUDIO),
    "mp3": ("audio/mpeg", Modality.AUDIO),
    "wav": ("audio/wav", Modality.AUDIO),
}


def shown_type(path: Path, modality: Modality) -> tuple[str, Modality] | None:
    """Media type and the element that shows it; None for what no browser shows.

    modality: as the item was scored, which tells a sound in a container from a video.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        skip = id3_length(head)
        past = b""
        if skip:
            file.seek(skip)
            past = file.read(HEAD_BYTES)
    form = sniff(head, past)
    if form is None or form.name not in _TYPES:
        return None
    media_type, element = _TYPES[form.name]
    if element is Modality.VIDEO and modality is Modality.AUDIO:
        return media_type.replace("video/", "audio/"), Modality.AUDIO
    if media_type == "audio/ogg" and modality is Modality.VIDEO:
        return "video/ogg", Modality.VIDEO
    return media_type, element
