"""Whatever is done to a chain shows, and shows where."""

import itertools
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from moderation.audit.chain import EMPTY, GENESIS_HASH, Entry, Head
from moderation.audit.verification import FAULTS_KEPT, FaultKind, verify
from tests.unit.audit.chains import chain, record, sealed

LENGTH = 12
WHOLE = chain(LENGTH)
HEAD = Head(LENGTH, WHOLE[-1].hash)


def flipped(text: str, random_source: random.Random) -> str:
    index = random_source.randrange(len(text))
    other = random_source.choice([c for c in '0123456789abcdef"{}:,é' if c != text[index]])
    return text[:index] + other + text[index + 1 :]


def test_a_whole_chain_is_whole() -> None:
    found = verify(WHOLE, head=HEAD, anchors=[EMPTY, Head(5, WHOLE[4].hash), HEAD])
    assert found.is_whole
    assert (found.records, found.head) == (LENGTH, HEAD)
    assert verify([], head=EMPTY).is_whole


Mutation = Callable[[Entry, random.Random], Entry]

FIELDS: dict[str, Mutation] = {
    "record": lambda e, r: replace(e, record=flipped(e.record.decode(), r).encode()),
    "hash": lambda e, r: replace(e, hash=flipped(e.hash, r)),
    "previous_hash": lambda e, r: replace(e, previous_hash=flipped(e.previous_hash, r)),
    "sequence": lambda e, r: replace(e, sequence=e.sequence + r.choice([-1, 1]) * r.randint(1, 20)),
    "column kind": lambda e, r: replace(e, columns={**e.columns, "kind": "undone"}),
    "column actor": lambda e, r: replace(e, columns={**e.columns, "actor": "reviewer:x"}),
    "column item": lambda e, r: replace(e, columns={**e.columns, "item": None}),
    "column at": lambda e, r: replace(e, columns={**e.columns, "at": "2020"}),
}


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("index", range(LENGTH))
def test_every_altered_field_of_every_record_is_found(name: str, index: int) -> None:
    for seed in range(20):
        altered = list(WHOLE)
        altered[index] = FIELDS[name](WHOLE[index], random.Random(seed))
        found = verify(altered, head=HEAD)
        assert not found.is_whole
        if name != "sequence":
            assert [f.sequence for f in found.faults if f.kind is FaultKind.ALTERED] == [index + 1]


@pytest.mark.parametrize("index", range(LENGTH - 1))
def test_a_record_rewritten_with_its_hash_is_found(index: int) -> None:
    entry = WHOLE[index]
    record_bytes = entry.record.replace(b"reviewer:r", b"reviewer:q")
    forged = Entry.sealed(entry.sequence, record_bytes, entry.previous_hash)
    found = verify([*WHOLE[:index], forged, *WHOLE[index + 1 :]], head=HEAD)
    assert [(f.kind, f.sequence) for f in found.faults] == [(FaultKind.ALTERED, index + 1)]


def test_the_last_record_rewritten_with_its_hash_shows_against_the_head() -> None:
    entry = WHOLE[-1]
    forged = Entry.sealed(LENGTH, entry.record.replace(b"starter", b"another"), entry.previous_hash)
    if forged.hash == entry.hash:
        forged = Entry.sealed(LENGTH, entry.record.replace(b"item-", b"jtem-"), entry.previous_hash)
    found = verify([*WHOLE[:-1], forged], head=HEAD)
    assert [(f.kind, f.sequence) for f in found.faults] == [(FaultKind.ALTERED, LENGTH)]


@pytest.mark.parametrize(("start", "count"), [(0, 1), (3, 1), (4, 5), (LENGTH - 2, 1)])
def test_missing_records_are_named(start: int, count: int) -> None:
    found = verify([*WHOLE[:start], *WHOLE[start + count :]], head=HEAD)
    assert [(f.kind, f.sequence) for f in found.faults] == [(FaultKind.MISSING, start + 1)]


@pytest.mark.parametrize("kept", range(LENGTH))
def test_a_cut_end_shows_against_a_kept_head(kept: int) -> None:
    assert verify(WHOLE[:kept]).is_whole
    for found in (verify(WHOLE[:kept], head=HEAD), verify(WHOLE[:kept], anchors=[HEAD])):
        assert [(f.kind, f.sequence) for f in found.faults] == [(FaultKind.TRUNCATED, kept + 1)]


def test_every_pair_of_swapped_records_is_found() -> None:
    for first, second in itertools.combinations(range(LENGTH), 2):
        swapped = list(WHOLE)
        swapped[first], swapped[second] = swapped[second], swapped[first]
        found = verify(swapped, head=HEAD)
        kinds = {f.kind for f in found.faults}
        assert FaultKind.REORDERED in kinds
        assert kinds <= {FaultKind.REORDERED, FaultKind.ALTERED}
        by_number = [replace(entry, sequence=n) for n, entry in enumerate(swapped, 1)]
        found = verify(by_number, head=HEAD)
        reordered = [f.sequence for f in found.faults if f.kind is FaultKind.REORDERED]
        assert reordered == [first + 1, second + 1]


@pytest.mark.parametrize("place", range(1, LENGTH))
def test_an_inserted_record_is_found(place: int) -> None:
    extra = Entry.sealed(place, record(40).canonical(place), WHOLE[place - 1].hash)
    found = verify([*WHOLE[:place], extra, *WHOLE[place:]], head=HEAD)
    assert (FaultKind.INSERTED, place) in [(f.kind, f.sequence) for f in found.faults]


def test_a_record_after_the_head_is_found() -> None:
    extra = Entry.sealed(LENGTH + 1, record(40).canonical(LENGTH + 1), HEAD.hash)
    found = verify([*WHOLE, extra], head=HEAD)
    assert [(f.kind, f.sequence) for f in found.faults] == [(FaultKind.INSERTED, LENGTH + 1)]


def test_a_chain_made_anew_shows_only_against_a_head_kept_elsewhere() -> None:
    forged = sealed([record(index + 1) for index in range(LENGTH)])
    new_head = Head(LENGTH, forged[-1].hash)
    assert verify(forged, head=new_head).is_whole
    found = verify(forged, head=new_head, anchors=[Head(4, WHOLE[3].hash)])
    assert [(f.kind, f.sequence) for f in found.faults] == [(FaultKind.ALTERED, 4)]


def test_memory_for_faults_is_bounded_and_all_are_counted() -> None:
    nonsense = [Entry(n, b"?", GENESIS_HASH, GENESIS_HASH) for n in range(1, 500)]
    found = verify(nonsense)
    assert found.faults_found == 499
    assert len(found.faults) == FAULTS_KEPT
