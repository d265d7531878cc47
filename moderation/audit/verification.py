"""Walks a chain once, in memory that does not grow with it, and says what is wrong where."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from moderation.audit.canonical import parse_exact
from moderation.audit.chain import EMPTY, GENESIS_HASH, Entry, Head, chain_hash
from moderation.errors import RecordError

FAULTS_KEPT = 100


class FaultKind(StrEnum):
    """`TRUNCATED`: records at the end, which a kept head knows of, are gone."""

    ALTERED = "altered"
    MISSING = "missing"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class Fault:
    """Record number `sequence` is wrong; detail says how it shows."""

    kind: FaultKind
    sequence: int
    detail: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk found. faults: the first of `faults_found`; `head` ends what was read."""

    records: int
    head: Head
    faults: tuple[Fault, ...]
    faults_found: int

    @property
    def is_whole(self) -> bool:
        return self.faults_found == 0


@dataclass(slots=True)
class ChainVerifier:
    """Takes entries in the order in which they are kept, then is asked for its findings.

    anchors: heads kept from earlier, each of which the chain must pass through.
    """

    anchors: Iterable[Head] = ()
    records: int = 0
    faults_found: int = 0
    _faults: list[Fault] = field(default_factory=list)
    _head: Head = EMPTY
    _links: frozenset[str] = frozenset({GENESIS_HASH})
    _gaps: list[range] = field(default_factory=list)
    _anchors: dict[int, Head] = field(init=False)

    def __post_init__(self) -> None:
        self._anchors = {anchor.sequence: anchor for anchor in self.anchors if anchor.sequence}

    def fault(self, kind: FaultKind, sequence: int, detail: str) -> None:
        """Note a fault, also one that another part of the check found."""
        self.faults_found += 1
        if len(self._faults) < FAULTS_KEPT:
            self._faults.append(Fault(kind, sequence, detail))

    def take(self, entry: Entry) -> dict[str, Any] | None:
        """Check the next entry; its parsed record, or None where it cannot be read."""
        self.records += 1
        record, problem = self._examine(entry)
        sequence = entry.sequence
        if record is not None and problem is None and record.get("sequence") != sequence:
            self.fault(
                FaultKind.REORDERED, sequence, f"holds the record {record.get('sequence')!r}"
            )
            problem = "told"
        elif problem is not None:
            self.fault(FaultKind.ALTERED, sequence, problem)
        self._place(entry, is_sound=problem is None)
        anchor = self._anchors.pop(sequence, None)
        if anchor is not None and anchor.hash != entry.hash:
            self.fault(FaultKind.ALTERED, sequence, "its hash is not that of the kept head")
        return record

    def finish(self, head: Head | None = None) -> Verification:
        """All findings. head: where the chain must end; None where nobody knows."""
        for gap in self._gaps:
            span = f"{gap.start}" if len(gap) == 1 else f"{gap.start} to {gap.stop - 1}"
            self.fault(FaultKind.MISSING, gap.start, f"no record {span}")
        end = self._head
        if head is not None and head.sequence > end.sequence:
            gone = head.sequence - end.sequence
            self.fault(
                FaultKind.TRUNCATED, end.sequence + 1, f"the last {gone} up to the head are gone"
            )
        elif head is not None and head.sequence < end.sequence:
            detail = f"the head ends at {head.sequence}"
            self.fault(FaultKind.INSERTED, head.sequence + 1, detail)
        elif head is not None and head.hash not in self._links:
            self.fault(FaultKind.ALTERED, end.sequence, "the head has another hash")
        for anchor in self._anchors.values():
            if anchor.sequence > end.sequence:
                detail = f"a kept head knows of record {anchor.sequence}"
                self.fault(FaultKind.TRUNCATED, end.sequence + 1, detail)
        return Verification(self.records, self._head, tuple(self._faults), self.faults_found)

    def _examine(self, entry: Entry) -> tuple[dict[str, Any] | None, str | None]:
        """The record, and what is wrong with the entry taken alone."""
        try:
            record = parse_exact(entry.record)
            digest = chain_hash(entry.previous_hash, entry.record)
        except RecordError as error:
            return None, f"it cannot be read: {error.found}"
        if not isinstance(record, dict):
            return None, "it is no record"
        if digest != entry.hash:
            return record, "its content does not have its hash"
        for name, kept in entry.columns.items():
            if record.get(name) != kept:
                return record, f"the column {name!r} differs from the record"
        return record, None

    def _place(self, entry: Entry, *, is_sound: bool) -> None:
        sequence, expected = entry.sequence, self._head.sequence + 1
        if sequence < expected:
            self._place_late(sequence)
            return
        if sequence > expected:
            self._gaps.append(range(expected, sequence))
        elif is_sound and entry.previous_hash not in self._links:
            # A record rewritten together with its hash no longer leads to the next one.
            wrong = self._head.sequence or sequence
            self.fault(FaultKind.ALTERED, wrong, f"its hash does not lead to record {sequence}")
        self._head = Head(sequence, entry.hash) if _is_hash(entry.hash) else self._head_of(entry)
        # Of an altered entry, either its content or its hash may be what the next one follows.
        links = {entry.hash}
        if not is_sound and _is_hash(entry.previous_hash):
            links.add(chain_hash(entry.previous_hash, entry.record))
        self._links = frozenset(links)

    def _head_of(self, entry: Entry) -> Head:
        digest = GENESIS_HASH
        if _is_hash(entry.previous_hash):
            digest = chain_hash(entry.previous_hash, entry.record)
        return Head(entry.sequence, digest)

    def _place_late(self, sequence: int) -> None:
        for index, gap in enumerate(self._gaps):
            if sequence in gap:
                rest = (range(gap.start, sequence), range(sequence + 1, gap.stop))
                self._gaps[index : index + 1] = [part for part in rest if len(part)]
                self.fault(FaultKind.REORDERED, sequence, "comes after a later record")
                return
        self.fault(FaultKind.INSERTED, sequence, "a second record has this number")


def _is_hash(text: str) -> bool:
    return len(text) == 64 and not set(text) - set("0123456789abcdef")


def verify(
    entries: Iterable[Entry], *, head: Head | None = None, anchors: Iterable[Head] = ()
) -> Verification:
    """Walk `entries`, which need not fit into memory.

    head: where they must end. anchors: heads kept earlier that they must pass through.
    """
    verifier = ChainVerifier(anchors)
    for entry in entries:
        verifier.take(entry)
    return verifier.finish(head)
