"""`moderation audit` on a real database, as a person runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import text
from typer.testing import CliRunner

from moderation.audit.statement_store import issue
from moderation.audit.store import append
from moderation.cli.root import app
from moderation.database import open_engine, upgrade, writing
from tests.contract.test_audit_store import plain
from tests.unit.audit.chains import START
from tests.unit.audit.test_statements import STATEMENT

ROOT = Path(__file__).parents[2]
LENGTH = 12


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/audit.sqlite"
    engine = open_engine(url)
    upgrade(engine)
    with writing(engine) as connection:
        append(connection, [plain(index) for index in range(LENGTH - 1)])
        issue(connection, STATEMENT, item="item-1", actor="reviewer:r1", at=START)
    engine.dispose()
    return url


def audit(url: str, *arguments: str) -> Result:
    environment = {"MODERATION_DATABASE_URL": url, "COLUMNS": "200"}
    return CliRunner().invoke(app, ["audit", *arguments], env=environment)


def tamper(url: str, statement: str) -> None:
    engine = open_engine(url)
    with writing(engine) as connection:
        for table in ("audit_records", "audit_head"):
            for event in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_{event}"))
        connection.execute(text(statement))
    engine.dispose()


def test_a_trail_is_verified_exported_and_broken(url: str, tmp_path: Path) -> None:
    heads, out = tmp_path / "heads", tmp_path / "trail.jsonl.gz"
    first = audit(url, "verify", "--heads", str(heads))
    assert first.exit_code == 0, first.stderr
    assert "12 records" in first.stdout
    assert "The chain is whole." in first.stdout
    head = heads.read_text().strip()
    assert head in first.stdout
    assert audit(url, "export", "--out", str(out)).exit_code == 0
    told = json.loads(audit(url, "verify", "--anchor", head, "--json").stdout)
    assert (told["is_whole"], told["head"], told["statements"]) == (True, head, 1)

    tamper(url, "UPDATE audit_records SET actor = 'reviewer:x' WHERE sequence = 7")
    broken = audit(url, "verify", "--json")
    assert broken.exit_code == 5
    told = json.loads(broken.stdout)
    assert [(fault["kind"], fault["sequence"]) for fault in told["faults"]] == [("altered", 7)]
    assert "altered record 7" in audit(url, "verify").stdout

    # The export needs no database, and still stands; so does the kept head against another.
    nowhere = f"sqlite:///{tmp_path}/none.sqlite"
    assert audit(nowhere, "verify", "--file", str(out), "--heads", str(heads)).exit_code == 0
    lost = audit(nowhere, "verify", "--heads", str(heads))
    assert lost.exit_code == 5
    assert "truncated record 1" in lost.stdout


def test_a_process_ends_with_the_code_of_its_finding(url: str) -> None:
    tamper(url, "DELETE FROM audit_records WHERE sequence = 9")
    run = subprocess.run(
        [sys.executable, "-m", "moderation", "audit", "verify"],
        cwd=ROOT,
        env={**os.environ, "MODERATION_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 5, run.stderr
    assert "missing record 9" in run.stdout


def test_records_are_shown(url: str) -> None:
    shown = audit(url, "show", "--kind", "decided", "--newest")
    assert shown.exit_code == 0, shown.stderr
    assert [line.split()[0] for line in shown.stdout.splitlines()[1:]] == ["10", "5"]
    rows = [json.loads(line) for line in audit(url, "show", "--json").stdout.splitlines()]
    assert [row["sequence"] for row in rows] == list(range(1, LENGTH + 1))
    page = audit(url, "show", "--json", "--after", "3", "--limit", "2").stdout.splitlines()
    assert [json.loads(line)["sequence"] for line in page] == [4, 5]
    wrong = audit(url, "show", "--kind", "guessed")
    assert wrong.exit_code == 2
    assert "decided" in wrong.stderr


def test_statements_are_exported_once(url: str, tmp_path: Path) -> None:
    out = tmp_path / "statements"
    first = audit(url, "statements", "--out", str(out))
    assert first.stdout.splitlines()[-1] == "1 statements exported"
    body = json.loads((out / "statements-000001.json").read_text())
    assert body == {"statements": [STATEMENT.payload()]}
    assert json.loads(audit(url, "statements", "--out", str(out), "--json").stdout) == []
    assert audit(url, "verify").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("verify", "--anchor", "nonsense"), "NUMBER:HASH"),
        (("verify", "--file", "none.jsonl"), "audit export"),
        (("export", "--out", "/none/a.jsonl"), "cannot be written"),
    ],
)
def test_wrong_usage_is_told(url: str, arguments: tuple[str, ...], told: str) -> None:
    wrong = audit(url, *arguments)
    assert wrong.exit_code in (2, 4)
    assert told in wrong.stderr
    assert "Traceback" not in wrong.stderr
