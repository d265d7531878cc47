"""A batch's ledger: whatever becomes of what goes out, each file has one row, in order."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from encoders.types import Modality
from moderation.types import ItemResult, Judgment, Mode
from workers.batches.errors import WorkerLost
from workers.batches.ledger import Ledger, Work

DIGITS = tuple(float(k == 5) for k in range(10))


def row(path: Path, sha256: str | None = None) -> ItemResult:
    judgment = Judgment(DIGITS, 1.0, 5.0, Mode.FAST, "judge")
    return ItemResult(str(path), sha256 or path.name, Modality.IMAGE, None, judgment, None)


def counted(number: int, taken: list[int]) -> Iterator[Path]:
    for k in range(number):
        taken.append(k)
        yield Path(f"{k}")


@given(
    number=st.integers(0, 30),
    size=st.integers(1, 5),
    held_max=st.integers(1, 12),
    poison=st.sets(st.integers(0, 29)),
    choices=st.randoms(use_true_random=False),
)
def test_each_file_has_one_row_in_order(
    number: int, size: int, held_max: int, poison: set[int], choices: Random
) -> None:
    taken: list[int] = []
    ledger = Ledger(counted(number, taken), size=size, held_max=held_max)
    out: list[Work] = []
    rows: list[ItemResult] = []
    begun = dict.fromkeys(range(number), 0)
    while True:
        while len(out) < 3 and (work := ledger.give()) is not None:
            out.append(work)
        assert len(taken) - len(rows) <= max(held_max, size)
        if not out:
            break
        work = out.pop(choices.randrange(len(out)))
        numbers = [int(str(path)) for path in work.paths]
        fate = choices.random()
        if fate < 0.2:
            ledger.put_back(work)
        elif poison & set(numbers):
            for k in numbers:
                begun[k] += 1
            ledger.lost(work, "gone")
        else:
            part = len(numbers) if fate < 0.8 else choices.randrange(len(numbers) + 1)
            ledger.came(work, [row(path) for path in work.absolute[:part]])
        rows += ledger.ready()
    assert ledger.is_idle
    assert [result.path for result in rows] == [str(k) for k in range(number)]
    lost = {int(result.path) for result in rows if result.error is not None}
    assert lost == poison & set(range(number))
    assert all(result.error.code == WorkerLost.code for result in rows if result.error)
    assert max(begun.values(), default=0) <= 2


def test_nothing_is_taken_from_the_list_before_there_is_room() -> None:
    taken: list[int] = []
    ledger = Ledger(counted(9, taken), size=2, held_max=4)
    first, second = ledger.give(), ledger.give()
    assert first is not None
    assert second is not None
    assert ledger.give() is None
    ledger.came(second, [row(path) for path in second.absolute])
    assert list(ledger.ready()) == []
    assert ledger.give() is None  # the first still holds up what came
    ledger.came(first, [row(path) for path in first.absolute])
    assert len(list(ledger.ready())) == 4
    assert ledger.give() == Work(4, (Path("4"), Path("5")))
    assert taken == list(range(6))


def test_copies_in_different_orders_repeat_the_first_row() -> None:
    ledger = Ledger([Path("a"), Path("b"), Path("c")], size=1, held_max=9)
    works = [work for _ in range(3) if (work := ledger.give())]
    for work in reversed(works):
        ledger.came(work, [row(work.absolute[0], sha256="same")])
    rows = list(ledger.ready())
    assert [(one.path, one.duplicate_of) for one in rows] == [("a", None), ("b", "a"), ("c", "a")]
