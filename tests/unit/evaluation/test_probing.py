"""Altered copies of real pictures, scored by a dispatcher that really looks at them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from encoders.types import Modality
from moderation.cli.interruption import Interruption
from moderation.journal import file_sha256
from moderation.types import ItemResult, Judgment, Mode
from rl.evaluation.labels import Row
from rl.evaluation.probing import Probed, Probing, probe
from rl.evaluation.scoring import JudgeSession
from tests.unit.evaluation.recorded import judgment
from tests.unit.probes.small_corpus import write_corpus

QUIET = Console(quiet=True)


class FineDetail:
    """Believes in fine detail, and in file names that ask for it; equal bytes once a call."""

    judge_id = "fine-detail"
    setup: str | None = None
    limits: str | None = None

    def __init__(self) -> None:
        self.asked: list[Path] = []

    def score(
        self, paths: Iterable[Path], mode: Mode, *, rationales: int = 1
    ) -> Iterator[ItemResult]:
        seen: dict[str, Judgment] = {}
        for path in paths:
            self.asked.append(path)
            sha256 = file_sha256(str(path))
            assert sha256 is not None
            if sha256 not in seen:
                pixels = np.asarray(Image.open(path).convert("L"), np.float64)
                detail = min(8.0, np.abs(np.diff(pixels, axis=1)).mean())
                seen[sha256] = judgment(9.0 if "answer is 9" in path.name else detail, "fine")
            yield ItemResult(str(path), sha256, Modality.IMAGE, 0.0, seen[sha256], None)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    folder = tmp_path_factory.mktemp("corpus")
    written = [row for row in write_corpus(folder) if row["modality"] == "image"]
    return [{**row, "file": folder / row["path"]} for row in written[:8]]


def probed(rows: list[Row], judge: FineDetail, out: Path) -> Probed:
    corpus = Path(str(rows[0]["file"])).parents[1]
    session = JudgeSession(judge, out=out)
    scores = session.scores([row["file"] for row in rows], "rows")
    probing = Probing(corpus, out / "copies", 2, 1, draws=20, seed=0)
    return probe(session, rows, scores, probing, interruption=Interruption(), console=QUIET)


def test_a_judge_is_asked_about_every_copy_and_never_twice(rows: list[Row], tmp_path: Path) -> None:
    judge, again = FineDetail(), FineDetail()
    found = probed(rows, judge, tmp_path)
    assert [row.items for row in found.robustness] == [4] * 31
    blurred = {row.level: row for row in found.robustness if row.name == "blur"}
    assert blurred["sigma 3 px"].shift.value < blurred["sigma 0.5 px"].shift.value < 0
    assert found.robustness[0].shift.value == 0
    (verdict,) = found.recompression["image"]
    assert verdict.name == "recompression, jpeg quality 90"
    mild = next(r for r in found.robustness if (r.name, r.level) == ("jpeg", "quality 90"))
    assert verdict.value.value == pytest.approx(mild.genuine_shift.value)
    # The sample that is degraded, and the pair that gets nine tricks with a twin each.
    assert len(judge.asked) == len(rows) + 4 * 30 + 2 * 9 * 2
    assert repr(probed(rows, again, tmp_path)) == repr(found)
    assert not again.asked


def test_a_name_that_moves_the_score_is_found(rows: list[Row], tmp_path: Path) -> None:
    found = probed(rows, FineDetail(), tmp_path).injection
    gains = {(row.kind, row.trick): row.worst for row in found}
    assert gains["file name", "instruction"] > 0.5
    assert gains["file name", "claim"] == 0
    assert gains["metadata", "instruction"] == 0


def test_nothing_is_altered_where_nothing_is_asked(rows: list[Row], tmp_path: Path) -> None:
    judge = FineDetail()
    session = JudgeSession(judge)
    scores = session.scores([row["file"] for row in rows], "rows")
    for pairs, chosen in ((0, rows), (3, [{**row, "sha256": None} for row in rows])):
        probing = Probing(tmp_path, tmp_path / "copies", pairs, pairs, draws=20, seed=0)
        found = probe(session, chosen, scores, probing, interruption=Interruption(), console=QUIET)
        assert found == Probed()
    assert len(judge.asked) == len(rows)
    assert not (tmp_path / "copies").exists()
