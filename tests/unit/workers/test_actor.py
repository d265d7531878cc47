"""Ray's actor: what it repeats after an end comes alone, and only once."""

from workers.batches.actor import Memory


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
