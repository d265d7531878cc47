"""Where media lie, and that a label file does not lead outside."""

import os
from dataclasses import dataclass
from pathlib import Path

from encoders.types import Modality
from rl.imports.label_files import shown, wrong

SUFFIXES: dict[Modality, frozenset[str]] = {
    Modality.IMAGE: frozenset(".avif .gif .heic .heif .jpeg .jpg .png .webp".split()),
    Modality.VIDEO: frozenset(".avi .flv .m4v .mkv .mov .mp4 .mpeg .mpg .ts .webm".split()),
    Modality.AUDIO: frozenset(".aac .flac .m4a .mp3 .oga .ogg .opus .wav".split()),
}


@dataclass(frozen=True, slots=True)
class MediaRoot:
    """The folder that a label file's names start at.

    may_leave: whether absolute names and names that lead out of it are taken.
    """

    folder: Path
    may_leave: bool = False

    def locate(self, name: str, where: str) -> Path:
        """The absolute path of `name`, whether or not there is such a file.

        Links are followed: one that leads out of the folder counts as outside it.

        Raises:
            ManifestError: the name is empty or no name, or it leads out of the folder.
        """
        if not name or "\0" in name or not _is_utf8(name):
            raise wrong(where, f"path {shown(name)}", "the name of a file")
        path = Path(os.path.abspath(self.folder / name))  # noqa: PTH100 - links stay as written
        if not self.may_leave:
            inside = Path(os.path.realpath(self.folder))
            if Path(name).is_absolute() or not Path(os.path.realpath(path)).is_relative_to(inside):
                raise wrong(
                    where,
                    f"path {shown(name)} leads out of {self.folder}",
                    "a path within that folder",
                    "Name the folder of the media with --media, or allow it with --allow-outside.",
                )
        return path


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def modality_by_suffix(path: Path) -> Modality | None:
    """What the name's ending says; None where it says nothing."""
    suffix = path.suffix.lower()
    return next((modality for modality, known in SUFFIXES.items() if suffix in known), None)


def files_of(folder: Path, modality: Modality) -> list[Path]:
    """Files under `folder` whose suffix is of `modality`, in order of their names; none hidden."""
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if not name.startswith(".") and modality_by_suffix(path) is modality:
                found.append(path)
    return found


def folders_of(folder: Path) -> list[Path]:
    """Folders in `folder`, in order of their names; none hidden; [] where there is no folder."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
