"""Copies are made once, by any number of processes; robustness is measured on them by hand."""

import hashlib
import io
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from encoders.types import Modality
from rl.probes.alteration import Alteration
from rl.probes.copies import copy_path, make_copies
from rl.probes.degradations import grid
from rl.probes.picture_degradations import noise
from rl.probes.robustness import heat_maps, measure_robustness
from rl.probes.sample import sample_pairs
from rl.probes.statistics import auc
from tests.unit.probes.small_corpus import Row, write_corpus

QUIET = Console(file=io.StringIO())
CHOSEN = grid([Modality.IMAGE], ["jpeg"])[-2:]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    folder = tmp_path_factory.mktemp("corpus")
    rows = [row for row in write_corpus(folder) if row["modality"] == "image"]
    return folder, rows[:16]


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_copies_are_made_once_and_again_only_where_they_are_gone(
    corpus: tuple[Path, list[Row]], tmp_path: Path
) -> None:
    folder, rows = corpus
    made = make_copies(folder, rows, CHOSEN, tmp_path, console=QUIET)
    assert [(c.alteration, c.row) for c in made] == [(a, row) for a in CHOSEN for row in rows]
    assert all(copy.failure is None and copy.path.is_file() for copy in made)
    first = digests(tmp_path)
    times = {copy.path: copy.path.stat().st_mtime_ns for copy in made}
    made[3].path.unlink()
    again = make_copies(folder, rows, CHOSEN, tmp_path, console=QUIET)
    assert digests(tmp_path) == first
    changed = [copy.path for copy in again if copy.path.stat().st_mtime_ns != times[copy.path]]
    assert changed == [made[3].path]


def test_two_processes_make_what_one_does(corpus: tuple[Path, list[Row]], tmp_path: Path) -> None:
    folder, rows = corpus
    for workers in (1, 2):
        out = tmp_path / str(workers)
        make_copies(folder, rows[:4], CHOSEN[:1], out, workers=workers, console=QUIET)
    assert digests(tmp_path / "1") == digests(tmp_path / "2")


def test_a_file_that_cannot_be_altered_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_text("no film")
    row = {"path": "bad.mp4", "sha256": "0" * 64, "modality": "video", "source": "s"}
    chosen = grid([Modality.VIDEO], ["h264"])[:1]
    (copy,) = make_copies(tmp_path, [row], chosen, tmp_path / "out", console=QUIET)
    assert copy.failure is not None
    assert "bad.mp4" in copy.failure
    assert not copy.path.exists()


def test_a_stem_of_its_own_keeps_originals_apart() -> None:
    alteration = Alteration("name", "hostile", Modality.IMAGE, noise, stem="score 9")
    paths = {
        copy_path(Path("x"), alteration, {"path": "a.jpg", "sha256": digest * 64})
        for digest in "ab"
    }
    assert {path.name for path in paths} == {"score 9.jpg"}
    assert len(paths) == 2
    for bad in ({"name": "a/b"}, {"level": ""}, {"stem": "../x"}):
        fields = {"name": "n", "level": "l", "modality": Modality.IMAGE, "make": noise, **bad}
        with pytest.raises(ValueError, match="cannot name"):
            Alteration(**fields)  # type: ignore[arg-type]


def test_a_sample_is_whole_pairs_taken_from_sources_in_turn() -> None:
    rows = [
        {"modality": m, "source": f"{m}{k % 5}", "pair_id": f"{m}-{k}", "path": f"{m}{k}{c}"}
        for m in ("audio", "image")
        for k in range(30)
        for c in "gf"
    ]
    chosen = sample_pairs(rows, 7, seed=1)
    assert chosen == sample_pairs(list(reversed(rows)), 7, seed=1)[::-1]
    assert chosen != sample_pairs(rows, 7, seed=2)
    assert len(chosen) == 2 * 7 * 2
    for modality in ("audio", "image"):
        mine = [row for row in chosen if row["modality"] == modality]
        assert len({row["source"] for row in mine}) == 5
        assert all(sum(r["pair_id"] == row["pair_id"] for r in mine) == 2 for row in mine)


def fineness(paths: list[Path]) -> np.ndarray:
    """A judge that believes in fine detail: mean step to the right neighbour, in [0, 9]."""
    pictures = [np.asarray(Image.open(p).convert("L"), np.float64) for p in paths]
    return np.array([min(9.0, np.abs(np.diff(p, axis=1)).mean()) for p in pictures])


def test_the_table_is_what_one_counts_by_hand(
    corpus: tuple[Path, list[Row]], tmp_path: Path
) -> None:
    folder, rows = corpus
    blurs = grid([Modality.IMAGE], ["blur", "noise"])
    before = fineness([folder / row["path"] for row in rows])
    limit = float(np.median(before))
    measure = partial(measure_robustness, folder, rows, blurs, fineness, tmp_path, console=QUIET)
    table = measure(threshold=limit, draws=50)
    forged = np.array([row["is_manipulated"] for row in rows])
    assert (table[0].name, table[0].items, table[0].failed) == ("none", 16, 0)
    assert table[0].auc.value == auc(before, forged)
    assert table[0].shift.value == 0.0
    assert table[0].flip_share.value == 0.0
    for alteration, row in zip(blurs, table[1:], strict=True):
        after = fineness([copy_path(tmp_path, alteration, r) for r in rows])
        assert row.auc.value == auc(after, forged)
        assert row.shift.value == pytest.approx((after - before).mean())
        assert row.genuine_shift.value == pytest.approx((after - before)[~forged].mean())
        passed = ~forged & (before >= limit)
        assert row.flip_share.value == pytest.approx((after[passed] < limit).mean())
    strongest = {row.name: row for row in table}
    assert strongest["blur"].flip_share.value == 1.0
    assert strongest["noise"].shift.value > 0.0 > strongest["blur"].shift.value
    (heat,) = heat_maps(table)
    assert heat.names == ("none", "blur", "noise")
    assert heat.value_RL.shape == (3, 4)
    assert np.isnan(heat.value_RL[0, 1:]).all()
    assert heat.value_RL[1].tolist() == [r.auc.value for r in table if r.name == "blur"]


def test_items_without_a_score_are_counted_not_guessed(
    corpus: tuple[Path, list[Row]], tmp_path: Path
) -> None:
    folder, rows = corpus

    def half_blind(paths: list[Path]) -> np.ndarray:
        found = fineness(paths)
        found[::2] = np.nan
        return found

    table = measure_robustness(
        folder, rows, CHOSEN[:1], half_blind, tmp_path, draws=20, console=QUIET
    )
    assert [(row.items, row.failed) for row in table] == [(8, 8), (8, 8)]
