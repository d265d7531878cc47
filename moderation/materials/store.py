"""Materials on disk, beside the blobs: whole or not at all, and checked whenever they are read.

`materials/ab/abcd…/SETUP/` holds `index.json` and the pieces that it names, with the SHA-256 of
each. SETUP stands for judge, encoders, sampling and format, so that what another setup made is
never shown for this one. All of it can be made again from the blob.
"""

import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moderation.errors import OutputError, TransientError
from moderation.intake.blobs import media_name

FORMAT = 1
INDEX = "index.json"
INDEX_BYTES_MAX = 4 * 2**20
_PIECE = re.compile(r"[a-z][a-z0-9_-]{0,79}\.(png|jpg|json)")
_DIGEST_HEAD = re.compile(rb"[0-9a-f]{64}\n")


class MaterialsDamaged(TransientError):
    """Files that are not what was written; they are dropped, to be made again."""

    code = "materials_damaged"


class MaterialsTooLarge(TransientError):
    """More bytes than an item's materials may have."""

    code = "materials_too_large"


@dataclass(frozen=True, slots=True)
class MaterialLimits:
    """bytes_max: of all that one item has, 0 for none. frames_max, frame_side_max: of pictures."""

    bytes_max: int = 8 * 2**20
    frames_max: int = 12
    frame_side_max: int = 960


@dataclass(frozen=True, slots=True)
class MadeMaterials:
    """facts: JSON values. pieces: file name -> content."""

    facts: Mapping[str, Any]
    pieces: Mapping[str, bytes]

    def __post_init__(self) -> None:
        for name in self.pieces:
            if not is_piece_name(name):
                raise ValueError(f"{name[:80]!r} is no name of a piece")


def is_piece_name(name: str) -> bool:
    """Whether it can be the file of a piece: a plain name of a kind that is served."""
    return name != INDEX and _PIECE.fullmatch(name) is not None


def setup_name(judge_id: str, setup: str) -> str:
    """The folder of what this judge and setup made, 16 hexadecimal digits."""
    return hashlib.sha256(f"{FORMAT}\0{judge_id}\0{setup}".encode()).hexdigest()[:16]


class MaterialStore:
    """A folder of materials by SHA-256 of the media and by setup, see `setup_name`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, sha256: str, setup: str) -> bool:
        """Whether some are there; reading them says whether they are whole."""
        return (self._place(sha256, setup) / INDEX).is_file()

    def write(self, sha256: str, setup: str, made: MadeMaterials, *, bytes_max: int) -> None:
        """Keep `made`; those that are there already stay.

        Raises:
            MaterialsTooLarge: they have more than `bytes_max` bytes; nothing is kept.
            OutputError: the disk does not take them.
        """
        index = _index(made)
        size_bytes = len(index) + sum(map(len, made.pieces.values()))
        if size_bytes > bytes_max or len(index) > INDEX_BYTES_MAX:
            raise MaterialsTooLarge(
                f"materials of {size_bytes} bytes",
                expected=f"at most {bytes_max} bytes",
                remedy="Raise MODERATION_MATERIALS_BYTES_MAX.",
            )
        place = self._place(sha256, setup)
        partial = place.with_name(f".{setup}.{secrets.token_hex(8)}")
        try:
            partial.mkdir(parents=True)
            for name, content in {**made.pieces, INDEX: index}.items():
                (partial / name).write_bytes(content)
            # Another worker's are as good: a folder that has files is not replaced.
            with suppress(FileExistsError):
                _rename(partial, place)
        except OSError as error:
            remedy = "Make room, or correct the permissions of MODERATION_DATA_DIR."
            raise OutputError.of(error, "materials", remedy=remedy) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def facts(self, sha256: str, setup: str) -> Mapping[str, Any] | None:
        """What was made, as JSON values; None where nothing is there.

        Raises:
            MaterialsDamaged: it is not what was written; it is gone now.
        """
        index = self._read_index(sha256, setup)
        return None if index is None else index["facts"]

    def names(self, sha256: str, setup: str) -> list[str]:
        """The pieces that are there, by name.

        Raises:
            MaterialsDamaged: see `facts`.
        """
        index = self._read_index(sha256, setup)
        return [] if index is None else sorted(index["pieces"])

    def piece(self, sha256: str, setup: str, name: str) -> bytes | None:
        """The content of a piece; None where there is none of this name.

        Raises:
            MaterialsDamaged: it is not what was written; all of the item's are gone now.
        """
        index = self._read_index(sha256, setup)
        if index is None or name not in index["pieces"]:
            return None
        try:
            content = (self._place(sha256, setup) / name).read_bytes()
        except OSError:
            content = b""
        if hashlib.sha256(content).hexdigest() != index["pieces"][name]:
            raise self._dropped(sha256, setup, name)
        return content

    def drop(self, sha256: str) -> None:
        """Delete all of this content's, of every setup.

        Raises:
            OutputError: they cannot be deleted.
        """
        try:
            shutil.rmtree(self._folder / media_name(sha256))
        except FileNotFoundError:
            pass
        except OSError as error:
            remedy = "Correct the permissions, then run it again: the erasure stays open."
            raise OutputError.of(error, f"the deletion of {sha256}", remedy=remedy) from error

    def _read_index(self, sha256: str, setup: str) -> dict[str, Any] | None:
        try:
            with (self._place(sha256, setup) / INDEX).open("rb") as file:
                content = file.read(INDEX_BYTES_MAX + 1)
        except FileNotFoundError:
            return None
        digest, body = content[:64], content[65:]
        is_whole = _DIGEST_HEAD.match(content) is not None
        if not is_whole or hashlib.sha256(body).hexdigest().encode() != digest:
            raise self._dropped(sha256, setup, INDEX)
        index: dict[str, Any] = json.loads(body)
        return index

    def _dropped(self, sha256: str, setup: str, name: str) -> MaterialsDamaged:
        shutil.rmtree(self._place(sha256, setup), ignore_errors=True)
        return MaterialsDamaged(
            f"{name} of {sha256[:12]}… is not what was written",
            expected="files as they were made",
            remedy="Ask again later: they are made again.",
        )

    def _place(self, sha256: str, setup: str) -> Path:
        return self._folder / media_name(sha256) / setup


def _index(made: MadeMaterials) -> bytes:
    """A line with the digest of what follows, then JSON."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in made.pieces.items()}
    body = json.dumps({"pieces": digests, "facts": made.facts}, allow_nan=False).encode()
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _rename(partial: Path, place: Path) -> None:
    try:
        partial.rename(place)
    except OSError as error:
        if not (place / INDEX).is_file():
            raise
        raise FileExistsError(str(place)) from error
