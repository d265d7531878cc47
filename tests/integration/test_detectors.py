"""Detectors fitted, scored, and a corpus controlled, by the commands and on real files."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from moderation.errors import ConfigurationError
from moderation.result_files import read_rows
from rl.commands import detectors, probes
from rl.corpus.manifest import read_manifest, write_manifest
from rl.detectors.artefact import read_artefact
from tests.unit.probes.small_corpus import write_corpus

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    rows = [row for row in write_corpus(folder) if row["modality"] == "image"]
    write_manifest([{"recipe": "mirror", "generator": "", **row} for row in rows], folder)
    return folder


@pytest.fixture(scope="module")
def fitted(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("detectors")
    arguments = ["fit", "--corpus", corpus, "--out", out, "--detector", "logistic"]
    arguments += ["--detector", "signal-image.noise_level"]
    run = CliRunner().invoke(detectors.app, [str(a) for a in arguments])
    assert run.exit_code == 0, run.output
    assert "logistic-" in run.output
    return out


def test_scores_are_recorded_as_those_of_a_judge(
    corpus: Path, fitted: Path, tmp_path: Path
) -> None:
    arguments = ["score", fitted / "logistic", fitted / "signal-image.noise_level"]
    arguments += ["--corpus", corpus, "--out", tmp_path, "--draws", 20]
    run = CliRunner().invoke(detectors.app, [str(a) for a in arguments])
    assert run.exit_code == 0, run.output
    rows = [row for row in read_manifest(corpus) if row["split"] == "test"]
    for name in ("logistic", "signal-image.noise_level"):
        artefact = read_artefact(fitted / name)
        written = tmp_path / f"{artefact.detector.name}.parquet"
        recorded = read_rows(written)
        assert [Path(row["path"]) for row in recorded] == [corpus / row["path"] for row in rows]
        assert {row["judge"] for row in recorded} == {artefact.detector_id}
        assert [row["sha256"] for row in recorded] == [row["sha256"] for row in rows]
        for row in recorded:
            assert sum(k * row[f"p{k}"] for k in range(10)) == pytest.approx(row["score"])
        p = pq.read_table(written)["p_manipulated"].to_pylist()
        assert all(0.0 <= value <= 1.0 for value in p)
        figures = json.loads((tmp_path / f"{artefact.detector.name}.json").read_text())
        assert figures["slices"]["image"]["items"] == len(rows)
    provenance = read_artefact(fitted / "logistic").provenance
    assert provenance.items == len(read_manifest(corpus)) - len(rows)
    assert provenance.split == "train"
    assert set(provenance.encoders) == {"clip", "whisper", "forensic"}


def test_the_controls_of_a_corpus_are_printed_and_written(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "controls.json"
    arguments = ["controls", "--corpus", corpus, "--out", out, "--draws", 40]
    run = CliRunner().invoke(probes.app, [str(a) for a in arguments])
    assert run.exit_code == 0, run.output
    assert "FAIL" not in run.output
    found = json.loads(out.read_text())
    named = {verdict["name"]: verdict for verdict in found["image"]}
    assert named["codec-only"]["passed"] is True
    assert named["silence"]["passed"] is None
    assert found["all"][0]["passed"] is True


def test_a_split_without_rows_is_refused(corpus: Path, tmp_path: Path) -> None:
    for app, command in (
        (detectors.app, ["fit", "--out", str(tmp_path)]),
        (probes.app, ["controls"]),
    ):
        run = CliRunner().invoke(app, [*command, "--corpus", str(corpus), "--split", "none"])
        assert isinstance(run.exception, ConfigurationError)
        assert "'none'" in str(run.exception)
