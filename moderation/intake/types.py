"""Values of intake: what was uploaded, the work that it makes, and the route that it got."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from moderation.types import Disposition, ItemError, Mode

NAME_CHARACTERS_MAX = 255
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Source(StrEnum):
    """How an item's bytes came: sent with it, or named by where they lie."""

    UPLOAD = "upload"
    REFERENCE = "reference"


class ItemState(StrEnum):
    """Waiting until it has a disposition. Erased: its media and free text are gone."""

    WAITING = "waiting"
    SETTLED = "settled"
    ERASED = "erased"


class JobKind(StrEnum):
    """What is to be done with an item. Explain: a rationale for the person who reviews it."""

    SCORE = "score"
    EXPLAIN = "explain"


class JobState(StrEnum):
    """Dead: it ended without a score, and its item went to review; the error is kept."""

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    DEAD = "dead"


def untrusted_text(value: str, characters_max: int = NAME_CHARACTERS_MAX) -> str:
    """A stranger's text as every database keeps it: no control characters, no lone surrogates."""
    whole = value.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in whole)[
        :characters_max
    ]


def is_sha256(text: str) -> bool:
    """Whether `text` is a SHA-256 in lower-case hexadecimal."""
    return _SHA256.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Views:
    """What the platform forecasts. reach: views in all; remaining: still to come; an_hour: now."""

    reach: float = 0.0
    remaining: float = 0.0
    an_hour: float = 0.0

    def __post_init__(self) -> None:
        if not all(0.0 <= one < math.inf for one in (self.reach, self.remaining, self.an_hour)):
            raise ValueError(f"{self} must be finite, and 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """An item whose bytes are in the blob folder.

    declared_name: as its sender called it, untrusted: shown, and never a path. surface: where it
    appears. uploader: a pseudonym. reported_clause: that a report names already.
    """

    sha256: str
    size_bytes: int
    surface: str
    declared_name: str = ""
    uploader: str | None = None
    source: Source = Source.UPLOAD
    views: Views = Views()
    reported_clause: str | None = None

    def __post_init__(self) -> None:
        if not is_sha256(self.sha256):
            raise ValueError(f"{self.sha256!r} is no SHA-256 in lower-case hexadecimal")
        if self.size_bytes < 0:
            raise ValueError(f"a size of {self.size_bytes} bytes")
        for name in (self.surface, self.uploader, self.reported_clause):
            if name is not None and not _IDENTIFIER.fullmatch(name):
                raise ValueError(f"{name[:80]!r} is no identifier of up to 64 letters and digits")
        object.__setattr__(self, "declared_name", untrusted_text(self.declared_name))


@dataclass(frozen=True, slots=True)
class Item:
    """One upload. settled_at: when it first got a disposition. Other fields: see `NewItem`."""

    id: str
    sha256: str
    size_bytes: int
    surface: str
    declared_name: str
    uploader: str | None
    source: Source
    views: Views
    reported_clause: str | None
    state: ItemState
    created_at: datetime
    settled_at: datetime | None
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class Report:
    """A notice about an item. clause_id: of the policy, that it names."""

    id: str
    item_id: str
    clause_id: str
    reporter: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Job:
    """Work on one item. deliveries: how often it was handed out, this time included.

    token: proves the lease, None where nobody holds it. error: why the last try failed.
    traceparent: the trace of the request that left it, None where nobody traces.
    """

    id: str
    kind: JobKind
    item_id: str
    mode: Mode
    state: JobState
    deliveries: int
    not_before: datetime
    lease_until: datetime | None
    token: str | None = field(repr=False)
    error: ItemError | None
    created_at: datetime
    closed_at: datetime | None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class DispositionRecord:
    """The route of an item under one policy, of which there is exactly one.

    disposition: in force now; a ruling changes it. action: what is done where it is ENFORCE.
    outcome: of triage, as `TriageOutcome.as_json`; shadow: of the policy on trial. task_id: of
    the review that it waits for, or waited for. served_by: the earlier item with the same bytes
    whose review or decision serves this one. near_distance: where that item only looks the same,
    in how many bits of 256 their PDQ hashes differ; nobody has looked at this one then.
    is_by_person: a ruling on these bytes holds, `decision_id` its own.
    """

    item_id: str
    policy_id: str
    sha256: str
    disposition: Disposition
    action: str | None
    clause_id: str
    probability: float | None
    outcome: Mapping[str, Any]
    shadow: Mapping[str, Any] | None
    task_id: str | None
    served_by: str | None
    near_distance: int | None
    is_by_person: bool
    decision_id: str | None
    settled_at: datetime
    changed_at: datetime
