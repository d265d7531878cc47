"""Pages by key: each goes on after the last entry of the one before, whatever came in between."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from moderation.api.problems import InvalidRequest

Shown = TypeVar("Shown", bound=BaseModel)
Row = TypeVar("Row")


class Page(BaseModel, Generic[Shown]):
    """A page of a listing."""

    items: list[Shown]
    next_cursor: str | None = Field(description="`cursor` of the next page; null at the end.")


@dataclass(frozen=True, slots=True)
class PageQuery:
    """What a caller asks of a listing."""

    cursor: str | None
    limit: int

    def after(self, listing: str, *kinds: type) -> tuple[Any, ...] | None:
        """The key to go on after; None for the first page.

        listing: its name, so that no cursor of another one is taken. kinds: of the key's parts.

        Raises:
            InvalidRequest: the cursor is not one of this listing's.
        """
        if self.cursor is None:
            return None
        try:
            name, *parts = json.loads(base64.urlsafe_b64decode(self.cursor.encode("ascii")))
            if name != listing or len(parts) != len(kinds):
                raise ValueError(name)
            return tuple(_read(part, kind) for part, kind in zip(parts, kinds, strict=True))
        except (ValueError, TypeError, binascii.Error, RecursionError, OverflowError) as error:
            raise InvalidRequest(
                "a cursor that this listing did not give",
                expected="`next_cursor` of the page before",
                remedy="Begin again without a cursor.",
            ) from error

    def page(
        self,
        listing: str,
        rows: Sequence[Row],
        show: Callable[[Row], Shown],
        key: Callable[[Row], Sequence[Any]],
    ) -> Page[Shown]:
        """The page of `rows`, which are up to one more than `limit`."""
        shown = rows[: self.limit]
        cursor = None
        if len(rows) > self.limit:
            parts = [
                part.isoformat() if isinstance(part, datetime) else part for part in key(shown[-1])
            ]
            cursor = base64.urlsafe_b64encode(json.dumps([listing, *parts]).encode()).decode()
        return Page[Any](items=[show(row) for row in shown], next_cursor=cursor)


def _read(part: Any, kind: type) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(part)
        if moment.tzinfo is None or not 2000 <= moment.year < 2200:
            raise ValueError(part)
        return moment
    if kind is float and isinstance(part, int):
        part = float(part)
    if type(part) is not kind:
        raise ValueError(part)
    if isinstance(part, int) and not -(2**53) < part < 2**53:
        raise ValueError(part)
    if isinstance(part, str) and ("\0" in part or not part.isascii()):
        raise ValueError(part)
    return part


async def _page_query(
    cursor: Annotated[
        str | None, Query(max_length=1000, description="`next_cursor` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Entries of a page.")] = 50,
) -> PageQuery:
    return PageQuery(cursor, limit)


Paging = Annotated[PageQuery, Depends(_page_query)]
