"""What a browser is told that a file is: by its bytes, never by its name or its sender."""

from pathlib import Path

from encoders.media_types import media_type
from encoders.types import Modality

_SHOWN = frozenset(
    f"{kind}/{form}"
    for kind, forms in {
        "image": "jpeg png gif webp avif bmp",
        "video": "mp4 webm",
        "audio": "flac mpeg wav",
        "application": "ogg",
    }.items()
    for form in forms.split()
)
"""What browsers show."""


def shown_type(path: Path, modality: Modality) -> tuple[str, Modality] | None:
    """Media type and the element that shows it; None for what no browser shows.

    modality: as the item was scored, which tells a sound in a container from a video.

    Raises:
        OSError: the file cannot be read.
    """
    found = media_type(path)
    if found not in _SHOWN:
        return None
    kind, form = found.split("/")
    if kind == "application":
        kind = "video" if modality is Modality.VIDEO else "audio"
    elif kind == "video" and modality is Modality.AUDIO:
        kind = "audio"
    return f"{kind}/{form}", Modality(kind)
