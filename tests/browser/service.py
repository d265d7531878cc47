"""A real `moderation serve` in a process of its own, that a test can kill and start again."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile
from subprocess import Popen

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import Engine

from moderation.access.enrolment import issue_key
from moderation.access.keys import AccessRole
from moderation.database import open_engine, writing
from tests.service_processes import ServiceProcesses, service_processes, until

PEOPLE = {
    "ann": AccessRole.REVIEWER,
    "ben": AccessRole.REVIEWER,
    "lea": AccessRole.LEAD,
    "sue": AccessRole.UPLOADER,
}
PATIENCE_MS = 90_000
"""Nothing is measured: other programs may have the machine."""


@dataclass
class Service:
    """keys: by name. engine: of the database that the process has too."""

    processes: ServiceProcesses
    engine: Engine
    port: int
    keys: Mapping[str, str]
    process: Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Until it answers."""
        self.process = self.processes.start("serve", "--port", str(self.port))
        until(self._answers)

    def kill(self) -> None:
        """Without a chance to say goodbye."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def send(self, *contents: str, uploader: str = "sue") -> list[str]:
        """Files by the API, to their routes; the ids of their items."""
        headers = {"Authorization": f"Bearer {self.keys[uploader]}"}
        with httpx.Client(base_url=self.address, headers=headers, timeout=60) as client:
            ids = []
            for content in contents:
                name = {"name": f"{content}.jpg"}
                answer = client.post("/v1/items", params=name, content=content.encode())
                ids.append(answer.raise_for_status().json()["id"])
            until(lambda: all(_is_settled(client, one) for one in ids))
        return ids

    def enter(self, context: BrowserContext, name: str) -> Page:
        """A page of this person's, logged in."""
        page = context.new_page()
        page.goto(f"{self.address}/console")
        page.get_by_label("Key").fill(self.keys[name])
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Log out").wait_for()
        page.wait_for_load_state()
        return page

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.processes.log.read_text()
        try:
            return httpx.get(f"{self.address}/health/live", timeout=5).is_success
        except httpx.HTTPError:
            return False


def _is_settled(client: httpx.Client, item_id: str) -> bool:
    answer = client.get(f"/v1/items/{item_id}").raise_for_status()
    return bool(answer.json()["route"])


@contextmanager
def serving(folder: Path, migrated: Path, **settings: object) -> Iterator[Service]:
    """A service that is gone at the end; no broker, no weights, the scripted judge."""
    database = folder / "moderation.sqlite"
    copyfile(migrated, database)
    url = f"sqlite:///{database}"
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    engine = open_engine(url)
    with writing(engine) as connection:
        keys = {
            name: issue_key(connection, name=name, role=role, now=datetime.now(UTC)).secret_text
            for name, role in PEOPLE.items()
        }
    usual = {"broker_url": "", "second_rate": 0, "golden_rate": 0, "allow_fetch": 1}
    with service_processes(folder / "service", url, **usual | settings) as processes:
        found = Service(processes, engine, port, keys)
        found.start()
        yield found
    engine.dispose()


@pytest.fixture
def service(tmp_path: Path, migrated: Path) -> Iterator[Service]:
    with serving(tmp_path, migrated) as found:
        yield found


@pytest.fixture
def window(chromium: Browser) -> Iterator[BrowserContext]:
    """One person's browser."""
    context = chromium.new_context(reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def other_window(chromium: Browser) -> Iterator[BrowserContext]:
    """Another person's, or the same one's elsewhere."""
    context = chromium.new_context(reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


def wrongs(page: Page) -> list[str]:
    """Collects what goes wrong on a page from now on."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("dialog", lambda dialog: found.append(dialog.message))
    page.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    return found
