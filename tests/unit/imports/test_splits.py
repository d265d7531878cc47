"""Splits and labels of imported files, against closed forms."""

import math
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from encoders.types import Modality, Span
from moderation.errors import ConfigurationError, ManifestError
from moderation.types import Strength
from rl.corpus.severity import score
from rl.imports.grading import SpanOutside, grade, severity_of_score
from rl.imports.record import Forged, Record
from rl.imports.splits import (
    DEFAULT_SHARES,
    SPLITS,
    assign,
    hashed_split,
    known_split,
    linked,
    parse_shares,
)


def record(name: str, source: str, split: str | None = None, *forged: Forged) -> Record:
    recipe = "made" if forged else "genuine"
    return Record(
        Path(f"/{name}.wav"), name, Modality.AUDIO, source, name, recipe, forged=forged, split=split
    )


def test_hashed_splits_keep_to_their_shares_and_to_themselves() -> None:
    sources = [f"speaker {i}" for i in range(20_000)]
    counts = Counter(hashed_split(source, DEFAULT_SHARES) for source in sources)
    for split, share in DEFAULT_SHARES.items():
        # Five standard deviations of a binomial share.
        assert counts[split] / 20_000 == pytest.approx(share, abs=5 * math.sqrt(0.25 / 20_000))
    assert hashed_split("speaker 0", DEFAULT_SHARES) == hashed_split("speaker 0", DEFAULT_SHARES)
    assert {hashed_split(source, {"test": 1.0}) for source in sources[:100]} == {"test"}


def test_a_source_that_its_set_cuts_stays_where_it_is_held_out() -> None:
    records = [
        record("a", "ada", "train"),
        record("b", "ada", "test"),
        record("c", "bob", "train"),
        record("d", "ada", None),
    ]
    kept, cut = assign(records, DEFAULT_SHARES)
    assert [(r.where, split) for r, split in kept] == [("b", "test"), ("c", "train"), ("d", "test")]
    assert [r.where for r in cut] == ["a"]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("uvwxyz"), st.sampled_from([None, *SPLITS])), max_size=12)
)
def test_no_assignment_ever_cuts_a_source(drawn: list[tuple[str, str | None]]) -> None:
    records = [record(str(i), source, split) for i, (source, split) in enumerate(drawn)]
    kept, cut = assign(records, DEFAULT_SHARES)
    assert len(kept) + len(cut) == len(records)
    assert len({r.source for r, _ in kept}) == len({(r.source, split) for r, split in kept})
    held_out = [r for r in records if r.split == "test"]
    assert all((r, "test") in kept for r in held_out)


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=3), max_size=8))
def test_linked_identities_are_connected_components(groups: list[list[str]]) -> None:
    names = sorted({name for group in groups for name in group})
    adjacency = np.zeros((len(names), len(names)))
    for group in groups:
        for left, right in pairwise(group):
            adjacency[names.index(left), names.index(right)] = 1.0
    _, component = connected_components(adjacency, directed=False) if names else (0, [])
    # Names are in order, so the first of a component is its smallest.
    expected = {
        name: names[list(component).index(c)] for name, c in zip(names, component, strict=True)
    }
    assert linked(groups) == expected


def test_shares_are_read_or_refused() -> None:
    assert parse_shares("train=0.8, test=0.2") == {"train": 0.8, "test": 0.2}
    for text in ("", "train", "train=0.8", "train=2,test=-1", "dev=1", "test=1,test=0", "test=nan"):
        with pytest.raises(ConfigurationError, match="shares"):
            parse_shares(text)
    with pytest.raises(ConfigurationError, match="one of train, validation"):
        known_split("val")


@settings(deadline=None)
@given(st.floats(0.0, 9.0))
def test_severity_of_a_score_is_the_inverse_of_the_score(y: float) -> None:
    assert score(severity_of_score(y)) == pytest.approx(y, abs=1e-6)


def test_scores_off_the_scale_have_no_severity() -> None:
    for y in (-0.1, 9.1, math.nan):
        with pytest.raises(ValueError, match="not in"):
            severity_of_score(y)


def test_spans_are_graded_by_their_share_and_the_worst_stream_counts() -> None:
    quarter = Forged("a", Modality.AUDIO, (Span(0.0, 1.0), Span(0.5, 2.0)))
    half_of_a_quarter = Forged("b", Modality.VIDEO, (Span(0.0, 4.0),), area=0.25)
    streams = (Modality.VIDEO, Modality.AUDIO)
    label = grade(record("x", "x", None, quarter, half_of_a_quarter), streams[0], 8.0, streams)
    assert label.m == pytest.approx(max(2.0 / 8.0, 4.0 / 8.0 * 0.5))
    assert [claim.modality for claim in label.claims] == [
        Modality.AUDIO,
        Modality.AUDIO,
        Modality.VIDEO,
    ]


def test_the_whole_file_is_the_bottom_of_the_scale_and_genuine_the_top() -> None:
    forged = grade(record("x", "x", None, Forged("a")), Modality.AUDIO, 3.0, (Modality.AUDIO,))
    assert (forged.m, forged.y, forged.claims[0].span) == (1.0, 0.0, Span(0.0, 3.0))
    clean = grade(record("x", "x"), Modality.VIDEO, 3.0, (Modality.VIDEO, Modality.AUDIO))
    assert (clean.m, clean.y) == (0.0, 9.0)
    assert [claim.strength for claim in clean.claims] == [Strength.CLEAN, Strength.CLEAN]


def test_a_span_is_cut_at_the_end_and_refused_beyond_it() -> None:
    def label(*spans: Span, seconds: float = 2.0) -> float:
        forged = Forged("a", None, spans)
        return grade(record("x", "x", None, forged), Modality.AUDIO, seconds, (Modality.AUDIO,)).m

    assert label(Span(1.0, 2.04)) == pytest.approx(0.5)
    with pytest.raises(SpanOutside, match=r"from 2\.5 s"):
        label(Span(2.5, 3.0))
    with pytest.raises(ManifestError, match="no duration"):
        label(Span(0.0, 1.0), seconds=math.nan)


@pytest.mark.parametrize(
    "change",
    [{"recipe": "made"}, {"split": "dev"}, {"y": 9.5}, {"duration_seconds": -1.0}, {"source": ""}],
)
def test_records_that_contradict_themselves_are_refused(change: dict[str, object]) -> None:
    values = {"path": Path("a.wav"), "where": "", "modality": Modality.AUDIO, "pair": "p"}
    with pytest.raises(ValueError, match=r"a\.wav"):
        Record(**{**values, "source": "s", **change})  # type: ignore[arg-type]
