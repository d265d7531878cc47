"""A short run of `python -m tests.faults.malformed`, and that its count can fail."""

import dataclasses
import json
import random
from pathlib import Path

import pytest

from tests.faults import malformed
from tests.faults.malformed import main
from tests.faults.mutation import MUTATIONS
from tests.media_factory import photograph


def test_malformed_media_end_in_typed_errors(
    good_media: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = {name: path.read_bytes() for name, path in good_media.items()}
    monkeypatch.setattr(malformed, "write_sources", lambda _: (sources, ["one.amr"]))
    assert main(["--files", "26", "--seed", "1", "--out", str(tmp_path)]) == 0
    told = json.loads((tmp_path / "outcomes.json").read_text())
    assert sum(told["outcomes"].values()) == sum(told["marks"].values()) == 26
    assert told["violations"] == []
    assert told["child_rss_bytes_max"] < malformed.LIMITS.memory_bytes
    assert len(told["outcomes"]) >= 2
    text = (tmp_path / "outcomes.md").read_text()
    assert "| corrupt_media |" in text
    assert "Not at hand: one.amr." in text
    assert {path.name for path in tmp_path.iterdir()} == {"outcomes.json", "outcomes.md"}


def test_a_broken_rule_is_counted_and_its_file_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a bound that every child breaks, and that no child is told of."""
    photograph().save(tmp_path / "still.png")
    sources = {"png": (tmp_path / "still.png").read_bytes()}
    limits = dataclasses.replace(malformed.LIMITS, memory_bytes=2**20)
    monkeypatch.setattr(malformed, "LIMITS", limits)
    monkeypatch.setattr(malformed.Sandbox, "__init__", _with_usual_limits)
    tally = malformed.run(sources, 1, 0, tmp_path)
    assert tally.violations
    assert any("violation" in path.name for path in tmp_path.iterdir())


_init = malformed.Sandbox.__init__


def _with_usual_limits(self: malformed.Sandbox, **options: object) -> None:
    _init(self, on_exit=options["on_exit"])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_the_same_for_the_same_draws(name: str, tmp_path: Path) -> None:
    photograph().save(tmp_path / "still.png")
    content = (tmp_path / "still.png").read_bytes()
    other = bytes(range(256)) * 8
    made = [MUTATIONS[name](content, other, random.Random(k)) for k in (1, 1, 2)]
    assert made[0] == made[1]
    assert {made[0], made[2]} != {content}
