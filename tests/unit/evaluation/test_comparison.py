"""Ranking generators: pairing, intervals, and what cannot be compared."""

from pathlib import Path

import numpy as np
import pytest

from moderation.errors import ConfigurationError
from moderation.result_files import write_rows
from moderation.results import RunContext, to_row
from moderation.settings import Settings
from moderation.types import ItemResult, Mode
from rl.evaluation import compare
from rl.evaluation.comparison import system_names
from rl.evaluation.ranking import rank, system
from tests.unit.evaluation.recorded import result

CONTEXT = RunContext(Mode.FAST, "one")


def outputs(scores: dict[str, float | None], root: str = "/made", suffix: str = "wav") -> list:
    return [result(f"{root}/{name}.{suffix}", score) for name, score in scores.items()]


def record(
    folder: Path,
    name: str,
    results: list[ItemResult],
    judge_id: str = "one",
    setup: str | None = None,
) -> Path:
    path = folder / f"{name}.parquet"
    context = RunContext(Mode.FAST, judge_id, setup=setup)
    write_rows([to_row(one, context) for one in results], path)
    return path


def test_pairs_see_a_small_steady_gain_that_inputs_hide() -> None:
    rng = np.random.default_rng(0)
    base = {f"deep/{k}": float(s) for k, s in enumerate(rng.uniform(1, 8, 40))}
    better = {name: score + 0.3 for name, score in base.items()}
    one = system("old", outputs(base), "/made")
    two = system("new", outputs(better, "/other", "flac"), "/other")
    found = rank([one, two], CONTEXT, draws=300)
    assert found.is_paired
    assert [r.name for r in found.ranking] == ["new", "old"]
    leader, second = found.ranking
    assert leader.behind is None
    assert leader.first_share == 1
    assert second.behind.value == pytest.approx(0.3)
    assert second.behind.low == pytest.approx(0.3)
    assert leader.mean.low < second.mean.high
    apart = rank(
        [one, system("new", outputs({f"x{k}": s for k, s in better.items()}), "/made")],
        CONTEXT,
        draws=300,
    )
    assert not apart.is_paired
    assert apart.ranking[1].behind.low < 0 < apart.ranking[1].behind.high


def test_only_shared_inputs_count_and_the_rest_is_said() -> None:
    one = system("one", outputs({"a": 8.0, "b": 2.0, "only": 0.0, "bad": None}), "/made")
    two = system("two", outputs({"a": 4.0, "b": 4.0}), "/made")
    found = rank([two, one], CONTEXT, draws=50)
    first, second = found.ranking
    assert (first.name, first.mean.value, first.left_out, first.failed) == ("one", 5.0, 1, 1)
    assert (second.name, second.items, second.left_out) == ("two", 2, 0)
    assert [stem for stem, _ in first.worst] == ["b", "a"]


def test_two_that_share_inputs_are_paired_on_those_though_a_third_is_not() -> None:
    rng = np.random.default_rng(0)
    base = {f"fr/{k}": float(s) for k, s in enumerate(rng.uniform(1, 8, 30))}
    part = {name: score - 0.2 for name, score in list(base.items())[:10]}
    systems = [
        system("all", outputs(base), "/made"),
        system("part", outputs(part), "/made"),
        system("other", outputs({f"en/{k}": 0.5 for k in range(5)}), "/made"),
    ]
    found = rank(systems, CONTEXT, draws=50)
    assert not found.is_paired
    gap = next(g for pair, g in found.differences.items() if set(pair) == {"all", "part"})
    assert gap.shared == 10
    assert abs(gap.value) == pytest.approx(0.2)
    assert gap.high - gap.low == pytest.approx(0, abs=1e-9)
    assert {g.shared for pair, g in found.differences.items() if "other" in pair} == {0}
    one = next(r for r in found.ranking if r.name == "all")
    assert one.items == 30
    assert set(one.slices) == {"image", "fr/"}
    assert one.slices["fr/"] == one.mean


def test_draws_do_not_depend_on_the_order_of_the_systems() -> None:
    rng = np.random.default_rng(1)
    systems = [
        system(
            name, outputs({str(k): float(s) for k, s in enumerate(rng.uniform(0, 9, 20))}), "/made"
        )
        for name in "abc"
    ]
    one, two = rank(systems, CONTEXT, draws=100), rank(systems[::-1], CONTEXT, draws=100)
    assert [(r.name, r.mean) for r in one.ranking] == [(r.name, r.mean) for r in two.ranking]
    assert sum(r.first_share for r in one.ranking) == pytest.approx(1)


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    settings = Settings.load()
    one = record(tmp_path, "one", outputs({"a": 1.0, "b": 2.0}))
    other = record(tmp_path, "other", outputs({"a": 1.0, "b": 2.0}), "other")
    with pytest.raises(ConfigurationError, match="scored differently"):
        compare([one, other], settings)
    with pytest.raises(ConfigurationError, match="1 system"):
        compare([one], settings)
    with pytest.raises(ConfigurationError, match="no folder"):
        compare([one, tmp_path / "absent"], settings)
    with pytest.raises(ConfigurationError, match="two outputs 'a'"):
        system("twice", outputs({"a": 1.0}) + outputs({"a": 2.0}, suffix="mp3"), "/made")
    with pytest.raises(ConfigurationError, match="no output with a score"):
        rank([system("none", outputs({"a": None}), "/made")] * 2, CONTEXT)


def test_result_files_are_paired_by_their_place_under_their_own_folder(tmp_path: Path) -> None:
    one = record(tmp_path, "one", outputs({"x/a": 1.0, "y/a": 3.0}, "/made/step1"))
    two = record(tmp_path, "two", outputs({"x/a": 2.0, "y/a": 4.0}, "/made/step2", "png"))
    found = compare([one, two], Settings.load(), draws=20)
    assert found.is_paired
    assert [r.name for r in found.ranking] == ["two", "one"]
    assert found.differences["two", "one"].value == pytest.approx(1.0)


def test_files_read_in_another_way_are_not_compared(tmp_path: Path) -> None:
    made = outputs({"a": 1.0, "b": 3.0})
    plain = record(tmp_path, "plain", made)
    first, second = (record(tmp_path, s, made, setup=s) for s in ("first", "second"))
    assert compare([plain, first], Settings.load(), draws=20).is_paired
    with pytest.raises(ConfigurationError, match="setup second"):
        compare([plain, first, second], Settings.load())


def test_names_are_as_long_as_they_must_be() -> None:
    paths = [Path("/runs/a/out"), Path("/runs/b/out")]
    assert system_names(paths) == ["a-out", "b-out"]
    assert system_names([Path("/runs/step-1.5"), Path("/runs/two.parquet")]) == ["step-1.5", "two"]
    assert system_names([Path("/x"), Path("/x")]) == ["x-1", "x-2"]
