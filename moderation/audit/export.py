"""The chain as a file that anybody can verify with nothing else: JSON lines.

The first line names the format, each further line is an entry with its record spelled out, and
the last holds the head. Every line is canonical JSON, so that a changed byte anywhere shows.
Files ending in `.gz` and `.zst` are compressed.
"""

import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

from moderation.audit.canonical import canonical_json, parse_exact
from moderation.audit.chain import Entry, Head
from moderation.audit.verification import ChainVerifier, FaultKind, Verification
from moderation.errors import OutputError, RecordError
from moderation.extras import require_installed

FORMAT = {"format": "real-moderation audit trail", "version": 1}
LINE_BYTES_MAX = 1 << 20
_ENTRY = {"hash", "previous_hash", "record", "sequence"}


def export_entries(
    entries: Iterable[Entry],
    head: Head,
    path: Path,
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Write `entries`, which end at `head`, to `path`, whole or not at all; how many there are.

    Raises:
        OutputError: the disk does not take it.
        RecordError: a record is damaged.
        ConfigurationError: `.zst`, and pyarrow is not installed.
    """
    partial = path.with_name(f"{path.name}.partial")
    done = 0
    try:
        with partial.open("wb") as raw, _compressing(raw, path.suffix) as file:
            file.write(_line(FORMAT))
            for entry in entries:
                file.write(
                    _line(
                        {
                            "sequence": entry.sequence,
                            "previous_hash": entry.previous_hash,
                            "hash": entry.hash,
                            "record": parse_exact(entry.record),
                        }
                    )
                )
                done += 1
                progress(done)
            file.write(_line({"head": {"sequence": head.sequence, "hash": head.hash}}))
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(path)
    except OSError as error:
        raise OutputError.of(error, str(path), remedy="Free space, or export elsewhere.") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return done


def verify_file(
    path: Path,
    *,
    anchors: Iterable[Head] = (),
    progress: Callable[[int], None] = lambda done: None,
) -> Verification:
    """Verify an export, in memory that does not grow with it.

    anchors: heads kept elsewhere. progress: told how many bytes of the file are done.

    Raises:
        RecordError: no such file, or no export.
        ConfigurationError: `.zst`, and pyarrow is not installed.
    """
    verifier = ChainVerifier(anchors)
    head: Head | None = None
    try:
        with path.open("rb") as raw, _decompressing(raw, path.suffix) as file:
            if _read_line(file) != FORMAT:
                raise _no_export(path, "another first line")
            number = 0
            while (line := file.readline(LINE_BYTES_MAX + 1)) != b"":
                if head is not None:
                    verifier.fault(FaultKind.INSERTED, number + 1, "a line after the head")
                    break
                number += 1
                found = _parsed(line)
                if found is not None and set(found) == {"head"}:
                    head = _head(found["head"])
                else:
                    verifier.take(_entry(found, number))
                if number % 1000 == 0:
                    progress(raw.tell())
    except (OSError, EOFError, ValueError, zlib.error) as error:
        if verifier.records == 0:
            raise _no_export(path, f"{type(error).__name__}: {error}") from error
        detail = "the file cannot be read any further"
        verifier.fault(FaultKind.TRUNCATED, verifier.records + 1, detail)
        return verifier.finish()
    if head is None:
        verifier.fault(FaultKind.TRUNCATED, verifier.records + 1, "the file has no head at its end")
    return verifier.finish(head)


def _line(value: Any) -> bytes:
    return canonical_json(value) + b"\n"


def _read_line(file: IO[bytes]) -> dict[str, Any] | None:
    return _parsed(file.readline(LINE_BYTES_MAX + 1))


def _parsed(line: bytes) -> dict[str, Any] | None:
    """The object of a line; None where it is not exactly what an export writes."""
    try:
        value = parse_exact(line.removesuffix(b"\n"))
    except RecordError:
        return None
    return value if isinstance(value, dict) and line.endswith(b"\n") else None


def _entry(found: dict[str, Any] | None, number: int) -> Entry:
    """The entry of a line; one that no verification lets pass where the line is damaged."""
    if found is None or set(found) != _ENTRY:
        return Entry(number, b"", "", "")
    sequence, record = found["sequence"], found["record"]
    texts = (found["previous_hash"], found["hash"])
    if type(sequence) is not int or not all(isinstance(text, str) for text in texts):
        return Entry(number, b"", "", "")
    return Entry(sequence, canonical_json(record), *texts)


def _head(value: Any) -> Head:
    """The head of the last line; one that ends no chain where it is damaged."""
    try:
        return Head(value["sequence"], value["hash"])
    except (RecordError, KeyError, TypeError):
        return Head(0, "f" * 64)


@contextmanager
def _compressing(raw: IO[bytes], suffix: str) -> Iterator[IO[bytes]]:
    with ExitStack() as stack:
        if suffix == ".gz":
            # Without a time and a name, the same chain gives the same file.
            packed = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0)
            yield cast("IO[bytes]", stack.enter_context(packed))
        elif suffix == ".zst":
            yield stack.enter_context(_arrow().CompressedOutputStream(raw, "zstd"))
        else:
            yield raw


@contextmanager
def _decompressing(raw: IO[bytes], suffix: str) -> Iterator[IO[bytes]]:
    with ExitStack() as stack:
        if suffix == ".gz":
            yield cast("IO[bytes]", stack.enter_context(gzip.GzipFile(fileobj=raw, mode="rb")))
        elif suffix == ".zst":
            unpacked = stack.enter_context(_arrow().CompressedInputStream(raw, "zstd"))
            yield cast("IO[bytes]", stack.enter_context(io.BufferedReader(unpacked)))
        else:
            yield raw


def _arrow() -> Any:
    require_installed("pyarrow")
    import pyarrow as pa

    return pa


def _no_export(path: Path, found: str) -> RecordError:
    return RecordError(
        f"{path} is no export of an audit trail ({found})",
        expected="a file that `moderation audit export` wrote",
        remedy="Name another file; compressed ones end in .gz or .zst.",
    )
