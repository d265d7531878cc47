"""`moderation policy` and `moderation queue simulate`, on real files."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet
from typer.testing import CliRunner, Result

from moderation.calibration.calibrator import FittedCalibrator
from moderation.calibration.candidates import candidate
from moderation.calibration.fitting import fit_calibrator
from moderation.cli.root import app
from moderation.policy.loading import DEFAULT
from moderation.simulation.recorded import read_arrivals
from tests.unit.calibration.made import JUDGE, ORIGIN, labelled_items, write_scores

TEXT = DEFAULT.read_text(encoding="utf-8")


def moderation(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments], env={"COLUMNS": "200"})


@pytest.fixture
def strict(tmp_path: Path) -> Path:
    """A policy that also enforces."""
    path = tmp_path / "strict.toml"
    text = TEXT.replace("enforce = false", "enforce = true").replace('"1"', '"2"', 1)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """Forty scored files, evenly spread."""
    path = tmp_path / "scores.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "sha256", "probability", "is_manipulated", "disposition"])
        writer.writerows(
            [f"{k}.jpg", f"{k:064x}", k / 40, str(k >= 20), "review"] for k in range(40)
        )
    return path


def test_check_shows_the_shipped_policy() -> None:
    run = moderation("policy", "check", "default")
    assert run.exit_code == 0
    assert "default@1: well formed; the machine may allow alone" in run.stdout
    assert "deceptive" in run.stdout
    assert json.loads(moderation("policy", "check", "default", "--json").stdout)["version"] == "1"


def test_check_says_file_line_key_and_allowed_values(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.replace('"label"', '"hide"'))
    run = moderation("policy", "check", path)
    assert run.exit_code == 2
    line = TEXT.split("\n").index('action = "label"') + 1
    assert f"mine.toml, line {line}: key 'clauses[2].action' is 'hide'" in run.stderr
    assert "'limit_reach'" in run.stderr


def test_diff_in_words_and_json(strict: Path) -> None:
    run = moderation("policy", "diff", "default", strict)
    assert "policy: routes.enforce changes from no to yes" in run.stdout
    assert "policy: version changes from 1 to 2" in run.stdout
    found = json.loads(moderation("policy", "diff", "default", strict, "--json").stdout)
    assert {"place": "policy", "key": "routes.enforce", "before": False, "after": True} in found
    assert moderation("policy", "diff", strict, strict).stdout == "The policies are the same.\n"


def test_replay_against_another_policy(strict: Path, scores: Path, tmp_path: Path) -> None:
    out = tmp_path / "changed.parquet"
    arguments = ("policy", "replay", scores, "--policy", strict, "--against", "default")
    bounds = ("--allow-below", 0.1, "--enforce-above", 0.9)
    found = json.loads(moderation(*arguments, *bounds, "--json", "--out", out).stdout)
    old, new = found["policies"]["default@1"], found["policies"]["default@2"]
    assert old["enforced"] == 0 < new["enforced"]
    assert old["allowed"] == new["allowed"]
    assert new["minutes"] < old["minutes"]
    assert {change["after"] for change in found["changed"]} <= {
        "enforce (label)",
        "enforce (disable)",
    }
    assert parquet.read_table(out).to_pylist() == found["changed"]
    shown = moderation(*arguments, *bounds).stdout
    assert f"{new['enforced']} items are treated in another way" in shown
    assert "from review to enforce (label)" in shown


def test_replay_against_the_record(scores: Path, tmp_path: Path) -> None:
    out = tmp_path / "changed.csv"
    run = moderation(
        *("policy", "replay", scores, "--policy", "default", "--allow-below", 0.5),
        *("--out", out, "--rows", 1),
    )
    assert run.exit_code == 0, run.stderr
    with out.open() as file:
        changed = list(csv.DictReader(file))
    assert {(row["before"], row["after"]) for row in changed} == {("review", "allow")}
    assert f"{len(changed) - 1} more" in run.stdout
    missed = [row for row in changed if row["is_manipulated"] == "True"]
    # Only k = 20 lies on the bound.
    assert len(missed) <= 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--allow-below", "0.9", "--enforce-above", "0.1"), "not ordered"),
        (("--out", "no/such/changed.csv"), "cannot be written"),
        (("--labels", "absent.csv"), "cannot be read"),
    ],
)
def test_wrong_usage_of_replay(scores: Path, arguments: tuple[str, ...], told: str) -> None:
    run = moderation("policy", "replay", scores, "--policy", "default", *arguments)
    assert run.exit_code == 2
    assert told in run.stderr


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Scores as the judge gives them, two hundred and one that failed."""
    path = tmp_path / "raw.jsonl"
    write_scores(path, labelled_items(200, 5))
    return path


@pytest.fixture
def calibrator(tmp_path: Path) -> Path:
    """Fitted on other scores of the same judge."""
    items, methods = labelled_items(300, 1), [candidate("platt")]
    artefact = fit_calibrator(items, methods, ORIGIN, coverage=0.9, served="absolute", seed=0)
    return artefact.write(tmp_path)


