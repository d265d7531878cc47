"""The media type of a file by its own bytes: what a browser is told that it is."""

from pathlib import Path

from encoders.formats import HEAD_BYTES, id3_length, sniff

UNKNOWN = "application/octet-stream"
_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "tiff": "image/tiff",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "avif": "image/avif",
    "heic": "image/heic",
    "mov": "video/mp4",
    "matroska": "video/webm",
    "ogg": "application/ogg",
    "flac": "audio/flac",
    "mpeg-ps": "video/mpeg",
    "mpeg-video": "video/mpeg",
    "mpeg-ts": "video/mp2t",
    "flv": "video/x-flv",
    "asf": "video/x-ms-asf",
    "avi": "video/x-msvideo",
    "wav": "audio/wav",
    "aiff": "audio/aiff",
    "au": "audio/basic",
    "caf": "audio/x-caf",
    "amr": "audio/amr",
    "aac": "audio/aac",
    "mp3": "audio/mpeg",
}


def media_type(path: Path) -> str:
    """By the first bytes, never by the name; what is not known is a mere stream of bytes.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        past_id3 = b""
        if length := id3_length(head):
            file.seek(length)
            past_id3 = file.read(HEAD_BYTES)
    form = sniff(head, past_id3)
    return UNKNOWN if form is None else _TYPES.get(form.name, UNKNOWN)
