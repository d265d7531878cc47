"""`moderation calibrate` from scores and labels on disk to a verdict."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from moderation.calibration.calibrator import FittedCalibrator
from moderation.cli.calibrate import app
from moderation.errors import CalibrationError, ConfigurationError, ManifestError
from moderation.result_files import read_rows
from moderation.results import from_row
from moderation.types import Mode
from tests.unit.calibration.made import JUDGE, labelled_items, write_labels, write_scores

ITEMS = 600


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scores of two splits: one like the calibration, and one where the judge has no skill."""
    folder = tmp_path_factory.mktemp("calibration")
    good, bad = labelled_items(ITEMS, 0, sources=40), labelled_items(ITEMS, 1, skill=-2.0)
    splits = ["calibration" if k % 40 < 20 else "test-like" for k in range(ITEMS)]
    write_scores(folder / "scores.parquet", good)
    write_labels(folder / "labels.csv", good, splits)
    write_scores(folder / "bad.csv", bad)
    write_labels(folder / "bad-labels.csv", bad, ["test-unlike"] * ITEMS)
    write_scores(folder / "full.jsonl", good, Mode.FULL)
    return folder


def run(command: str, *arguments: object) -> Result:
    return CliRunner().invoke(app, [command, *map(str, arguments)])


@pytest.fixture(scope="module")
def calibrator(folder: Path) -> Path:
    arguments = ["--scores", folder / "scores.parquet", "--labels", folder / "labels.csv"]
    done = run("fit", *arguments, "--date", "2026-01-31", "--out", folder / "out", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["judge"] == JUDGE
    assert found["items"]["all"] == ITEMS // 2
    assert found["after"]["nll"] < found["before"]["nll"]
    assert found["method"] == min(found["candidates"], key=found["candidates"].get)
    return Path(found["path"])


def test_the_table_names_the_choice_and_what_was_left_out(folder: Path) -> None:
    arguments = ["--scores", folder / "scores.parquet", "--labels", folder / "labels.csv"]
    done = run("fit", *arguments, "--method", "platt", "--out", folder / "table")
    assert done.exit_code == 0, done.output
    assert "chosen" in done.output
    assert f"{ITEMS // 2} scores of files without a label" in done.output
    (path,) = (folder / "table").iterdir()
    assert path.name.startswith("fast-platt-")


def test_applying_adds_columns_and_keeps_the_rest(folder: Path, calibrator: Path) -> None:
    out = folder / "calibrated.jsonl"
    done = run(
        "apply", "--calibrator", calibrator, "--scores", folder / "scores.parquet", "--out", out
    )
    assert done.exit_code == 0, done.output
    assert f"{ITEMS} calibrated, 1 without a score" in done.output
    before, after = read_rows(folder / "scores.parquet"), read_rows(out)
    for old, new in zip(before, after, strict=True):
        assert {k: v for k, v in new.items() if v != old[k]}.keys() <= {
            *("probability", "score_lower", "score_upper", "coverage"),
            *("calibration_group", "calibrator"),
        }
    scores = [from_row(row)[0].calibrated for row in after]
    assert scores[-1] is None
    assert all(one.calibrator_id in calibrator.name for one in scores[:-1])
    assert np.std([one.probability for one in scores[:-1]]) > 0.1


def test_another_mode_is_refused(folder: Path, calibrator: Path) -> None:
    done = run(
        *("apply", "--calibrator", calibrator, "--scores", folder / "full.jsonl"),
        *("--out", folder / "never.csv"),
    )
    assert isinstance(done.exception, CalibrationError)
    assert "in full mode" in str(done.exception)
    assert not (folder / "never.csv").exists()


def test_the_report_says_what_holds_and_what_does_not(
    folder: Path, calibrator: Path, tmp_path: Path
) -> None:
    common = ["--calibrator", calibrator, "--draws", 200]
    like = run(
        *("report", *common, "--scores", folder / "scores.parquet"),
        *("--labels", folder / "labels.csv", "--out", tmp_path / "like", "--json"),
    )
    assert like.exit_code == 0, like.output
    found = json.loads(like.stdout)
    assert list(found["reliability"]) == ["test-like"]
    assert found["promises"]["broken"] == []
    assert all(one["false_allow_kept"] != "broken" for one in found["risk"]["test-like"])
    ece = found["reliability"]["test-like"]
    assert ece["after"]["figures"]["nll"]["value"] < ece["before"]["figures"]["nll"]["value"]
    unlike = run(
        *("report", *common, "--scores", folder / "bad.csv"),
        *("--labels", folder / "bad-labels.csv", "--out", tmp_path / "unlike"),
    )
    assert unlike.exit_code == 0, unlike.output
    assert "not exchangeable" in " ".join(unlike.output.split())
    page = (tmp_path / "unlike" / "report.html").read_text()
    assert "broken" in page
    assert "test-unlike" in page
    png = (tmp_path / "unlike" / "reliability.png").read_bytes()
    assert png.startswith(b"\x89PNG")


def test_the_monitor_holds_where_nothing_changed(folder: Path, calibrator: Path) -> None:
    done = run(
        *("monitor", "--calibrator", calibrator, "--scores", folder / "scores.parquet"),
        *("--labels", folder / "labels.csv"),
    )
    assert done.exit_code == 0, done.output
    assert "holds" in done.output


def test_the_monitor_asks_for_labels_and_then_for_a_new_fit(folder: Path, calibrator: Path) -> None:
    common = ["--calibrator", calibrator, "--scores", folder / "bad.csv", "--json"]
    labelled = run("monitor", *common, "--labels", folder / "bad-labels.csv")
    assert labelled.exit_code == 1
    found = json.loads(labelled.stdout)
    assert found["verdict"] == "recalibrate"
    assert found["reasons"]
    same = run("monitor", *common, "--reference", folder / "bad.csv")
    assert same.exit_code == 0, same.output


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"--judge": "nobody"}, CalibrationError, "no scores of nobody"),
        ({"--mode": "full"}, CalibrationError, "in full mode"),
        ({"--method": "astrology"}, ConfigurationError, "no plugin named 'astrology'"),
        ({"--split": "nowhere"}, ManifestError, "no label is in the split"),
        ({"--labels": "{folder}/bad-labels.csv", "--scores": "{folder}/none.csv"}, None, "none"),
    ],
)
def test_what_cannot_be_fitted_is_said(
    folder: Path, options: dict[str, str], error: type[Exception] | None, said: str
) -> None:
    chosen = {"--scores": folder / "scores.parquet", "--labels": folder / "labels.csv"}
    chosen |= {name: value.format(folder=folder) for name, value in options.items()}
    done = run("fit", *(word for pair in chosen.items() for word in pair), "--out", folder / "no")
    assert isinstance(done.exception, error or ConfigurationError)
    assert said in str(done.exception)
    assert not (folder / "no").exists()


def test_without_routes_the_machine_is_given_no_bounds(folder: Path) -> None:
    arguments = ["--scores", folder / "scores.parquet", "--labels", folder / "labels.csv"]
    done = run("fit", *arguments, "--method", "platt", "--without-routes", "--out", folder / "none")
    assert done.exit_code == 0, done.output
    (path,) = (folder / "none").iterdir()
    assert FittedCalibrator.load(path).risk_sample.is_empty
    arguments += ["--calibrator", path, "--out", folder / "none-report", "--draws", 20]
    done = run("report", *arguments)
    assert done.exit_code == 0, done.output
