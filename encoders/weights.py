"""The store of model weights: fetched once, checked against pinned hashes, then used offline.

An artefact is one published file and the folder that its conversion gives. Both are pinned by
SHA-256 in `manifest.toml`, so that it does not matter which source served the file.

    <cache>/weights/<name>-<fingerprint>/    finished artefacts, renamed into place when complete
    <cache>/weights/.work/<name>/            downloads under way; kept when interrupted
    <cache>/weights/.work/<name>.lock        one process at a time on one artefact
"""

import importlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import filelock

from encoders.errors import WeightsError, WeightsMissing
from encoders.weight_download import Download, Progress, ProgressHandler, Stage, require
from encoders.weight_manifest import Artefact, load_manifest


class Status(StrEnum):
    """State of an artefact in the cache: `PRESENT` by sizes alone, `VERIFIED` by SHA-256."""

    VERIFIED = "verified"
    PRESENT = "present"
    MISSING = "missing"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class ArtefactRow:
    """An artefact and its state in one cache."""

    name: str
    description: str
    licence: str
    size_bytes: int
    status: Status
    path: Path
    sources: tuple[str, ...]


def default_cache_directory() -> Path:
    """$MODERATION_CACHE_DIR, else `real-moderation` below $XDG_CACHE_HOME or ~/.cache."""
    if named := os.environ.get("MODERATION_CACHE_DIR"):
        return Path(named).expanduser()
    parent = os.environ.get("XDG_CACHE_HOME")
    return (Path(parent) if parent else Path.home() / ".cache") / "real-moderation"


class WeightStore:
    """Finished artefacts in a cache folder, and the way to get them there.

    cache_dir: shared by any number of processes; by default `default_cache_directory()`.
    offline: never use the network.
    local_dir: tried after the network: a folder with published files or their wheels; by default
        $MODERATION_WEIGHTS_DIR.
    manifest: by default the packaged one.
    """

    def __init__(
        self,
        *,
        cache_dir: Path | None = None,
        offline: bool = False,
        local_dir: Path | None = None,
        manifest: Mapping[str, Artefact] | None = None,
    ) -> None:
        self._root = (cache_dir or default_cache_directory()) / "weights"
        self._offline = offline
        named = os.environ.get("MODERATION_WEIGHTS_DIR")
        self._local = local_dir or (Path(named).expanduser() if named else None)
        self._manifest = load_manifest() if manifest is None else dict(manifest)

    @property
    def names(self) -> tuple[str, ...]:
        """Of all artefacts in the manifest."""
        return tuple(self._manifest)

    def artefact(self, name: str) -> Artefact:
        """The manifest's entry.

        Raises:
            WeightsMissing: no such name.
        """
        if name not in self._manifest:
            raise WeightsMissing(
                f"no artefact is called {name!r}",
                expected=f"one of {', '.join(self._manifest)}",
                remedy="See `moderation models list`.",
            )
        return self._manifest[name]

    def path(self, name: str) -> Path:
        """The folder of a finished artefact; looks at names and sizes, reads nothing.

        Raises:
            WeightsMissing: not, or not whole, in the cache.
        """
        artefact = self.artefact(name)
        state = self._state(artefact)
        if state is not Status.PRESENT:
            raise WeightsMissing(
                f"{name} is {state} in {self._root}",
                expected=", ".join(output.name for output in artefact.outputs),
                remedy=f"Run `moderation models pull {name}`.",
            )
        return self._folder(artefact)

    def verify(self, name: str) -> Status:
        """Read every file of an artefact and compare it with its pinned SHA-256."""
        artefact = self.artefact(name)
        state = self._state(artefact)
        if state is not Status.PRESENT:
            return state
        folder = self._folder(artefact)
        whole = all(output.matches(folder / output.name) for output in artefact.outputs)
        return Status.VERIFIED if whole else Status.DAMAGED

    def list(self) -> tuple[ArtefactRow, ...]:
        """Every artefact with its state, by sizes alone."""
        return tuple(
            ArtefactRow(
                name=artefact.name,
                description=artefact.description,
                licence=artefact.licence,
                size_bytes=artefact.size_bytes,
                status=self._state(artefact),
                path=self._folder(artefact),
                sources=tuple(str(source) for source in artefact.sources),
            )
            for artefact in self._manifest.values()
        )

    def pull(self, name: str, progress: ProgressHandler = lambda _: None) -> Path:
        """Get an artefact into the cache unless it is there whole; returns its folder.

        What an interrupted pull had finished is kept and used by the next. Two processes that
        pull the same artefact do the work once. A damaged artefact is replaced. `progress` is
        also called from a second thread while a download runs.

        Raises:
            ChecksumMismatch: a source served other bytes, and no other source the right ones;
                or the conversion gave other bytes than those pinned.
            WeightsMissing: no source could provide the file.
        """
        artefact = self.artefact(name)
        work = self._root / ".work"
        work.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(work / f"{name}.lock"):
            if self.verify(name) is not Status.VERIFIED:
                self._build(artefact, work / name, progress)
        total = artefact.size_bytes
        progress(Progress(name, Stage.DONE, bytes_done=total, bytes_total=total))
        return self._folder(artefact)

    def _folder(self, artefact: Artefact) -> Path:
        return self._root / f"{artefact.name}-{artefact.fingerprint}"

    def _state(self, artefact: Artefact) -> Status:
        folder = self._folder(artefact)
        if not folder.is_dir():
            return Status.MISSING
        for output in artefact.outputs:
            path = folder / output.name
            if not path.is_file() or path.stat().st_size != output.size_bytes:
                return Status.DAMAGED
        return Status.PRESENT

    def _build(self, artefact: Artefact, work: Path, progress: ProgressHandler) -> None:
        """Fetch, convert, check and rename into place; the caller holds the artefact's lock."""
        work.mkdir(exist_ok=True)
        download = Download(
            artefact=artefact,
            work=work,
            is_offline=self._offline,
            local_dir=self._local,
            progress=progress,
        )
        raw = download.run()
        progress(Progress(artefact.name, Stage.CONVERT))
        built = work / "built"
        shutil.rmtree(built, ignore_errors=True)
        built.mkdir()
        try:
            importlib.import_module(artefact.converter).convert(raw, built)
        except ImportError as error:
            raise WeightsError(
                f"{artefact.name} cannot be converted: {error}",
                expected="the `judge` extra",
                remedy="Run `pip install 'real-moderation[judge]'`.",
            ) from error
        for output in artefact.outputs:
            require(output, built / output.name, f"the conversion of {artefact.name}")
            with (built / output.name).open("rb") as file:
                os.fsync(file.fileno())
        folder = self._folder(artefact)
        if folder.exists():
            shutil.rmtree(work / "damaged", ignore_errors=True)
            folder.rename(work / "damaged")
        built.replace(folder)
        shutil.rmtree(work)
