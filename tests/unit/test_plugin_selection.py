"""Plugins of other distributions are chosen by name, and a broken one hurts nobody else."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from moderation import registry
from moderation.app import build_dispatcher, build_extractor, build_judge, build_sandbox
from moderation.errors import ConfigurationError, PluginError
from moderation.settings import Settings

ROOT = Path(__file__).parents[2]
Install = Callable[[str, str, str], None]

ENCODER = """
class Loudness:
    name, version = "loudness", "3"
    def __init__(self, *, device):
        self.device = device
    def encode(self, batch):
        return []
"""
REMOTE = """
class Remote:
    def __init__(self, parts):
        self.parts = parts
"""
JUDGE = """
class Coin:
    @classmethod
    def from_folder(cls, folder, *, backbone, device, backbone_files):
        return folder, backbone, device, backbone_files
"""
COMMANDS = """
import typer
app = typer.Typer()
@app.command()
def hello():
    print("hello")
odd = 5
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a distribution of one module, with entry points, on the module path."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, code: str, entries: str) -> None:
        (tmp_path / f"{name}_module.py").write_text(code)
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(entries)

    return write


def test_an_encoder_of_another_distribution_runs_beside_ours(install: Install) -> None:
    install("acme", ENCODER, "[moderation.encoders]\nloud = acme_module:Loudness\n")
    settings = Settings.load(encoders=("forensic", "loud"), device="cpu")
    with build_sandbox(settings) as sandbox:
        forensic, loud = build_extractor(settings, sandbox).encoders
    assert (forensic.name, loud.name, loud.version) == ("forensic", "loudness", "3")
    assert loud.device == "cpu"  # type: ignore[attr-defined]


@pytest.mark.weights
def test_dispatcher_and_judge_are_chosen_by_name(install: Install) -> None:
    install(
        "delta",
        REMOTE + JUDGE,
        "[moderation.dispatchers]\nremote = delta_module:Remote\n"
        "[moderation.judges]\ncoin = delta_module:Coin\n",
    )
    settings = Settings.load(dispatcher="remote", judge_plugin="coin", device="cpu")
    parts = build_dispatcher(settings).parts  # type: ignore[attr-defined]
    assert parts.settings is settings
    assert parts.judge_id.startswith("starter-")
    parts.resources.close()
    folder, backbone, device, files = build_judge(settings)
    assert (folder / "judge.json").is_file()
    assert (backbone / "config.json").is_file()
    assert device == "cpu"
    assert "model.safetensors" in files


@pytest.mark.parametrize("field", ["encoders", "judge_plugin", "dispatcher"])
def test_an_unknown_name_is_found_before_anything_is_loaded(field: str) -> None:
    value = ("clip", "imaginary") if field == "encoders" else "imaginary"
    with pytest.raises(PluginError, match="no plugin named 'imaginary'"):
        build_dispatcher(Settings.load(**{field: value}))


def test_a_plugin_without_its_package_names_the_extra(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "celery", None)
    install("far", "import celery", "[moderation.dispatchers]\nfar = far_module:Far\n")
    with pytest.raises(ConfigurationError, match=r"real-moderation\[workers\]"):
        registry.load("moderation.dispatchers", "far")


def moderation(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "moderation", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def test_broken_commands_are_listed_and_say_why_when_run(install: Install, tmp_path: Path) -> None:
    install(
        "acme",
        COMMANDS,
        "[moderation.commands]\ngood = acme_module:app\nodd = acme_module:odd\n"
        "gone = acme_module:nothing\nscore = acme_module:app\ntwice = acme_module:app\n",
    )
    install("bolt", "raise OSError('no')", "[moderation.commands]\ntwice = bolt_module:app\n")
    install("cord", "raise OSError('no')", "[moderation.commands]\nraises = cord_module:app\n")
    shown = moderation(tmp_path, "--help")
    assert shown.returncode == 0
    assert "Score media files" in shown.stdout
    assert shown.stdout.count("broken: run it to see why") == 4
    assert "acme may not replace the command 'score'" in shown.stderr
    assert moderation(tmp_path, "good", "hello").stdout == "hello\n"
    for name, told in {
        "odd": "makes no command",
        "gone": "does not load: AttributeError",
        "raises": "does not load: OSError: no",
        "twice": "two plugins named 'twice'",
    }.items():
        run = moderation(tmp_path, name, "--any", "thing")
        assert run.returncode == 2, name
        assert told in run.stderr
        assert "Traceback" not in run.stderr
    listed = moderation(tmp_path, "plugins")
    assert listed.returncode == 0
    assert listed.stdout.count("twice") == 2
