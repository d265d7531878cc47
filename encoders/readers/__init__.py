"""Readers of media files, and the choice among them. Imported by the sandbox child only."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from encoders.base import ReadLimits, ReadRequest
from encoders.errors import CorruptMedia, MediaError, UnsupportedMedia
from encoders.readers import pyav
from encoders.readers.minimum import require_enough
from encoders.readers.opening import identify
from encoders.readers.pillow import PillowReader
from encoders.readers.scan import Scan, scan
from encoders.types import DecodedMedia

ALL_READERS = ("pillow", "decord", "pyav")


def read(
    path: str,
    request: ReadRequest,
    limits: ReadLimits,
    readers: Collection[str] = ALL_READERS,
) -> DecodedMedia:
    """Decode any supported file with the readers in `readers`.

    Stills go to Pillow. Everything else is scanned under PyAV's guard; then decord takes the
    video where nothing speaks against it, and PyAV the rest.

    Raises:
        MediaError: not supported, damaged, beyond `limits`, or too little to score.
    """
    with _plain_name(path) as name:
        media = _read(name, request, limits, readers)
    require_enough(media, request)
    return media


@contextmanager
def _plain_name(path: str) -> Iterator[str]:
    """A name in ASCII for the same file: decord cannot take bytes that are not UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        with Path(path).open("rb") as file:
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        yield path


def _read(
    path: str, request: ReadRequest, limits: ReadLimits, readers: Collection[str]
) -> DecodedMedia:
    form, size = identify(path)
    if form.pillow:
        return PillowReader().read(path, request, limits)
    found = scan(path, form, size, limits)
    if "decord" in readers:
        media = _with_decord(path, found, request, limits, "pyav" not in readers)
        if media is not None:
            return media
    if "pyav" not in readers:
        raise UnsupportedMedia(
            f"a {form.name} file that decord does not take",
            expected="a file for one of " + ", ".join(sorted(readers)),
            remedy="Allow the pyav reader.",
        )
    return pyav.decode(path, found, request, limits)


def _with_decord(
    path: str, found: Scan, request: ReadRequest, limits: ReadLimits, insist: bool
) -> DecodedMedia | None:
    """decord's result; None where PyAV should be asked instead."""
    try:
        from encoders.readers import decord  # no wheel for every platform
    except (ImportError, OSError):
        return None
    if not insist and decord.why_not(found) is not None:
        return None
    try:
        media = decord.decode(path, found, request, limits)
    except CorruptMedia:
        if insist:
            raise
        return None
    return media if insist or decord.agrees(media, found) else None


__all__ = ["ALL_READERS", "MediaError", "read"]
