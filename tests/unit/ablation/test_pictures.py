"""Curves from logs, and pictures that can be opened and show what they should."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from moderation.calibration.estimate import Estimate
from rl.ablation.curves import Curve, read_curve, smoothed
from rl.ablation.pictures import (
    learning_curves,
    predicted_against_true,
    reward_curves,
    score_histograms,
    weight_sweep,
)

ROWS = ("base", "CE decode", "RAFT", "TRACT", "GRPO 0/1", "GRPO −|s−y|", "GRPO −(s−y)²", "REAL")


def write_log(path: Path, lines: list[dict[str, float]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_a_curve_has_a_line_a_seed_and_gaps_where_one_has_not_logged(tmp_path: Path) -> None:
    first = write_log(tmp_path / "0", [{"step": 1, "reward": 1.0}, {"step": 2, "reward": 3.0}])
    second = write_log(tmp_path / "1", [{"step": 2, "reward": 5.0}, {"step": 2, "eval_mae": 2.0}])
    curve = read_curve([first, second, tmp_path / "missing"], "reward")
    assert curve is not None
    assert curve.step_M.tolist() == [1, 2]
    assert curve.mean_M.tolist() == [1.0, 4.0]
    assert curve.band_2M.tolist() == [[1.0, 3.0], [1.0, 5.0]]
    assert math.isnan(curve.value_SM[1, 0])
    assert read_curve([first], "eval_mae") is None


def test_smoothing_is_the_mean_of_neighbouring_steps() -> None:
    curve = Curve(np.array([1.0, 2.0, 3.0, 4.0]), np.array([[1.0, 3.0, 5.0, 1.0]]))
    found = smoothed(curve, 2)
    assert found.step_M.tolist() == [1.5, 2.5, 3.5]
    assert found.value_SM.tolist() == [[2.0, 4.0, 3.0]]
    assert smoothed(curve, 10).step_M.tolist() == [2.5]


def scores() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Rows that cluster less and less; three seeds each."""
    rng = np.random.default_rng(0)
    y_N = np.where(rng.random(150) < 0.4, 9.0, rng.uniform(0, 7, 150))
    spread = np.linspace(0.0, 1.0, len(ROWS))
    found = {
        row: np.clip(np.tile(s * y_N + (1 - s) * 8, 3) + rng.normal(0, 0.8, 450), 0, 9)
        for row, s in zip(ROWS, spread, strict=True)
    }
    return found, y_N


def draw_all(folder: Path) -> None:
    rng = np.random.default_rng(0)
    by_row, y_N = scores()
    predicted_against_true(folder / "predicted", by_row, y_N)
    score_histograms(folder / "histograms", by_row, y_N)
    step = np.arange(5.0, 65.0, 5.0)
    curves = {
        name: {
            row: Curve(step, sign * (0.3 + 0.02 * k + step / 200 + rng.normal(0, 0.02, (3, 12))))
            for k, row in enumerate(ROWS)
        }
        for name, sign in (("Spearman", 1), ("squared error", -1), ("reward", 1))
    }
    learning_curves(folder / "curves", curves)
    reward_curves(folder / "rewards", curves["reward"])
    sweep = {
        split: {
            weight: {
                name: Estimate(0.5 + 0.05 * k, 0.4 + 0.05 * k, 0.6 + 0.05 * k)
                for name in ("spearman", "mae", "crps")
            }
            for k, weight in enumerate((0.0, 0.01, 0.1, 1.0))
        }
        for split in ("test-in-domain", "test-unseen-generators", "test-unseen-sources")
    }
    weight_sweep(folder / "sweep", ("spearman", "mae", "crps"), sweep)


@pytest.mark.parametrize("name", ["predicted", "histograms", "curves", "rewards", "sweep"])
def test_pictures_are_png_and_svg(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp() / "pictures"
    if not folder.exists():
        draw_all(folder)
    with Image.open(folder / f"{name}.png") as picture:
        assert picture.width > 1000
        # Neither blank nor torn: many colours, and a white frame.
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 50
        assert picture.convert("L").getpixel((0, 0)) == 255
    text = (folder / f"{name}.svg").read_text()
    assert text.rstrip().endswith("</svg>")
