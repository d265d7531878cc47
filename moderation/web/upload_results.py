"""One's own uploads as a file: CSV whose cells no spreadsheet runs, or Parquet."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Response
from sqlalchemy import Connection

from moderation.casework.handed_in import HandedIn, handed_in
from moderation.intake.listings import After
from moderation.review.errors import NotFound

ROWS_MAX = 10_000
_PAGE = 500
COLUMNS: Mapping[str, str] = {
    "item_id": "text",
    "name": "text",
    "sha256": "text",
    "size_bytes": "count",
    "surface": "text",
    "sent_at": "text",
    "state": "text",
    "score": "number",
    "probability": "number",
    "disposition": "text",
    "action": "text",
    "clause": "text",
    "is_by_person": "flag",
    "settled_at": "text",
    "error": "text",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def results_file(connection: Connection, uploader: str, form: str) -> Response:
    """The newest `ROWS_MAX` of an uploader's items. form: csv or parquet.

    Raises:
        NotFound: another form, or one that this installation cannot write.
    """
    if form == "csv":
        content, media_type = csv_bytes(_rows(connection, uploader)), "text/csv; charset=utf-8"
    elif form == "parquet":
        content = _parquet_bytes(_rows(connection, uploader))
        media_type = "application/vnd.apache.parquet"
    else:
        raise NotFound(
            f"no results as {form[:20]!r}", expected="csv or parquet", remedy="Take one of them."
        )
    headers = {"Content-Disposition": f'attachment; filename="results.{form}"'}
    return Response(content, media_type=media_type, headers=headers)


def csv_bytes(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """With a quote before texts that a spreadsheet would take for a formula."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(COLUMNS), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _inert(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _inert(value: Any) -> Any:
    is_formula = isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA)
    return f"'{value}" if is_formula else value


def _parquet_bytes(rows: Sequence[Mapping[str, Any]]) -> bytes:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise NotFound(
            "no Parquet here", expected="pyarrow on the server", remedy="Take the CSV."
        ) from error
    types = {"text": pa.string(), "count": pa.int64(), "number": pa.float64(), "flag": pa.bool_()}
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema=schema), sink)
    return sink.getvalue()


def _rows(connection: Connection, uploader: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: After | None = None
    while len(found) < ROWS_MAX:
        some = handed_in(connection, uploader, after=after, limit=_PAGE)
        found += [_row(one) for one in some]
        if len(some) < _PAGE:
            break
        after = After(some[-1].item.created_at, some[-1].item.id)
    return found


def _row(one: HandedIn) -> dict[str, Any]:
    item, route = one.item, one.route
    return {
        "item_id": item.id,
        "name": item.declared_name,
        "sha256": item.sha256,
        "size_bytes": item.size_bytes,
        "surface": item.surface,
        "sent_at": item.created_at.isoformat(),
        "state": str(item.state),
        "score": one.judged.get("score") if route else None,
        "probability": route.probability if route else None,
        "disposition": str(route.disposition) if route else None,
        "action": route.action if route else None,
        "clause": route.clause_id if route else None,
        "is_by_person": route.is_by_person if route else None,
        "settled_at": item.settled_at.isoformat() if item.settled_at else None,
        "error": one.judged.get("error_code") if route else None,
    }
