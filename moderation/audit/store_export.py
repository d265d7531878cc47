"""The whole trail of a database as a file; `moderation.audit.export` has its format."""

import secrets
from pathlib import Path

from sqlalchemy import Engine

from moderation.audit.export import export_entries
from moderation.audit.store import read_head, stream_entries
from moderation.database import reading


def export_store(engine: Engine, folder: Path) -> Path:
    """Write all records up to the present head to a new file in `folder`; the caller removes it.

    Raises:
        OutputError: the disk does not take it.
        RecordError: a record is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"trail-{secrets.token_hex(8)}.jsonl"
    with reading(engine) as connection:
        head = read_head(connection)
    export_entries(stream_entries(engine, up_to=head.sequence), head, path)
    return path
