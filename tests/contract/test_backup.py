"""A backup that is restored elsewhere is the same service, on either database."""

import os
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text

from moderation.audit.check import verify_store
from moderation.casework.running import work_off
from moderation.database import open_engine, reading, upgrade
from moderation.service import read_secret
from moderation.settings import Settings
from tests.contract.casework.scripted import make_desk, send

BIN = Path("deploy/bin").absolute()


def run(script: str, folder: Path, url: str, data: Path, **more: str) -> tuple[int, str]:
    environment = {
        "PATH": os.environ["PATH"],
        "MODERATION_DATABASE_URL": url,
        "MODERATION_DATA_DIR": str(data),
        **more,
    }
    done = subprocess.run(
        [BIN / script, folder], env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def rows(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Everything in the database."""
    names = inspect(engine).get_table_names()
    with reading(engine) as connection:
        found = {name: connection.execute(text(f'SELECT * FROM "{name}"')) for name in names}
        return {name: sorted(map(tuple, result), key=repr) for name, result in found.items()}


@pytest.fixture
def served(engine: Engine, tmp_path: Path) -> Path:
    """The folder of a service that has worked a little; its secret and its uploads are there."""
    data = tmp_path / "data"
    desk = make_desk(engine, data)
    for script in ("5 one", "9 two", "corrupt three", "0 four"):
        send(desk, script)
    work_off(desk)
    read_secret(Settings.load(data_dir=data))
    return data


def plain(engine: Engine) -> str:
    """The URL as the settings have it."""
    url = engine.url.set(drivername=engine.url.get_backend_name())
    return url.render_as_string(hide_password=False)


@pytest.fixture
def other_url(empty_database_url: str, engine: Engine, tmp_path: Path) -> str:
    """Of a database with nothing in it, of the same kind."""
    if empty_database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/elsewhere/other.sqlite"
    return empty_database_url


def test_a_restored_service_is_the_same(
    engine: Engine, served: Path, tmp_path: Path, other_url: str
) -> None:
    backup, elsewhere = tmp_path / "backup", tmp_path / "elsewhere"
    code, told = run("backup.sh", backup, plain(engine), served)
    assert (code, f"backed up to {backup}" in told) == (0, True), told
    code, told = run("restore.sh", backup, other_url, elsewhere)
    assert code == 0, told
    restored = open_engine(other_url)
    try:
        assert rows(restored) == rows(engine)
        assert sum(map(len, rows(restored).values())) > 20
        upgrade(restored)  # finds nothing to do
        assert verify_store(restored).chain.is_whole
        # Sequences go on where they stopped: the chain takes another record.
        desk = make_desk(restored, elsewhere)
        send(desk, "7 five")
        assert work_off(desk) == 1
        assert verify_store(restored).chain.is_whole
    finally:
        restored.dispose()
    assert (elsewhere / "secret").read_text() == (served / "secret").read_text()
    assert (elsewhere / "secret").stat().st_mode & 0o077 == 0
    name = sha256(b"5 one").hexdigest()
    assert (elsewhere / "blobs" / name[:2] / name).read_bytes() == b"5 one"
    assert backup.stat().st_mode & 0o077 == 0


def _cut_database(backup: Path) -> None:
    path = next(iter(backup.glob("database.*")))
    path.write_bytes(path.read_bytes()[:-10])


def _alter_upload(backup: Path) -> None:
    path = next(path for path in (backup / "blobs").rglob("*") if path.is_file())
    path.write_bytes(b"another")


def _lose_list(backup: Path) -> None:
    (backup / "SHA256SUMS").unlink()


@pytest.mark.parametrize("damage", [_cut_database, _alter_upload, _lose_list])
def test_a_damaged_backup_changes_nothing(
    engine: Engine,
    served: Path,
    tmp_path: Path,
    other_url: str,
    damage: Callable[[Path], None],
) -> None:
    backup, elsewhere = tmp_path / "backup", tmp_path / "elsewhere"
    assert run("backup.sh", backup, plain(engine), served)[0] == 0
    damage(backup)
    code, _ = run("restore.sh", backup, other_url, elsewhere)
    assert code == 2
    assert not elsewhere.exists()


def test_nothing_is_overwritten(engine: Engine, served: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    assert run("backup.sh", backup, plain(engine), served)[0] == 0
    before = rows(engine)
    assert run("backup.sh", backup, plain(engine), served)[0] == 2
    assert run("restore.sh", backup, plain(engine), served)[0] == 2
    code, told = run("restore.sh", backup, plain(engine), tmp_path / "new")
    assert (code, "already" in told) == (2, True)
    assert rows(engine) == before


def test_a_second_backup_links_what_the_first_has(
    engine: Engine, served: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert run("backup.sh", first, plain(engine), served)[0] == 0
    send(make_desk(engine, served), "7 five")
    before = {"MODERATION_BACKUP_BEFORE": str(first)}
    assert run("backup.sh", second, plain(engine), served, **before)[0] == 0
    links = {path.name: path.stat().st_nlink for path in (second / "blobs").rglob("*/*")}
    assert links.pop(sha256(b"7 five").hexdigest()) == 1
    assert links
    assert set(links.values()) == {2}
