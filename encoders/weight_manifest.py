"""The manifest of weights: which published file, from where, and what its conversion gives."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from encoders.errors import WeightsError
from encoders.weight_sources import HubSource, Source, WheelSource

_SOURCE_KINDS: dict[str, type[HubSource] | type[WheelSource]] = {
    "hub": HubSource,
    "wheel": WheelSource,
}


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """A file by name, SHA-256 and size."""

    name: str
    sha256: str
    size_bytes: int

    def matches(self, path: Path) -> bool:
        """Whether `path` is this file; reads all of it if the size is right."""
        if not path.is_file() or path.stat().st_size != self.size_bytes:
            return False
        return file_sha256(path) == self.sha256


@dataclass(frozen=True, slots=True)
class Artefact:
    """One entry: `raw` from the first of `sources` that has it, converted to `outputs`.

    converter: module with `convert(raw, destination)`.
    """

    name: str
    description: str
    licence: str
    converter: str
    raw: PinnedFile
    sources: tuple[Source, ...]
    outputs: tuple[PinnedFile, ...]

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits over the pinned outputs: new content gets a new folder."""
        text = "\n".join(f"{output.name} {output.sha256}" for output in self.outputs)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def size_bytes(self) -> int:
        """Of all outputs."""
        return sum(output.size_bytes for output in self.outputs)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_manifest(text: str | None = None) -> dict[str, Artefact]:
    """The artefacts by name; of the packaged manifest unless `text` (TOML) is given.

    Raises:
        WeightsError: an entry lacks a key or has an unknown one.
    """
    if text is None:
        text = resources.files("encoders").joinpath("manifest.toml").read_text("utf-8")
    artefacts = {}
    for name, entry in tomllib.loads(text).items():
        try:
            artefacts[name] = _artefact(name, entry)
        except (KeyError, TypeError) as error:
            raise WeightsError(
                f"manifest entry {name!r} does not read: {error}",
                expected="description, licence, converter, raw, sources and outputs",
                remedy="Compare it with the packaged manifest.toml.",
            ) from error
    return artefacts


def _artefact(name: str, entry: Mapping[str, Any]) -> Artefact:
    return Artefact(
        name=name,
        description=entry["description"],
        licence=entry["licence"],
        converter=entry["converter"],
        raw=PinnedFile(**entry["raw"]),
        sources=tuple(_source(**source) for source in entry["sources"]),
        outputs=tuple(PinnedFile(**output) for output in entry["outputs"]),
    )


def _source(*, kind: str, **fields: Any) -> Source:
    return _SOURCE_KINDS[kind](**fields)
