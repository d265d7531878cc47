"""Rows survive every format; the journal survives every interruption."""

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from encoders.provenance.types import ManifestAction, ManifestState, Provenance
from encoders.types import Modality, Span
from moderation.errors import ConfigurationError, ManifestError
from moderation.journal import Journal
from moderation.result_files import read_rows, write_rows
from moderation.results import (
    COLUMNS,
    RunContext,
    escape_path,
    from_row,
    to_row,
    unescape_path,
)
from moderation.types import (
    CalibratedScore,
    Claim,
    ItemError,
    ItemResult,
    Judgment,
    Mode,
    Rationale,
    Strength,
)

FAST = RunContext(Mode.FAST, "judge-1")
FULL = RunContext(Mode.FULL, "judge-1", 4, "5e7")


def judgment(score: float, context: RunContext, rationale: Rationale | None = None) -> Judgment:
    weights = np.exp(-np.abs(np.arange(10) - score))
    digits = tuple(map(float, weights / weights.sum()))
    return Judgment(digits, 0.97, score, context.mode, context.judge_id, rationale)


def scored(path: str, score: float = 4.25, digest: str = "ab" * 32) -> ItemResult:
    return ItemResult(path, digest, Modality.AUDIO, 3.5, judgment(score, FAST), None)


def failed(
    path: str,
    digest: str | None = "cd" * 32,
    *,
    transient: bool = False,
    code: str = "corrupt_media",
) -> ItemResult:
    error = ItemError(code, "ends early", "a whole file", "Fetch it anew.", transient)
    return ItemResult(path, digest, None, None, None, error)


RATIONALE = Rationale(
    'audio 1.0-2.0 "ripple", clear\r\n\nscore: \ud800',
    (Claim(Modality.AUDIO, Span(1.0, 2.0), 'vocoder "ripple", ,\n', Strength.CLEAR),),
    is_complete=False,
)
RESULTS = [
    scored("plain.wav"),
    scored("not \udcff text \\ back\\xff\n line.wav", 1 / 3),
    ItemResult(
        "full.mp4",
        "ef" * 32,
        Modality.VIDEO,
        0.1 + 0.2,
        judgment(8.999999, FULL, Rationale("", (), is_complete=True)),
        None,
        duplicate_of="é\udcfe.mp4",
        unusual_signals=("image.noise", "audio.tilt"),
        notes=("a, b", 'say "c"'),
        provenance=Provenance(
            ManifestState.VALID,
            reasons=("signingCredential.untrusted",),
            claim_generator='A "tool", 1',
            signer="Someone",
            actions=(ManifestAction("c2pa.created", "trainedAlgorithmicMedia"),),
            xmp_source_types=("compositeSynthetic",),
            notes=("one, two",),
        ),
        picture_hashes=("0f" * 32, "a1" * 32),
    ),
    ItemResult("r", "12" * 32, Modality.AUDIO, None, judgment(0.0, FULL, RATIONALE), None),
    failed("broken.mp4"),
    failed("gone.mp4", None, transient=True),
    replace(
        scored("calibrated.wav"),
        calibrated=CalibratedScore(1 / 7, 0.1 + 0.2, 8.5, 0.9, "audio", "platt-0123456789ab"),
    ),
]


def test_a_failure_has_no_calibrated_score() -> None:
    calibrated = RESULTS[-1].calibrated
    with pytest.raises(ValueError, match="without a judgment"):
        replace(failed("broken.mp4"), calibrated=calibrated)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl", "CSV"])
def test_every_format_gives_back_what_it_was_given(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"results.{suffix}"
    contexts = [FULL if r.judgment and r.judgment.mode is Mode.FULL else FAST for r in RESULTS]
    write_rows([to_row(r, c) for r, c in zip(RESULTS, contexts, strict=True)], out)
    back = [from_row(row) for row in read_rows(out)]
    assert [context for _, context in back] == contexts
    # A lone surrogate in generated text cannot be written as UTF-8: it comes back spelled out.
    text = back[3][0].judgment.rationale.text  # type: ignore[union-attr]
    assert text == RATIONALE.text.replace("\ud800", "\\ud800")
    for (result, _), given_result in zip(back, RESULTS, strict=True):
        if given_result is not RESULTS[3]:
            assert result == given_result
    assert back[3][0].judgment.rationale.claims == RATIONALE.claims  # type: ignore[union-attr]
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_columns_are_typed_even_when_empty(tmp_path: Path) -> None:
    out = tmp_path / "r.parquet"
    write_rows([to_row(failed("a"), FAST)], out)
    schema = parquet.read_schema(out)
    assert schema.names == list(COLUMNS)
    assert str(schema.field("score").type) == "double"
    assert str(schema.field("unusual_signals").type).startswith("list<")
    write_rows([], tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(newline="") as file:
        assert next(csv.reader(file)) == list(COLUMNS)


@given(st.binary(min_size=1, max_size=40))
def test_any_path_is_escaped_to_unicode_and_back(raw: bytes) -> None:
    path = os.fsdecode(raw)
    text = escape_path(path)
    text.encode("utf-8")
    assert unescape_path(text) == path


@given(st.binary(max_size=12), st.binary(max_size=12))
def test_no_two_paths_share_an_escape(first: bytes, second: bytes) -> None:
    same = escape_path(os.fsdecode(first)) == escape_path(os.fsdecode(second))
    assert same == (first == second)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    write_rows([to_row(scored("a"), FAST)], out)
    before = out.read_bytes()
    with pytest.raises(ValueError, match="JSON compliant"):
        write_rows([{"path": "b", "score": float("nan")}], out)
    assert out.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["r.jsonl"]


def test_foreign_results_are_refused(tmp_path: Path) -> None:
    for name, content in {"a.csv": "x,y\n1,2\n", "b.jsonl": "[1]\n", "c.parquet": "?"}.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(ManifestError, match="no results"):
            read_rows(tmp_path / name)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_files_of_an_earlier_release_have_no_setup(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"r.{suffix}"
    row = to_row(RESULTS[2], FULL)
    if suffix == "parquet":
        write_rows([row], out)
        parquet.write_table(parquet.read_table(out).drop_columns(["setup"]), out)
    elif suffix == "csv":
        write_rows([row], out)
        with out.open(newline="") as file:
            header, values = csv.reader(file)
        with out.open("w", newline="") as file:
            at = header.index("setup")
            csv.writer(file).writerows(line[:at] + line[at + 1 :] for line in (header, values))
    else:
        del row["setup"]
        out.write_text(json.dumps(row) + "\n")
    (back,) = read_rows(out)
    assert from_row(back) == (RESULTS[2], replace(FULL, setup=None))


def test_output_must_be_writable(tmp_path: Path) -> None:
    for out, told in (
        (tmp_path / "r.xlsx", "xlsx"),
        (tmp_path / "r", "no suffix"),
        (tmp_path / "no" / "r.csv", "cannot be written"),
    ):
        with pytest.raises(ConfigurationError, match=told):
            Journal(out, FAST, resume=False)
