"""The table against scikit-learn, scipy and a naive bootstrap on the same predictions."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr, wasserstein_distance
from sklearn.metrics import mean_absolute_error, roc_auc_score

from moderation.calibration.draws import Draws, bootstrap_draws
from moderation.errors import ConfigurationError, ManifestError
from moderation.types import Mode
from rl.ablation.figures import FIGURES, ablation_measures
from rl.ablation.predictions import read_predictions
from rl.ablation.resampling import pooled_over_seeds
from rl.ablation.table import RowRuns, build_table, figures_of_run
from rl.ablation.wording import headline, markdown
from rl.evaluation.measurement import Measured, draws_of, measure
from tests.unit.ablation.synthetic import SPLITS, predicted, row_runs


def test_figures_of_a_run_are_those_of_the_libraries(tmp_path: Path) -> None:
    run = predicted(tmp_path, noise=1.5)
    found = figures_of_run(run, SPLITS)["test-unseen-generators"]
    items = run["test-unseen-generators"].items
    assert found["pearson"] == pytest.approx(pearsonr(items.score_N, items.y_N).statistic)
    assert found["spearman"] == pytest.approx(spearmanr(items.score_N, items.y_N).statistic)
    assert found["mae"] == pytest.approx(mean_absolute_error(items.y_N, items.score_N))
    assert found["wasserstein"] == pytest.approx(wasserstein_distance(items.score_N, items.y_N))
    assert found["auc"] == pytest.approx(roc_auc_score(items.is_manipulated_N, -items.score_N))
    assert 0 < found["ece"] < 0.3
    assert set(found) == set(FIGURES)


def test_claims_are_counted_and_timed(tmp_path: Path) -> None:
    """Every claim lies 0.4 s too late on a span of 1 s: 0.6 s shared of 1.4 s in all."""
    run = predicted(tmp_path, noise=4 / 3)
    found = figures_of_run(run, SPLITS)["test-in-domain"]
    items = run["test-in-domain"].items
    assert found["claim_precision"] == found["claim_recall"] == found["is_complete"] == 1.0
    assert found["time_precision"] == found["time_recall"] == pytest.approx(0.6)
    share = items.is_manipulated_N.mean()
    assert found["time_overlap"] == pytest.approx(share * 0.6 / 1.4 + (1 - share))


def test_weighted_claim_figures_equal_those_of_resampled_items(tmp_path: Path) -> None:
    items = predicted(tmp_path, noise=2.0)["test-in-domain"].items
    draws = draws_of(items, draws=5)
    weighted = ablation_measures(items, draws)
    for d in range(5):
        chosen = np.repeat(np.arange(len(items)), draws.weight()[d].astype(int))
        plain = ablation_measures(items.take(chosen), Draws.once(chosen.size))
        for name, value in plain.items():
            assert weighted[name][d] == pytest.approx(value[0]), name


def test_seeds_are_drawn_as_often_as_there_are(tmp_path: Path) -> None:
    runs = {
        seed: measure(
            (items := predicted(tmp_path, noise=1.0 + seed, seed=seed)["test-in-domain"].items),
            draws_of(items, draws=50),
            ablation_measures,
        )
        for seed in (3, 5, 8)
    }
    pooled = pooled_over_seeds(runs, (3, 5, 8), draws=50)
    assert pooled.value["mae"] == pytest.approx(np.mean([r.value["mae"] for r in runs.values()]))
    count_DS = bootstrap_draws(np.arange(3), draws=50, seed=1).count_DS
    naive = [
        np.mean(np.repeat([runs[s].value_D["mae"][d] for s in (3, 5, 8)], count_DS[d].astype(int)))
        for d in range(50)
    ]
    np.testing.assert_allclose(pooled.value_D["mae"], naive)


def test_a_figure_that_a_seed_does_not_define_is_left_out_of_the_mean() -> None:
    def run(value: float) -> Measured:
        return Measured({"pearson": value}, {"pearson": np.full(4, value)}, 2)

    pooled = pooled_over_seeds({0: run(0.5), 1: run(float("nan"))}, (0, 1), draws=4)
    assert pooled.value["pearson"] == 0.5
    kept = pooled.value_D["pearson"]
    assert set(kept[np.isfinite(kept)]) <= {0.5}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[RowRuns]:
    folder = tmp_path_factory.mktemp("runs")
    boosted = predicted(folder, noise=2.0, mode=Mode.FAST)
    return [
        row_runs(folder, "TRACT", noise=2.5, bias=0.5),
        row_runs(folder, "REAL", noise=1.0),
        RowRuns("boosted features", Mode.FAST, {0: boosted}, has_seeds=False),
    ]


def test_the_better_row_is_ahead_of_the_reference_by_its_interval(runs: list[RowRuns]) -> None:
    table = build_table(runs, SPLITS, reference="REAL", draws=200)
    tract, real, boosted = table.rows
    assert real.differences == {}
    assert real.seeds == (0, 1, 2)
    assert boosted.seeds == ()
    for split in SPLITS:
        assert tract.splits[split]["mae"].low > real.splits[split]["mae"].high
        gap = tract.differences[split]["mae"]
        assert 0 < gap.low < gap.value < gap.high
        value = tract.splits[split]["mae"].value - real.splits[split]["mae"].value
        assert gap.value == pytest.approx(value)
        assert boosted.differences[split]["spearman"].high < 0
        assert "claim_precision" not in boosted.splits[split]
    assert build_table(runs, SPLITS, reference="REAL", draws=200) == table


def test_a_row_compared_with_itself_differs_by_nothing(runs: list[RowRuns]) -> None:
    twin = RowRuns("twin", Mode.FULL, runs[1].predictions)
    row = build_table([runs[1], twin], SPLITS, reference="REAL", draws=50).rows[1]
    for gap in row.differences["test-in-domain"].values():
        assert (gap.value, gap.low, gap.high) == (0.0, 0.0, 0.0)


def test_differences_are_over_seeds_that_both_rows_have(runs: list[RowRuns]) -> None:
    short = RowRuns("short", Mode.FULL, {1: runs[0].predictions[1]})
    rows = build_table([short, runs[1]], SPLITS, reference="REAL", draws=50).rows
    expected = {
        seed: figures_of_run(runs[1].predictions[seed], SPLITS)["test-in-domain"]["mae"]
        for seed in (0, 1, 2)
    }
    mine = rows[0].splits["test-in-domain"]["mae"].value
    assert rows[0].differences["test-in-domain"]["mae"].value == pytest.approx(mine - expected[1])


def test_without_the_reference_there_are_no_differences(runs: list[RowRuns]) -> None:
    table = build_table(runs[:1], SPLITS, reference="REAL", draws=20)
    assert table.rows[0].differences == {}
    assert "Row less" not in markdown(table)


def test_other_items_are_refused(runs: list[RowRuns], tmp_path: Path) -> None:
    other = row_runs(tmp_path, "other", noise=1.0, items=60)
    with pytest.raises(ConfigurationError, match="other items of split 'test-in-domain'"):
        build_table([*runs, other], SPLITS, reference="REAL", draws=20)


def test_markdown_holds_every_row_and_split(runs: list[RowRuns]) -> None:
    table = build_table(runs, SPLITS, reference="REAL", draws=20)
    text = markdown(table)
    for split in SPLITS:
        assert f"## {split}" in text
    assert text.count("| TRACT |") == 1 + 2 * len(SPLITS)
    assert text.count("| REAL |") == 1 + len(SPLITS)
    assert "| boosted features | fast mode | – | 0 | 0 | 0.0 |" in text
    head, *lines = headline(table, SPLITS[0])
    assert [line[:3] for line in lines] == [
        ("TRACT", "full", "3"),
        ("REAL", "full", "3"),
        ("boosted features", "fast", "–"),
    ]
    assert {len(line) for line in lines} == {len(head)}


def test_a_bar_in_a_name_ends_no_cell(tmp_path: Path) -> None:
    rows = [row_runs(tmp_path, name, noise=1.0) for name in ("GRPO −|s−y|", "REAL")]
    lines = markdown(build_table(rows, SPLITS, reference="REAL", draws=5)).splitlines()
    columns = [len(re.findall(r"(?<!\\)\|", line)) for line in lines if line.startswith("|")]
    assert "GRPO −\\|s−y\\|" in "".join(lines)
    assert len(set(columns)) == 2  # of the runs, and of the figures


def test_what_is_no_file_of_predictions_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "predictions.parquet"
    broken.write_text(json.dumps({"not": "parquet"}))
    with pytest.raises(ManifestError, match="no readable predictions"):
        read_predictions(broken)