def test_replay_calibrates_raw_scores(
    strict: Path, raw: Path, calibrator: Path, tmp_path: Path
) -> None:
    calibrated = tmp_path / "calibrated.csv"
    applied = moderation(
        *("calibrate", "apply", "--calibrator", calibrator),
        *("--scores", raw, "--out", calibrated),
    )
    assert applied.exit_code == 0, applied.stderr
    arguments = ("--policy", strict, "--against", "default", "--json")
    bounds = ("--allow-below", 0.1, "--enforce-above", 0.9)
    before = moderation("policy", "replay", calibrated, *arguments, *bounds)
    run = moderation("policy", "replay", raw, "--calibrator", calibrator, *arguments, *bounds)
    assert run.exit_code == 0, run.stderr
    found = json.loads(run.stdout)
    assert found == json.loads(before.stdout)
    assert found["changed"]

    # Bounds that are not given come from the alphas of each policy.
    loose = tmp_path / "loose.toml"
    text = strict.read_text().replace("alpha_allow = 0.02", "alpha_allow = 0.2")
    loose.write_text(text.replace('version = "2"', 'version = "3"'))
    arguments = ("--policy", loose, "--against", strict, "--json")
    policies = json.loads(
        moderation("policy", "replay", raw, "--calibrator", calibrator, *arguments).stdout
    )["policies"]
    assert policies["default@3"]["allowed"] > policies["default@2"]["allowed"]


def test_a_calibrator_needs_raw_scores_of_its_judge(
    raw: Path, scores: Path, calibrator: Path, tmp_path: Path
) -> None:
    arguments = ("--policy", "default", "--calibrator", calibrator)
    run = moderation("policy", "replay", scores, *arguments)
    assert run.exit_code == 2
    assert "no column 'judge'" in run.stderr
    other = tmp_path / "other.jsonl"
    other.write_text(raw.read_text().replace(JUDGE, "another-judge"))
    run = moderation("policy", "replay", other, *arguments)
    assert run.exit_code != 0
    assert "another-judge" in run.stderr
    torn = tmp_path / "torn.jsonl"
    row = json.loads(raw.read_text().split("\n")[0])
    torn.write_text(json.dumps(row | {"p3": 7.0}))
    run = moderation("policy", "replay", torn, *arguments)
    assert run.exit_code == 2
    assert "sum to 1" in run.stderr
    assert moderation("queue", "simulate", "--calibrator", calibrator).exit_code == 2


def test_simulate_calibrates_recorded_arrivals(raw: Path, calibrator: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in raw.read_text().splitlines()]
    arrivals = tmp_path / "arrivals.jsonl"
    arrivals.write_text(
        "".join(
            json.dumps(
                row
                | {"arrived_at": f"2026-03-02T{k % 24:02}:00:00+00:00"}
                | {"views": 100.0 * k, "views_scale_hours": 3.0}
            )
            + "\n"
            for k, row in enumerate(rows)
        )
    )
    fitted = FittedCalibrator.load(calibrator)
    found = read_arrivals(arrivals, surface="feed", calibrator=fitted)
    want = sorted(
        float(fitted.method.probability(np.array([[row[f"p{d}"] for d in range(10)]]))[0])
        for row in rows
        if row["status"] == "scored"
    )
    probability_N = found.probability_N
    assert np.isnan(probability_N).sum() == 1
    assert sorted(probability_N[~np.isnan(probability_N)]) == pytest.approx(want)
    run = moderation(
        *("queue", "simulate", "--arrivals", arrivals, "--calibrator", calibrator),
        *("--seeds", 1, "--reviewers", 1, "--json"),
    )
    assert run.exit_code == 0, run.stderr


def test_simulate_writes_a_report(tmp_path: Path) -> None:
    out = tmp_path / "report"
    run = moderation(
        *("queue", "simulate", "--overload", 3, "--seeds", 2, "--days", 0.5, "--reviewers", 1),
        *("--out", out, "--json"),
    )
    assert run.exit_code == 0, run.stderr
    found = json.loads(run.stdout)
    assert found == json.loads((out / "report.json").read_text())
    assert found["orders"]["FIFO"]["harm_to_first"]["value"] == 1.0
    assert all(len(one["harm_to_first_by_seed"]) == 2 for one in found["orders"].values())
    assert (out / "report.png").read_bytes().startswith(b"\x89PNG")
    page = (out / "report.html").read_text()
    assert "avoidable harm, ageing" in page
    assert "<svg" in page
    assert "<script" not in page


def test_simulate_recorded_arrivals(tmp_path: Path) -> None:
    path = tmp_path / "arrivals.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["arrived_at", "probability", "score", "views", "views_scale_hours"])
        writer.writerows(
            [f"2026-03-01T{8 + k // 60:02d}:{k % 60:02d}:00", 0.5, 4, 100 + k, 5]
            for k in range(200)
        )
    run = moderation("queue", "simulate", "--arrivals", path, "--seeds", 1, "--reviewers", 1)
    assert run.exit_code == 0, run.stderr
    assert "avoidable harm" in run.stdout
    both = moderation("queue", "simulate", "--arrivals", path, "--overload", 3)
    assert both.exit_code == 2
    assert "bring their own" in both.stderr
