"""`moderation evaluate` and `compare` by their commands: real files, fitted detectors."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image, ImageFilter
from typer.testing import CliRunner

from moderation.result_files import read_rows
from rl.commands import detectors
from rl.commands.compare import compare_command
from rl.commands.evaluate import evaluate_command
from rl.corpus.manifest import write_manifest
from tests.unit.probes.small_corpus import write_corpus

pytestmark = pytest.mark.weights

evaluate_app, compare_app = typer.Typer(), typer.Typer()
evaluate_app.command()(evaluate_command)
compare_app.command()(compare_command)


def run(app: typer.Typer, *arguments: object) -> str:
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    rows = [row for row in write_corpus(folder) if row["modality"] == "image"][:32]
    for row in rows:
        row["split"] = "test-in-domain" if row["split"] == "test" else "train"
    write_manifest([{"recipe": "mirror", "generator": "mirror", **row} for row in rows], folder)
    return folder


@pytest.fixture(scope="module")
def fitted(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("detectors")
    names = ["--detector", "logistic", "--detector", "signal-image.noise_level"]
    run(detectors.app, "fit", "--corpus", corpus, "--out", out, *names)
    return out


def test_one_report_holds_everything_and_is_found_again(
    corpus: Path, fitted: Path, tmp_path: Path
) -> None:
    judges = ["--judge", fitted / "logistic", "--judge", fitted / "signal-image.noise_level"]
    asked = ["--corpus", corpus, *judges, "--out", tmp_path, "--draws", 20]
    asked += ["--robustness-pairs", 1, "--injection-pairs", 0]
    assert "Report:" in run(evaluate_app, *asked)
    content = json.loads((tmp_path / "report.json").read_text())
    logistic, noise = content["summary"]
    assert content["about"]["splits"] == "test-in-domain"
    assert "brier" in content["metrics"][logistic]
    assert f"{logistic} - {noise}" in content["differences"]
    assert {v["name"] for v in content["controls"]["data"]["image"]} == {
        "codec-only",
        "duration",
        "silence",
        "real against real",
    }
    recompressed = content["controls"][logistic]["image"][-1]
    assert recompressed["name"] == "recompression, jpeg quality 90"
    levels = content["robustness"][noise]
    assert len(levels) == 1 + 30
    assert all(row["items"] == 2 and row["failed"] == 0 for row in levels)
    assert content["injection"] == {}
    records = {path: path.read_bytes() for path in (tmp_path / "scores").iterdir()}
    assert len(records) == 2 * 3
    first = (tmp_path / "report.json").read_bytes()
    run(evaluate_app, *asked)
    assert (tmp_path / "report.json").read_bytes() == first
    # Nothing was scored again: a detector writes each probability it gives.
    assert {path: path.read_bytes() for path in records} == records


def test_a_detector_scores_as_its_own_command_does(
    corpus: Path, fitted: Path, tmp_path: Path
) -> None:
    split = ["--corpus", corpus, "--split", "test"]
    run(detectors.app, "score", fitted / "logistic", *split, "--out", tmp_path, "--draws", 20)
    record = tmp_path / "logistic.parquet"
    asked = [*split, "--quick", "--draws", 20, "--json", "--judge"]
    live = json.loads(run(evaluate_app, *asked, fitted / "logistic"))
    recorded = json.loads(run(evaluate_app, *asked, record))
    assert recorded["metrics"] == live["metrics"]
    (figures,) = live["metrics"].values()
    assert figures["brier"]["value"] is not None
    (counted,) = live["summary"].values()
    assert counted["items"] == len(read_rows(record)) == 6


def test_systems_are_ranked_on_the_inputs_they_share(
    corpus: Path, fitted: Path, tmp_path: Path
) -> None:
    genuine = sorted((corpus / "image").iterdir())[:4]
    for system, sigma in (("sharp", 0.0), ("soft", 3.0)):
        (tmp_path / system).mkdir()
        for k, path in enumerate(genuine):
            with Image.open(path) as picture:
                made = picture.filter(ImageFilter.GaussianBlur(sigma))
                made.save(tmp_path / system / f"{k}.png")
    systems = [tmp_path / "soft", tmp_path / "sharp"]
    asked = [*systems, "--judge", fitted / "signal-image.noise_level", "--draws", 20]
    out = tmp_path / "out"
    shown = run(compare_app, *asked, "--out", out)
    assert "compared on 4 inputs" in shown
    content = json.loads((out / "report.json").read_text())["ranking"]
    assert content["is_paired"]
    (record,) = (out / "scores").glob("sharp-*.parquet")
    mean = np.mean([row["score"] for row in read_rows(record)])
    found = {entry["name"]: entry["mean"]["value"] for entry in content["systems"]}
    assert found["sharp"] == pytest.approx(mean)
    assert found["sharp"] != found["soft"]
    assert (out / "report.html").stat().st_size > 10_000
