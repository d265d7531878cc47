"""Progress in a log: the rate so far, and what is left at that rate."""

import io

from rich.console import Console

from moderation.progress import counted, each, sentence


def test_what_is_left_is_foreseen_by_the_rate_so_far() -> None:
    assert sentence(30, 120, "pairs", 60.0) == "30 of 120 pairs, 0.5 a second, 3 min left"
    assert sentence(1, 1, "pairs", 0.0).endswith("0 min left")


def test_a_log_ends_with_all_pairs_and_a_terminal_shows_a_bar() -> None:
    for is_terminal, expected in ((False, "3 of 3 pairs"), (True, "3/3")):
        file = io.StringIO()
        with counted(Console(file=file, force_terminal=is_terminal), 3, "pairs") as advance:
            for _ in range(3):
                advance()
        assert expected in file.getvalue()


def test_things_come_in_order_and_are_all_counted() -> None:
    file = io.StringIO()
    things = list(each(iter("abc"), Console(file=file, force_terminal=False), 3, "files encoded"))
    assert things == ["a", "b", "c"]
    assert "3 of 3 files encoded" in file.getvalue()
