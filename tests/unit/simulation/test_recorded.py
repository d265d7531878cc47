"""Recorded arrivals are read as they are; what they do not say is drawn."""

import json
from pathlib import Path

import numpy as np
import pytest

from moderation.errors import ManifestError
from moderation.simulation.recorded import read_arrivals

HEAD = "arrived_at,probability,views,views_scale_hours,is_manipulated,modality,surface\n"
ROWS = (
    "2026-03-02T01:30:00+00:00,0.9,1000,4,true,video,message\n"
    "2026-03-01T22:00:00+00:00,,50,2,,,\n"
    "2026-03-02T00:00:00+00:00,0.2,70,3,0,image,feed\n"
)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "arrivals.csv"
    path.write_text(text)
    return path


def test_rows_are_put_in_the_order_of_time(tmp_path: Path) -> None:
    recorded = read_arrivals(written(tmp_path, HEAD + ROWS), surface="profile")
    np.testing.assert_allclose(recorded.hour_N, [22.0, 24.0, 25.5])
    assert recorded.hours == 48.0
    assert recorded.surface_N == ("profile", "feed", "message")
    drawn = [recorded.draw(np.random.default_rng(seed)) for seed in range(200)]
    assert all(not one.is_manipulated_N[1] and one.is_manipulated_N[2] for one in drawn)
    # No label and no score: as likely as not.
    assert 60 < sum(one.is_manipulated_N[0] for one in drawn) < 140
    np.testing.assert_allclose(drawn[0].views_N, [50, 70, 1000])


def test_parquet_and_json_lines_say_the_same(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    rows = [
        {"arrived_at": f"2026-03-01T0{k}:00:00", "probability": k / 9, "views": 10.0 * k}
        | {"views_scale_hours": 2.0}
        for k in range(5)
    ]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    first, second = (
        read_arrivals(tmp_path / f"a.{suffix}", surface="feed") for suffix in ("parquet", "jsonl")
    )
    for name in ("hour_N", "probability_N", "views_N"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("arrived_at,views\n", "no column 'probability'"),
        (HEAD, "has no column|has no rows"),
        (HEAD + ROWS.replace("0.9", "1.9"), r"probability is not in \[0, 1\]"),
        (HEAD + ROWS.replace("0.9", "high"), "could not convert"),
        (HEAD + ROWS.replace("true", "perhaps"), "neither true nor false"),
        (HEAD + ROWS.replace("video", "smell"), "smell"),
        (HEAD + ROWS.replace("2026-03-02T01", "yesterday"), "Invalid isoformat"),
        (HEAD + ROWS.replace("1000,4", ",4"), "missing in a row"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ManifestError, match=told):
        read_arrivals(written(tmp_path, text), surface="feed")


def test_an_absent_or_unknown_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read"):
        read_arrivals(tmp_path / "absent.csv", surface="feed")
    (tmp_path / "a.xlsx").write_bytes(b"")
    with pytest.raises(ManifestError, match="ends in"):
        read_arrivals(tmp_path / "a.xlsx", surface="feed")
