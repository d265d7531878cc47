"""Features already computed, found by the bytes and by everything that made them.

    <directory>/<2 hex>/<62 hex>.safetensors    one encoding
    <directory>/.eviction.lock                  one process at a time makes room

Writers need no lock: an entry is written beside its place and renamed into it, and two writers of
one key write the same. Readers touch what they use; the longest unused goes first.
"""

import contextlib
import hashlib
import json
import logging
import os
import tempfile
import threading
import time
from pathlib import Path

import filelock

from encoders.encoding_format import DamagedEncoding, from_bytes, to_bytes
from encoders.types import Encoding

_LOG = logging.getLogger(__name__)

# Other processes write too: look at the disk again after this many entries of one's own.
_PUTS_BETWEEN_SCANS = 32
# Evict down to this share of the bound, so that not every entry after it evicts again.
_SHARE_KEPT = 0.9
_ABANDONED_SECONDS = 3600.0


class FeatureCache:
    """Encodings on disk, at most about `size_bytes_max` of them.

    Safe under any number of threads and processes on one folder. The bound holds after each
    process's scan: at once when its own entries reach it, else every 32 entries.
    """

    def __init__(self, directory: Path, *, size_bytes_max: int) -> None:
        if size_bytes_max < 1:
            raise ValueError(f"size_bytes_max is {size_bytes_max}; it must be positive")
        self._directory = directory
        self._size_bytes_max = size_bytes_max
        self._guard = threading.Lock()
        self._size_bytes_seen: int | None = None
        self._puts_since_scan = 0

    def get(
        self, sha256: str, encoder_id: str, encoder_version: str, plan_id: str
    ) -> Encoding | None:
        """The encoding of these bytes by this encoder over this sampling plan, if it is here.

        A damaged entry is removed and counts as absent.
        """
        path = self._path(sha256, encoder_id, encoder_version, plan_id)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        try:
            encoding = from_bytes(data)
        except DamagedEncoding as error:
            _LOG.warning("removed the damaged cache entry %s: %s", path.name, error)
            path.unlink(missing_ok=True)
            return None
        with contextlib.suppress(OSError):  # evicted meanwhile, or a read-only cache
            os.utime(path)
        return encoding

    def put(
        self,
        sha256: str,
        encoder_id: str,
        encoder_version: str,
        plan_id: str,
        encoding: Encoding,
    ) -> None:
        """Keep an encoding. A full or read-only disk is logged: it must not stop scoring."""
        path = self._path(sha256, encoder_id, encoder_version, plan_id)
        data = to_bytes(encoding)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_atomically(path, data)
            self._make_room(len(data))
        except OSError as error:
            _LOG.warning("could not keep features in %s: %s", self._directory, error)

    def _path(self, *key: str) -> Path:
        digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()
        return self._directory / digest[:2] / f"{digest[2:]}.safetensors"

    def _make_room(self, size_bytes_added: int) -> None:
        with self._guard:
            self._puts_since_scan += 1
            if self._size_bytes_seen is not None:
                self._size_bytes_seen += size_bytes_added
                if (
                    self._size_bytes_seen <= self._size_bytes_max
                    and self._puts_since_scan < _PUTS_BETWEEN_SCANS
                ):
                    return
            self._puts_since_scan = 0
            # Another process that is making room already will see this entry or the next scan
            # will: no need to wait for it.
            with (
                contextlib.suppress(filelock.Timeout),
                filelock.FileLock(self._directory / ".eviction.lock", timeout=0),
            ):
                self._size_bytes_seen = self._evict()

    def _evict(self) -> int:
        """Remove the longest unused entries if there is too much; returns the bytes left."""
        entries = []
        for path in self._directory.glob("??/*"):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            if path.suffix == ".safetensors":
                entries.append((status.st_mtime_ns, status.st_size, path))
            elif time.time() - status.st_mtime > _ABANDONED_SECONDS:
                path.unlink(missing_ok=True)
        size_bytes = sum(size for _, size, _ in entries)
        if size_bytes <= self._size_bytes_max:
            return size_bytes
        for _, size, path in sorted(entries):
            if size_bytes <= _SHARE_KEPT * self._size_bytes_max:
                break
            path.unlink(missing_ok=True)
            size_bytes -= size
        return size_bytes


def _write_atomically(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
