"""What a judge said of bytes: kept once, and shared by all items that have them."""

from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from encoders.types import Modality
from moderation.intake.tables import results
from moderation.results import RunContext, from_row, to_row
from moderation.types import ItemResult


def find_result(connection: Connection, sha256: str, context: RunContext) -> ItemResult | None:
    """The result that stands for these bytes; None where there is none, or it would be another.

    A score stands whatever the decoder's limits were, a failure only within the same ones.
    """
    row = connection.execute(
        select(results).where(
            results.c.sha256 == sha256,
            results.c.judge_id == context.judge_id,
            results.c.mode == context.mode,
            results.c.setup == (context.setup or ""),
        )
    ).one_or_none()
    if row is None or not (row.is_scored or row.limits == context.limits):
        return None
    return from_row(row.result)[0]


def keep_result(
    connection: Connection,
    sha256: str,
    result: ItemResult,
    context: RunContext,
    *,
    now: datetime,
) -> None:
    """Keep `result` for these bytes; one that is there already gives way only if it has no score.

    Two workers may score the same bytes at once: the first score stands.
    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(results).values(
        sha256=sha256,
        judge_id=context.judge_id,
        mode=context.mode,
        setup=context.setup or "",
        limits=context.limits or "",
        is_scored=result.judgment is not None,
        result=to_row(result, context),
        created_at=now,
    )
    fresh = {name: statement.excluded[name] for name in ("limits", "is_scored", "result")}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(results.primary_key),
            set_=fresh | {"created_at": now},
            where=results.c.is_scored.is_(False),
        )
    )


def modality_of(connection: Connection, sha256: str) -> Modality | None:
    """Of these bytes, as far as anybody could read them."""
    rows = connection.scalars(select(results.c.result).where(results.c.sha256 == sha256))
    named = [row["modality"] for row in rows if row["modality"]]
    return Modality(named[0]) if named else None
