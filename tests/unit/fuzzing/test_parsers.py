"""Generated text through the parsers of policies, lists, labels and batches.

Whatever comes, they answer with a value or with their own kind of error.
"""

import io
import json
import tempfile
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Engine

from moderation.access.keys import AccessRole
from moderation.calibration.label_files import read_labels
from moderation.errors import ManifestError
from moderation.inputs import expand
from moderation.outbound.client import OutboundClient
from moderation.policy.loading import DEFAULT, PolicyError, parse_policy
from moderation.policy.schema import Policy
from moderation.route_services import RouteLimits
from tests.api_application import application, client_of, make_keys
from tests.fuzzing_effort import effort

SHIPPED = DEFAULT.read_text(encoding="utf-8")
values = st.sampled_from(
    [
        *("0", "-1", "1e999", "nan", "-inf", "true", '""', "[]", "{}", "[[[]]]", "2026-02-30"),
        *("0x_1", "'''", '"\\ud800"', "1979-05-27T07:32:00Z", "9" * 400, '"' + "x" * 3000 + '"'),
    ]
)


@st.composite
def altered_policies(draw: st.DrawFn) -> str:
    """The shipped policy with a few lines altered, dropped, doubled or swapped."""
    lines = SHIPPED.split("\n")
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        how = draw(st.integers(0, 4))
        if how == 0:
            lines[at] = lines[at].partition("=")[0] + "= " + draw(values)
        elif how == 1:
            del lines[at]
        elif how == 2:
            lines.insert(at, lines[at])
        elif how == 3:
            lines.insert(at, draw(st.text(max_size=20)))
        else:
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        if not lines:
            break
    return "\n".join(lines)


@effort
@given(st.one_of(altered_policies(), st.text(max_size=200)))
@example("a = " + "[" * 3000)
@example("a = " + "{a = " * 3000)
@example("." * 3000)
@example("a" + ".a" * 3000 + " = 1")
@example("\ufeff" + SHIPPED)
def test_any_text_is_a_policy_or_says_on_which_line_not(text: str) -> None:
    found: Policy | PolicyError
    try:
        found = parse_policy(text, "policy.toml")
    except PolicyError as error:
        found = error
    if isinstance(found, PolicyError):
        assert "policy.toml" in found.found
        assert found.expected
        assert found.line is None or 1 <= found.line <= text.count("\n") + 1


names = st.sampled_from(["path", "sha256", "is_manipulated", "y", "weight", "propensity", "split"])
cells = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["true", "0", "9", "nan", "1e-400", "inf", "a" * 64, "../x", '"', "\0", "\r"]),
)


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """CSV that is nearly right."""
    header = draw(st.lists(names, min_size=1, max_size=6))
    rows = draw(st.lists(st.lists(cells, max_size=7), max_size=4))
    return "\n".join(",".join(row) for row in [header, *rows]).encode("utf-8", "surrogatepass")


json_lines = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
).map(lambda value: json.dumps(value).encode())


def listed(suffix: str, content: bytes) -> list[Path] | ManifestError:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"list{suffix}")
        path.write_bytes(content)
        try:
            return expand([str(path)], stdin=io.BytesIO())
        except ManifestError as error:
            return error


@effort
@given(
    st.sampled_from([".csv", ".txt", ".jsonl"]),
    st.one_of(st.binary(max_size=300), tables(), st.lists(json_lines).map(b"\n".join)),
)
@example(".csv", b"path\n" + b"x" * 200_000 + b"\n")
@example(".csv", b"path\na\0b\n")
@example(".jsonl", b"[" * 20_000)
@example(".jsonl", b'{"path": "\\ud800"}')
@example(".jsonl", b"9" * 5000)
def test_any_bytes_are_a_list_or_are_refused(suffix: str, content: bytes) -> None:
    found = listed(suffix, content)
    if isinstance(found, ManifestError):
        assert f"list{suffix}" in found.found
    else:
        assert all(isinstance(one, Path) for one in found)


@effort
@given(st.one_of(st.binary(max_size=300), tables()))
@example(b"path,is_manipulated\n" + b"x" * 200_000 + b",true\n")
@example(b"path,is_manipulated,propensity\na,true,0\n")
@example(b"path,is_manipulated,propensity\na,true,1e-320\n")
def test_any_bytes_are_labels_or_are_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "labels.csv")
        path.write_bytes(content)
        with suppress(ManifestError):
            assert all(label.weight > 0 for label in read_labels(path))


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("parquet") / "list.parquet"
    columns = {"path": ["a.mp4", "b.mp4"], "is_manipulated": [True, False], "y": [1.0, None]}
    pq.write_table(pa.table(columns), path)
    return path.read_bytes()


@effort
@given(st.data())
def test_a_damaged_parquet_file_is_refused_or_read(parquet: bytes, data: st.DataObject) -> None:
    content = bytearray(parquet)
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    listed(".parquet", bytes(content[:cut]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "labels.parquet")
        path.write_bytes(content[:cut])
        with suppress(ManifestError):
            read_labels(path)


@pytest.fixture(scope="module")
def fetching(tmp_path_factory: pytest.TempPathFactory) -> tuple[FastAPI, str]:
    from moderation.database import open_engine, upgrade

    folder = tmp_path_factory.mktemp("api")
    engine: Engine = open_engine(f"sqlite:///{folder}/moderation.sqlite")
    upgrade(engine)
    # Every name is of this machine, so that nothing is ever fetched.
    nowhere = OutboundClient(resolver=lambda host, port: ["127.0.0.1"])
    app = application(engine, folder, limits=RouteLimits(allow_fetch=True), outbound=nowhere)
    return app, make_keys(engine)[AccessRole.UPLOADER]


@effort
@given(
    st.sampled_from(["text/csv", "application/json"]),
    st.one_of(
        st.binary(max_size=200),
        tables(),
        json_lines,
        st.lists(st.text('abc:/.,"\n', max_size=9), max_size=6).map(
            lambda rows: ("url,name\n" + "\n".join(rows)).encode()
        ),
    ),
)
@example("text/csv", b"url,name\nhttp://a.example/x,b,c,d\n")
@example("text/csv", b"url\n" + b"x" * 200_000)
@example("application/json", b'{"items": ' + b"[" * 5000)
def test_any_batch_is_taken_or_refused(
    fetching: tuple[FastAPI, str], media_type: str, content: bytes
) -> None:
    app, key = fetching
    sender = client_of(app, key)
    answer = sender.post(
        "/v1/references/batches", content=content, headers={"Content-Type": media_type}
    )
    assert answer.status_code in (200, 400, 422)
    assert answer.status_code == 200 or answer.json()["code"]
