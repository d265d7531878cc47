"""ETags, and changes that say which version they were made from."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Header

from moderation.api.problems import PreconditionNeeded
from moderation.webhooks.registry import VersionConflict


def etag(version: str | int) -> str:
    """The header's value of a version."""
    return f'"{version}"'


def digest(values: Mapping[str, Any]) -> str:
    """A version of something that has no number: a hash of what it holds."""
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


async def _if_match(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            max_length=200,
            description="`ETag` of the version that the change was made from.",
        ),
    ] = None,
) -> str:
    if if_match is None:
        raise PreconditionNeeded(
            "a change without If-Match",
            expected="the ETag of the version that it was made from",
            remedy="Read it first, and send its ETag.",
        )
    return if_match.strip()


IfMatch = Annotated[str, Depends(_if_match)]


def require_match(given: str, version: str | int, what: str) -> None:
    """Raises:
    VersionConflict: `given` is the ETag of another version.
    """
    if given != etag(version):
        raise VersionConflict(
            f"{what} with ETag {etag(version)}, and a change made from {given[:100]}",
            expected="a change of what is there",
            remedy="Read it again, and make the change anew.",
        )
