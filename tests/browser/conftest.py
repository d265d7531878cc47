"""The console in a real Chromium: a server of the test's own on a free loopback port."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile, which

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import Engine

from moderation.access.enrolment import issue_key
from moderation.access.keys import AccessRole
from moderation.casework.deployment import Deployment
from moderation.casework.running import work_off
from moderation.database import open_engine, writing
from moderation.web.application import add_console
from tests.api_application import application
from tests.browser.service import (  # noqa: F401 - fixtures
    PATIENCE_MS,
    other_window,
    service,
    window,
)
from tests.contract.casework.scripted import Clock, deployment, make_desk, policy, send

SAMPLE = Path(__file__).parents[2] / "docs" / "samples" / "photo-genuine.jpg"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'.jpg"
PEOPLE = {
    "ann": AccessRole.REVIEWER,
    "ben": AccessRole.REVIEWER,
    "lea": AccessRole.LEAD,
}


@dataclass(frozen=True)
class Site:
    """A running server with four pictures that wait. keys: by name."""

    address: str
    keys: Mapping[str, str]


@pytest.fixture
def site(migrated: Path, tmp_path: Path) -> Iterator[Site]:
    file = tmp_path / "moderation.sqlite"
    copyfile(migrated, file)
    engine = open_engine(f"sqlite:///{file}")
    desk = make_desk(
        engine, tmp_path, clock=Clock(), deployment=deployment(live=policy(), calibrators={})
    )
    for number in range(4):
        item = send(desk, f"5 {number}", uploader="sue", declared_name=HOSTILE)
        copyfile(SAMPLE, desk.blobs.path(item.sha256))
    work_off(desk)
    with serve(engine, tmp_path) as served:
        yield served
    engine.dispose()


@contextmanager
def serve(
    engine: Engine, folder: Path, deployed: Callable[[], Deployment] = deployment
) -> Iterator[Site]:
    """The console on a database and its folder, with everybody's keys."""
    with writing(engine) as connection:
        keys = {
            name: issue_key(connection, name=name, role=role, now=datetime.now(UTC)).secret_text
            for name, role in PEOPLE.items()
        }
    app = application(
        engine,
        folder,
        clock=lambda: datetime.now(UTC),  # type: ignore[arg-type]
        deployed=deployed,
    )
    add_console(app, app.state.services)
    with served(app) as address:
        yield Site(address, keys)
    engine.dispose()


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address of an application that listens until the end."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """For no longer than a module: while Playwright runs, this thread has a running event loop."""
    path = which("chromium") or which("chromium-browser") or which("google-chrome")
    assert path is not None, "no Chromium: run deploy/setup-system.sh"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        # As root, and in many containers, Chromium has no sandbox of its own.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page of one person, and everything that went wrong on it."""

    page: Page
    wrongs: list[str]


@pytest.fixture
def visit(chromium: Browser, site: Site) -> Iterator[Callable[[str], Visit]]:
    """Logs a person in, in a browser of their own, by keyboard."""
    contexts = []

    def enter(name: str) -> Visit:
        context = chromium.new_context(base_url=site.address, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        wrongs: list[str] = []
        page.on("pageerror", lambda error: wrongs.append(str(error)))
        page.on("dialog", lambda dialog: wrongs.append(dialog.message))
        page.on("console", lambda said: wrongs.append(said.text) if said.type == "error" else None)
        page.goto("/console")
        page.get_by_label("Key").fill(site.keys[name])
        page.keyboard.press("Enter")
        page.wait_for_url("/console/queue")
        page.wait_for_load_state()
        return Visit(page, wrongs)

    yield enter
    for context in contexts:
        context.close()
