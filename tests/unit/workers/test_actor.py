"""Ray's actor: what it repeats after an end comes alone, and only once."""

from workers.batches.actor import Memory
from workers.batches.errors import LOST_AT_FIRST_MAX


def test_what_was_begun_together_comes_alone_afterwards() -> None:
    memory = Memory()
    assert memory.begin([1, 2])
    assert memory.begin([3, 4])
    assert not memory.begin([2, 3])


def test_a_file_that_was_begun_alone_is_not_again_unless_it_has_a_row() -> None:
    memory = Memory()
    assert memory.begin_alone(1) == (True, None)
    memory.keep(1, "row")
    assert memory.begin_alone(1) == (False, "row")
    assert memory.begin_alone(2) == (True, None)
    assert memory.begin_alone(2) == (False, None)


def test_actors_that_all_end_before_a_row_are_given_up() -> None:
    memory = Memory()
    told = [memory.begin([1, 2]) for _ in range(LOST_AT_FIRST_MAX + 1)]
    assert told == [True, *[False] * (LOST_AT_FIRST_MAX - 1), None]
    lived = Memory()
    lived.begin([1, 2])
    lived.has_row()
    assert None not in [lived.begin([3]) for _ in range(2 * LOST_AT_FIRST_MAX)]
