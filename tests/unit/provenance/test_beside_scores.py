"""Provenance stands beside a score, is shown with it, and never stops it."""

import dataclasses
import json
from html import escape
from pathlib import Path

import pytest
from rich.console import Console

from encoders.provenance.types import ManifestAction, ManifestState, Provenance
from encoders.sandbox import Sandbox
from moderation.app import build_provenance
from moderation.cli.examination_view import print_examination, to_json
from moderation.cli.provenance_view import MANIFEST_WORDS, provenance_rows
from moderation.cli.report import render
from moderation.cli.results_view import _evidence
from moderation.cli.text import printable
from moderation.errors import ConfigurationError
from moderation.pipeline import ScoringPipeline
from moderation.provenance import ProvenanceReader, read_trust_anchors
from moderation.settings import Settings
from moderation.types import Mode
from tests.unit.provenance.signing import make_signing
from tests.unit.test_pipeline import encoder, pipeline, write  # noqa: F401
from tests.unit.test_report import examination
from tests.unit.test_results import scored

MARKED = Provenance(
    ManifestState.INVALID,
    reasons=("assertion.dataHash.mismatch",),
    claim_generator="Camera \x1b[2J",
    signer="Newsroom",
    actions=(ManifestAction("c2pa.created", "trainedAlgorithmicMedia"),),
)
SAMPLE = Path(__file__).parents[3] / "docs" / "samples" / "photo-genuine.jpg"


def test_each_scored_row_has_it_and_a_failed_one_has_none(
    pipeline: ScoringPipeline,  # noqa: F811
    tmp_path: Path,
) -> None:
    seen: list[Path] = []

    def look(path: Path) -> Provenance:
        seen.append(path)
        return MARKED

    looking = dataclasses.replace(pipeline, provenance=look)
    paths = write(tmp_path, [b"aa", b"bad", b"cc", b"aa"])
    rows = list(looking.score(paths, Mode.FAST))
    assert [row.provenance for row in rows] == [MARKED, None, MARKED, MARKED]
    assert paths[1] not in seen
    assert [row.provenance for row in pipeline.score(paths, Mode.FAST)] == [None] * 4


def test_it_is_shown_and_steers_no_terminal() -> None:
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    shown = dataclasses.replace(examination(), provenance=MARKED)
    print_examination(shown, console)
    text = console.export_text()
    for words in (
        MANIFEST_WORDS[ManifestState.INVALID],
        "dataHash.mismatch",
        "Newsroom",
        "c2pa.created trainedAlgorithmicMedia",
        "made by an algorithm",
    ):
        assert words in text
    assert "\x1b[2J" not in text
    told = json.loads(to_json(shown))["provenance"]
    assert (told["manifest"], told["declares_synthetic"]) == ("invalid", True)
    silent = dataclasses.replace(examination(), provenance=None)
    assert json.loads(to_json(silent))["provenance"] is None
    page = render(shown)
    for name, value in provenance_rows(MARKED):
        assert name in page
        assert escape(printable(value)) in page
    assert "Origin, as the file" not in render(silent)
    console.file.close()


def test_every_state_has_words() -> None:
    assert set(MANIFEST_WORDS) == set(ManifestState)


def test_a_batch_s_table_tells_what_a_file_says_of_itself() -> None:
    row = dataclasses.replace(scored("a"), provenance=MARKED)
    assert "C2PA manifest: invalid" in _evidence(row).plain
    assert "says of itself: trainedAlgorithmicMedia" in _evidence(row).plain
    silent = dataclasses.replace(scored("a"), provenance=Provenance(ManifestState.ABSENT))
    assert _evidence(silent).plain == ""


def test_a_reader_never_raises(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        reader = ProvenanceReader(sandbox)
        assert reader(SAMPLE).manifest is ManifestState.ABSENT
        gone = reader(tmp_path / "gone")
    assert (gone.manifest, gone.reasons) == (ManifestState.UNREADABLE, ("unreadable_file",))
    closed = reader(SAMPLE)
    assert (closed.manifest, closed.reasons) == (ManifestState.UNREADABLE, ("internal",))


def test_settings_switch_it_off_and_name_who_is_trusted(tmp_path: Path) -> None:
    anchors = tmp_path / "anchors.pem"
    anchors.write_text(make_signing().trust_anchor)
    with Sandbox() as sandbox:
        assert build_provenance(Settings(provenance=False), sandbox) is None
        reader = build_provenance(Settings(trust_anchors=anchors), sandbox)
        assert reader is not None
        assert reader.trust_anchors == anchors.read_text()
    assert read_trust_anchors(None) == ""


@pytest.mark.parametrize(
    "content", ["", "no certificate", "é", "-----BEGIN CERTIFICATE-----" * 40_000]
)
def test_trust_anchors_are_checked(tmp_path: Path, content: str) -> None:
    path = tmp_path / "anchors.pem"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        read_trust_anchors(path)
    with pytest.raises(ConfigurationError):
        read_trust_anchors(tmp_path / "gone.pem")
