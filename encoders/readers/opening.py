"""Opens a file no further than its first bytes allow."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import av
import av.error

from encoders.base import ReadLimits
from encoders.errors import CorruptMedia, UnsupportedMedia
from encoders.formats import (
    AUDIO_CODECS,
    HEAD_BYTES,
    VIDEO_CODECS,
    Format,
    id3_length,
    sniff,
)

_TAGS_MAX = 64
_TAG_CHARACTERS_MAX = 200


def identify(path: str) -> tuple[Format, int]:
    """The format of the bytes at `path`, and how many there are.

    Raises:
        UnsupportedMedia: nothing on the allow-list starts like this.
    """
    with Path(path).open("rb") as file:
        head = file.read(HEAD_BYTES)
        skip = id3_length(head)
        past = b""
        if skip:
            file.seek(skip)
            past = file.read(HEAD_BYTES)
        size = file.seek(0, 2)
    form = sniff(head, past)
    if form is None:
        raise UnsupportedMedia(
            f"the file starts with {head[:12]!r}",
            expected="a picture, sound or video format (by content; the suffix does not matter)",
            remedy="Convert it to MP4, WAV, JPEG or PNG.",
        )
    return form, size


def clean_tags(raw: Mapping[str, Any]) -> dict[str, str]:
    """Container or EXIF tags as short printable strings: they are whatever a stranger wrote."""
    tags: dict[str, str] = {}
    for key, value in list(raw.items())[:_TAGS_MAX]:
        text = "".join(c for c in str(value)[:_TAG_CHARACTERS_MAX] if c.isprintable()).strip()
        name = "".join(c for c in str(key)[:64] if c.isprintable()).strip()
        if text and name:
            tags[name] = text
    return tags


@cache
def allowed_decoders() -> tuple[str, ...]:
    """FFmpeg's names of all decoders for the codecs on the allow-list: mp3 has several."""
    allowed = VIDEO_CODECS | AUDIO_CODECS
    found = []
    for name in sorted(av.codecs_available):
        try:
            decoder = av.Codec(name, "r")
        except ValueError:
            continue  # an encoder
        if {decoder.name, decoder.canonical_name} & allowed:
            found.append(decoder.name)
    return tuple(found)


@contextmanager
def guarded(path: str, form: Format, limits: ReadLimits) -> Iterator[Any]:
    """Open with PyAV: one demuxer, local files only, no picture beyond `limits.pixels_max`.

    FFmpeg opens decoders to find out what a stream is: those of the allow-list only.

    Raises:
        CorruptMedia: the header cannot be read.
        UnsupportedMedia: there is no decoder for any of its streams.
    """
    av.logging.set_level(None)
    options = {
        "max_pixels": str(limits.pixels_max),
        "protocol_whitelist": "file",
        "format_whitelist": form.demuxer,
        "codec_whitelist": ",".join(allowed_decoders()),
    }
    try:
        container = av.open(path, format=form.demuxer, options=options, metadata_errors="replace")
    except MemoryError:
        raise  # PyAV's is an FFmpegError too, but says nothing of the file
    except (av.error.FFmpegError, UnicodeError, ValueError) as error:
        raise CorruptMedia(
            f"the {form.name} header cannot be read ({describe(error)})",
            expected="a complete file",
            remedy="Fetch the file again, or ask for the original.",
        ) from error
    try:
        for stream in container.streams:
            if stream.type in ("video", "audio") and stream.codec_context is not None:
                stream.codec_context.options = {"max_pixels": str(limits.pixels_max)}
                stream.codec_context.thread_count = 1
        yield container
    finally:
        container.close()


def describe(error: BaseException) -> str:
    """One line about a decoder's exception, without the paths that FFmpeg puts into it."""
    return str(getattr(error, "strerror", None) or error).splitlines()[0][:160]
