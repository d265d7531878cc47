"""What the doctor says of the service, and that it makes nothing."""

from pathlib import Path

from moderation.cli.finding import Finding, Verdict
from moderation.cli.service_check import service_findings
from moderation.database import open_engine, upgrade
from moderation.settings import Settings


def check(tmp_path: Path, **changes: object) -> dict[str, Finding]:
    settings = Settings.load(
        **{"database_url": f"sqlite:///{tmp_path}/m.sqlite", "data_dir": tmp_path / "d"} | changes
    )
    return {one.name: one for one in service_findings(settings)}


def test_nothing_is_there_yet_and_nothing_is_made(tmp_path: Path) -> None:
    found = check(tmp_path)
    assert {one.verdict for one in found.values()} == {Verdict.OK}
    assert "first use" in found["database"].detail
    assert "default@1" in found["policy"].detail
    assert "people see every upload" in found["calibrators"].detail
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_there(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/m.sqlite")
    upgrade(engine)
    engine.dispose()
    assert "up to date" in check(tmp_path)["database"].detail


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    found = check(
        tmp_path,
        database_url=f"postgresql://nobody@/none?host={tmp_path}",
        policy=tmp_path / "none.toml",
        calibrators=tmp_path,
    )
    assert {one.verdict for one in found.values()} == {Verdict.MISSING}
    assert all(one.remedy for one in found.values())
