"""`moderation triage` from recorded scores to a queue."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from moderation.cli.root import app
from moderation.cli.triage import OrderChoice
from moderation.priority.orders import ORDERS
from moderation.settings import ReviewOrder
from tests.unit.calibration.made import labelled_items, write_labels, write_scores

ITEMS = 400


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("triage")
    write_scores(folder / "scores.jsonl", labelled_items(ITEMS, 0))
    write_labels(folder / "labels.csv", labelled_items(ITEMS, 0))
    done = run(
        *("calibrate", "fit", "--scores", folder / "scores.jsonl"),
        *("--labels", folder / "labels.csv", "--method", "platt", "--out", folder / "fitted"),
    )
    assert done.exit_code == 0, done.output
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def named(folder: Path) -> list[object]:
    [path] = (folder / "fitted").iterdir()
    return ["--calibrator", path]


def test_every_row_gets_its_place(folder: Path) -> None:
    out = folder / "queue.csv"
    arguments = [folder / "scores.jsonl", *named(folder), "--out", out]
    done = run("triage", *arguments, "--json")
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["place"] for line in lines] == list(range(1, ITEMS + 2))
    assert {line["disposition"] for line in lines} == {"review", "allow"}
    waiting = [line["priority"] for line in lines if line["priority"] is not None]
    assert len(waiting) > 10
    assert waiting == sorted(waiting, reverse=True)
    with out.open(newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == [line["path"] for line in lines]


def test_people_get_a_table_and_what_it_says(folder: Path) -> None:
    done = run("triage", folder / "scores.jsonl", *named(folder), "--rows", 3)
    assert done.exit_code == 0, done.output
    assert f"… and {ITEMS - 2} more" in done.output
    assert "for people (" in done.output
    assert "without bounds" not in done.output


def test_it_knows_every_order(folder: Path) -> None:
    assert {*OrderChoice} == {*ORDERS} == {*ReviewOrder}
    for order in OrderChoice:
        done = run("triage", folder / "scores.jsonl", *named(folder), "--order", order, "--rows", 1)
        assert done.exit_code == 0, done.output


def test_a_judge_without_a_calibrator_is_refused(folder: Path) -> None:
    done = run("triage", folder / "scores.jsonl")
    assert done.exit_code == 2
    assert "calibrate fit" in done.output
