"""Without the extras: what works works, and the rest says what to install."""

import re
import subprocess
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SITE = Path(sysconfig.get_paths()["purelib"])


def base_distributions() -> set[str]:
    """What `pip install real-moderation` brings, without extras: the closure of requirements."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names, pending = set(), list(project["dependencies"])
    while pending:
        requirement = pending.pop()
        wanted, _, marker = requirement.partition(";")
        if "extra ==" in marker or "win32" in marker:
            continue
        name = re.match(r"[\w.-]+", wanted)
        assert name
        if name[0] not in names:
            try:
                pending += distribution(name[0]).requires or []
            except ModuleNotFoundError:
                continue  # for another version of Python or another system
            names.add(name[0])
    return names


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with links to the base distributions' files alone."""
    folder = tmp_path_factory.mktemp("base")
    for name in base_distributions():
        for file in distribution(name).files or []:
            top = file.parts[0]
            if top != ".." and not (folder / top).exists() and (SITE / top).exists():
                (folder / top).symlink_to(SITE / top)
    return folder


def moderation(base: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-S", "-m", "moderation", *map(str, arguments)],
        cwd=ROOT,
        env={"PYTHONPATH": str(base), "PATH": "/usr/bin:/bin", "HOME": str(base)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.mark.parametrize("command", ["score", "inspect"])
def test_scoring_says_which_extra_to_install(base: Path, tmp_path: Path, command: str) -> None:
    photo = ROOT / "docs/samples/photo-genuine.jpg"
    run = moderation(base, command, photo, "--out", tmp_path / "out.csv")
    assert run.returncode == 2, run.stderr
    assert "is not installed" in run.stderr
    assert "pip install 'real-moderation[judge]'" in run.stderr
    assert "internal error" not in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_and_version_need_no_extra(base: Path) -> None:
    assert "score" in moderation(base, "--help").stdout
    assert moderation(base, "--version").returncode == 0


def test_the_doctor_works_and_says_what_is_missing(base: Path) -> None:
    run = moderation(base, "doctor")
    assert run.returncode == 1, run.stderr
    assert "not installed" in run.stdout
    assert "Traceback" not in run.stderr


def test_plugins_are_listed(base: Path) -> None:
    run = moderation(base, "plugins")
    assert run.returncode == 0, run.stderr
