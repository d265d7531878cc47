"""Where a listing by time goes on, as an address has it."""

import re
from datetime import UTC, datetime

from moderation.review.errors import NotFound

_FORM = re.compile(r"(\d{1,14})\.(\d{6})-([A-Za-z0-9_-]{1,64})")
_YEAR_MAX = 4_000_000_000


def cursor(at: datetime, key: str) -> str:
    """After the entry with this time and id."""
    micros = (at - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution)
    return f"{micros // 10**6}.{micros % 10**6:06d}-{key}"


def read_cursor(text: str) -> tuple[datetime, str] | None:
    """None for an empty one, which is the first page.

    Raises:
        NotFound: it is none of ours.
    """
    if not text:
        return None
    found = _FORM.fullmatch(text)
    if found is None or int(found[1]) > _YEAR_MAX:
        raise NotFound(
            "a page that no listing named",
            expected="the address of a next page",
            remedy="Begin again at the first page.",
        )
    at = datetime.fromtimestamp(int(found[1]), UTC).replace(microsecond=int(found[2]))
    return at, found[3]
