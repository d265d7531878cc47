"""The model hub as a source, with the hub's own client against a small local server."""

import hashlib
import http.server
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from encoders.errors import WeightsError
from encoders.weight_sources import HubSource
from tests.http_servers import serving

RAW = b"published weights " * 1000


class HubHandler(http.server.BaseHTTPRequestHandler):
    """Answers as a model hub does for one small file."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()
        self.wfile.write(RAW)

    def _answer(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(RAW)))
        self.send_header("ETag", f'"{hashlib.sha1(RAW).hexdigest()}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


@pytest.fixture
def hub() -> Iterator[str]:
    with serving(HubHandler) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, "raw.bin"), ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE"), ({"HF_ENDPOINT": ""}, "")],
)
def test_hub_serves_when_reachable(
    hub: str, settings: dict[str, str], expected: str, tmp_path: Path
) -> None:
    # A process of its own, for the hub's client reads its settings once, on import.
    code = (
        "import sys, pathlib;"
        "from encoders.weight_sources import HubSource, SourceUnavailable;"
        "source = HubSource('owner/name', '0' * 40, 'raw.bin');"
        "print(source.fetch(pathlib.Path(sys.argv[1])).name)"
    )
    if "HF_ENDPOINT" in settings:  # nothing listens there
        settings = {"HF_ENDPOINT": "http://127.0.0.1:9"}
        expected = "was not reached"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), "HF_ENDPOINT": hub, **settings},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert expected in done.stdout + done.stderr
    if not settings:
        assert (tmp_path / "raw.bin").read_bytes() == RAW
    else:
        assert "SourceUnavailable" in done.stderr


@pytest.mark.parametrize("revision", ["main", "v1.0", "0" * 39, "0" * 41, "O" * 40, ""])
def test_a_revision_that_may_move_is_refused(revision: str) -> None:
    with pytest.raises(WeightsError, match="40 hexadecimal"):
        HubSource("owner/name", revision, "raw.bin")
