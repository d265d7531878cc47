"""Chapters on controls, robustness and injection: what failed is said first, nothing is NaN."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from moderation.calibration.estimate import Estimate
from moderation.cli.chapters.page import html
from moderation.cli.chapters.section import Paragraph, Picture, Report, Table
from moderation.results import RunContext
from moderation.types import Mode
from rl.evaluation.chapters import summary
from rl.evaluation.control_chapter import control_section
from rl.evaluation.evaluation import Evaluation, evaluate_scores
from rl.evaluation.injection_chapter import injection_section
from rl.evaluation.labels import read_labels
from rl.evaluation.probing import Probed
from rl.evaluation.robustness_chapter import robustness_section
from rl.evaluation.scores import Scores, read_scores
from rl.probes.degradations import grid
from rl.probes.injection import InjectionRow
from rl.probes.robustness import RobustnessRow
from rl.probes.verdict import leak_verdict, undecided
from tests.unit.evaluation.recorded import labelled_rows, write_manifest, write_scores

NAN = Estimate(float("nan"), float("nan"), float("nan"))
AUC = Estimate(0.8, 0.7, 0.9)


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    folder = tmp_path_factory.mktemp("corpus")
    write_manifest(labelled_rows(), folder)
    rows = read_labels(folder)
    good = read_scores(write_scores(rows, folder, folder / "good.parquet", judge_id="good"))
    poor = read_scores(
        write_scores(rows, folder, folder / "poor.parquet", lambda _, rng: float(rng.uniform(0, 9)))
    )
    given = {r.path: 0.5 for r in good.results}
    baseline = Scores(RunContext(Mode.FAST, "good"), good.results, given)
    return evaluate_scores(rows, [poor, baseline], draws=50)


def row(name: str, level: str, order: int, value: Estimate) -> RobustnessRow:
    return RobustnessRow("image", name, level, order, 12, 0, value, AUC, AUC, NAN)


def test_a_judge_that_loses_to_a_baseline_is_told_so_at_the_top(evaluation: Evaluation) -> None:
    warnings = [b.text for b in summary(evaluation).blocks if getattr(b, "is_warning", False)]
    (warning,) = warnings
    assert "good separates better than one" in warning
    assert warning.endswith("one does not beat this cheap baseline.")
    poor, good = evaluation.judges
    swapped = (replace(poor, is_baseline=True), replace(good, is_baseline=False))
    for judges in (swapped, (poor, swapped[1]), (swapped[0], good)):
        blocks = summary(replace(evaluation, judges=judges)).blocks
        assert not any(getattr(b, "is_warning", False) for b in blocks)


def test_failing_controls_are_named_in_the_summary_and_explained(evaluation: Evaluation) -> None:
    leak = leak_verdict("duration", Estimate(0.9, 0.8, 1.0), 0.6, "duration")
    unknown = undecided("silence", 0.6, "The corpus has no silence.")
    judge = replace(evaluation.judges[0], controls={"image": (unknown,)})
    found = replace(
        evaluation, controls={"audio": (leak, unknown)}, judges=(judge, evaluation.judges[1])
    )
    texts = [b.text for b in summary(found).blocks if isinstance(b, Paragraph)]
    assert "1 control failed: duration (data, audio)." in texts
    section = control_section(found)
    assert [b.text for b in section.blocks if isinstance(b, Paragraph)] == [
        f"audio: {leak.sentence}"
    ]
    data, own = [b for b in section.blocks if isinstance(b, Table)]
    assert [cells[1] for cells in data.rows] == ["FAIL", "undecided"]
    assert data.marked == {0}
    assert own.caption == "image, silence: The corpus has no silence."
    left_out = control_section(evaluation).blocks
    assert [type(block) for block in left_out] == [Paragraph]


def test_the_heat_map_has_a_cell_for_each_level_that_was_measured(evaluation: Evaluation) -> None:
    table = (
        row("none", "original", -1, AUC),
        *(
            row(d.name, d.level, d.order, Estimate(d.order / 100 + 0.5, 0.4, 0.9))
            for d in grid(names=["jpeg", "blur"])
            if d.modality == "image"
        ),
        row("noise", "sigma 2", 90, NAN),
    )
    judge = replace(evaluation.judges[0], probed=Probed(robustness=table))
    section = robustness_section(replace(evaluation, judges=(judge,)))
    (picture,) = [b for b in section.blocks if isinstance(b, Picture)]
    cells = re.findall(r">(1\.00|\.\d\d)<", picture.svg)
    assert len(cells) == len(table) - 1
    assert ">jpeg, quality<" in picture.svg
    assert ">0.5 px<" in picture.svg
    (listed,) = [b for b in section.blocks if isinstance(b, Table)]
    assert len(listed.rows) == len(table)
    assert listed.is_folded
    page = html(Report("r", {}, (section,)))
    assert f"All {len(table)} rows" in page
    content = json.loads(Report("r", {}, (section,)).json_text())["robustness"]
    assert content["one"][-1]["auc"]["value"] is None


def test_injection_shows_what_gains_for_certain(evaluation: Evaluation) -> None:
    gain, none = Estimate(1.0, 0.5, 1.5), Estimate(0.1, -0.5, 0.7)
    rows = (
        InjectionRow("image", "drawn", "claim", 4, 0, gain, 2.5, "a", none),
        InjectionRow("audio", "drawn", "claim", 2, 1, none, 0.5, "b", none),
    )
    judge = replace(evaluation.judges[0], probed=Probed(injection=rows))
    section = injection_section(replace(evaluation, judges=(judge, evaluation.judges[1])))
    kinds, tricks = [b for b in section.blocks if isinstance(b, Table)]
    assert kinds.rows == (("drawn", "6", "0.700", "+2.50"),)
    assert tricks.marked == {0}
    assert tricks.rows[1][1] == "2, 1 failed"
    assert np.isfinite(section.figures["one"]["kinds"][0]["mean_shift"])


def test_nothing_tried_says_so(evaluation: Evaluation, tmp_path: Path) -> None:
    for section in (robustness_section(evaluation), injection_section(evaluation)):
        (said,) = section.blocks
        assert isinstance(said, Paragraph)
        assert "No copies were altered" in said.text
        assert section.figures == {}
