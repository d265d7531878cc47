"""`moderation policy` and `moderation queue simulate`, on real files."""

import csv
import json
from pathlib import Path

import pytest
from pyarrow import parquet
from typer.testing import CliRunner, Result

from moderation.cli.root import app
from moderation.policy.loading import DEFAULT

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
