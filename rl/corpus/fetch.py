"""Fetches the genuine media that a source list names, with checksums, into one folder.

Nothing is installed and no rights are needed: Debian packages are only unpacked. What lies under
another root already is not fetched, and not checked.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from encoders.errors import TransientError
from moderation.atomic import write_bytes
from moderation.settings import Settings
from rl.corpus.source_list import DebianPackage, Entry, Repository, Wheel
from rl.corpus.sources import find

TIMEOUT_SECONDS = 900.0


def default_folder() -> Path:
    """Where things are fetched to, and looked for last: in the cache of the settings."""
    return Settings.load().cache_dir / "sources"


class FetchError(TransientError):
    """A download failed, or is not what the list says."""

    code = "fetch_failed"


def fetch(entries: Sequence[Entry], to: Path, roots: Sequence[Path] = ()) -> Iterator[str]:
    """Fetch into `to` what is neither there nor under `roots`; yields a sentence for each.

    What cannot be had is said, and left out.
    """
    for entry in entries:
        if all(find(path, roots) is not None for path in entry.provides):
            yield f"{entry.name}: on this machine"
            continue
        stamp = to / ".fetched" / f"{entry.name}.txt"
        pin = entry.commit if isinstance(entry, Repository) else entry.sha256
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == pin:
            yield f"{entry.name}: fetched before"
            continue
        try:
            with TemporaryDirectory() as folder:
                _fetch_one(entry, Path(folder), to)
        except FetchError as error:
            yield f"{entry.name}: left out: {error}"
            continue
        write_bytes(stamp, pin.encode("utf-8"))
        yield f"{entry.name}: fetched"


def _fetch_one(entry: Entry, folder: Path, to: Path) -> None:
    if isinstance(entry, DebianPackage):
        _run(["apt-get", "download", "-qq", f"{entry.name}={entry.version}"], folder)
        unpack_debian(_only(folder, "*.deb"), entry, to)
    elif isinstance(entry, Wheel):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        _run([*pip, "--only-binary=:all:", f"{entry.name}=={entry.version}"], folder)
        unpack_wheel(_only(folder, "*.whl"), entry, to)
    else:
        clone(entry, folder, to)


def unpack_debian(package: Path, entry: DebianPackage, to: Path) -> None:
    """Lay the entry's paths, and the package's licences, over `to`.

    Raises:
        FetchError: another checksum, or no package.
    """
    _require(hashlib.sha256(package.read_bytes()).hexdigest(), entry.sha256, entry.name)
    tree = package.parent / "tree"
    _run(["dpkg-deb", "-x", str(package), str(tree)], package.parent)
    wanted = (*entry.paths, f"doc/{entry.name}/copyright")
    _copy(tree / "usr" / "share", wanted, to / entry.under)


def unpack_wheel(wheel: Path, entry: Wheel, to: Path) -> None:
    """Write the entry's files below `to`.

    Raises:
        FetchError: another checksum, or a file that is not in it.
    """
    with zipfile.ZipFile(wheel) as archive:
        absent = set(entry.paths) - set(archive.namelist())
        if absent:
            raise FetchError(
                f"{entry.name} has no {', '.join(sorted(absent))}",
                expected="the files of the list",
                remedy="Correct the list.",
            )
        files = {name: archive.read(name) for name in entry.paths}
    _require(tree_digest(files), entry.sha256, entry.name)
    for name, content in files.items():
        write_bytes(to / name, content)


def tree_digest(files: dict[str, bytes]) -> str:
    """SHA-256 over the names and SHA-256 of files, in order of name."""
    lines = [f"{name} {hashlib.sha256(files[name]).hexdigest()}\n" for name in sorted(files)]
    return hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()


def clone(entry: Repository, folder: Path, to: Path) -> None:
    """The entry's files of one commit, without history or the other files.

    Raises:
        FetchError: it cannot be reached, or has no such commit or file.
    """
    git = ["git", "-C", str(folder)]
    _run([*git, "init", "--quiet"], folder)
    _run([*git, "remote", "add", "origin", entry.url], folder)
    wanted = ["--quiet", "--depth=1", "--filter=blob:none"]
    _run([*git, "fetch", *wanted, "origin", entry.commit], folder)
    _run([*git, "checkout", "--quiet", entry.commit, "--", *entry.paths], folder)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and ".git" not in path.relative_to(folder).parts:
            write_bytes(to / entry.folder / path.name, path.read_bytes())


def _copy(tree: Path, names: Sequence[str], to: Path) -> None:
    for name in names:
        source, target = tree / name, to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, symlinks=True)
        elif source.is_file():
            shutil.copy2(source, target)
        else:
            raise FetchError(
                f"no {name} in the package", expected="the list's paths", remedy="Correct the list."
            )


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise FetchError(
            f"{len(found)} downloaded files", expected="one", remedy="Try again, or another mirror."
        )
    return found[0]


def _require(found: str, expected: str, name: str) -> None:
    if found != expected:
        raise FetchError(
            f"{name} has checksum {found}",
            expected=expected,
            remedy="It was replaced or damaged on the way: do not use it.",
        )


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
            # A repository that asks for a name would wait for ever.
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FetchError(
            f"{command[0]}: {error}", expected="it to run", remedy="Install it, or try again."
        ) from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise FetchError(
            f"{command[0]} ended with {done.returncode}: {last}",
            expected="0",
            remedy="Check the network and the list's version.",
        )
