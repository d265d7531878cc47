"""Deletes media and free text, and says so in the chain; can be killed at any point.

Files go first, then one transaction drops the texts and appends the record. Killed in between,
the next run finds the item still due, its files gone already, and completes it. So the chain
never tells of an erasure that did not happen, and a request is open until its erasure is told.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, select

from moderation.audit.canonical import parse_exact
from moderation.audit.fields import LIST_MAX
from moderation.audit.records import AuditRecord, RecordKind
from moderation.audit.retention import Erasure
from moderation.audit.store import append
from moderation.audit.tables import records
from moderation.audit.texts import erase_texts, kept_texts
from moderation.database import reading, writing
from moderation.errors import OutputError, PermanentError


class MediaOutsideError(PermanentError):
    """A media file's name that leads out of the media folder."""

    code = "media_outside"


def request_erasure(engine: Engine, item: str, *, reason: str, actor: str, at: datetime) -> int:
    """Note that `item` is to be erased; the number of the record, which stays open until it is.

    reason: a code, such as `gdpr_article_17`.
    """
    record = AuditRecord(RecordKind.ERASURE_REQUESTED, at, actor, item, {"reason": reason})
    with writing(engine) as connection:
        return append(connection, [record]).sequence


def open_requests(engine: Engine) -> tuple[tuple[str, int], ...]:
    """Items whose erasure was requested and not completed, with the number of the request."""
    kinds = (RecordKind.ERASURE_REQUESTED, RecordKind.MEDIA_ERASED)
    query = select(records.c.sequence, records.c.kind, records.c.item, records.c.record)
    requests: dict[int, str] = {}
    with reading(engine) as connection:
        rows = connection.execute(
            query.where(records.c.kind.in_(kinds)).order_by(records.c.sequence)
        )
        for row in rows:
            if row.kind == RecordKind.ERASURE_REQUESTED:
                requests[row.sequence] = row.item
            else:
                requests.pop(parse_exact(row.record.encode())["body"].get("request"), None)
    return tuple((item, sequence) for sequence, item in requests.items())


def erase(
    engine: Engine, folder: Path, erasure: Erasure, *, actor: str, at: datetime
) -> int | None:
    """Delete what `erasure` names within `folder`, and its item's texts.

    Returns the number of the record; None where there was nothing left to delete or to tell.

    Raises:
        MediaOutsideError: a name leads out of `folder`; nothing is deleted then.
        OutputError: a file cannot be deleted; the erasure stays open.
    """
    files = [_within(folder, name) for name in erasure.media]
    deleted = sum(_delete(path) for path in files)
    with writing(engine) as connection:
        texts = kept_texts(connection, erasure.item)
        is_new = deleted or texts or erasure.request is not None
        if not is_new and _is_told(connection, erasure.item):
            return None
        why = {"reason": erasure.reason, "rule": erasure.rule, "request": erasure.request}
        # The last record closes the request, so that the texts before it are gone by then.
        *before, last = [
            texts[start : start + LIST_MAX] for start in range(0, len(texts) or 1, LIST_MAX)
        ]
        for part in before:
            _tell(connection, RecordKind.TEXT_ERASED, erasure.item, why, part, actor, at)
        told = why | {"files": len(files)}
        return _tell(connection, RecordKind.MEDIA_ERASED, erasure.item, told, last, actor, at)


def _tell(
    connection: Connection,
    kind: RecordKind,
    item: str,
    body: Mapping[str, Any],
    texts: Sequence[str],
    actor: str,
    at: datetime,
) -> int:
    record = AuditRecord(kind, at, actor, item, {**body, "texts": texts})
    sequence = append(connection, [record]).sequence
    erase_texts(connection, texts, sequence)
    return sequence


def erase_all(
    engine: Engine, folder: Path, erasures: Iterable[Erasure], *, actor: str, at: datetime
) -> int:
    """Carry out each of `erasures`; how many were told of in the chain."""
    told = (erase(engine, folder, one, actor=actor, at=at) for one in erasures)
    return sum(sequence is not None for sequence in told)


def _within(folder: Path, name: str) -> Path:
    """The file `name` in `folder`; symbolic links on the way are followed before it is judged."""
    root = folder.resolve()
    path = (root / name).parent.resolve() / Path(name).name
    if not name or "\0" in name or not path.is_relative_to(root) or path == root:
        raise MediaOutsideError(
            f"the media file {name[:120]!r} is not within the media folder",
            expected=f"a file within {folder}",
            remedy="Correct the item's record; nothing was deleted.",
        )
    return path


def _delete(path: Path) -> bool:
    """Whether there was such a file; it is gone from the disk when this returns."""
    try:
        path.unlink()
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return False
    except OSError as error:
        remedy = "Correct the permissions, then run it again: the erasure stays open."
        raise OutputError.of(error, f"the deletion of {path.name}", remedy=remedy) from error
    return True


def _is_told(connection: Connection, item: str) -> bool:
    query = select(records.c.sequence).where(
        records.c.item == item, records.c.kind == RecordKind.MEDIA_ERASED
    )
    return connection.scalar(query.limit(1)) is not None
