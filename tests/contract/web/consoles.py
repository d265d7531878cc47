"""The real application with its console, and what a browser reads of its pages."""

import re
from html.parser import HTMLParser
from pathlib import Path

from fastapi.testclient import TestClient
from sqlalchemy import Engine

from moderation.access.keys import AccessRole
from moderation.access.rate_limit import Rate
from moderation.casework.running import work_off
from moderation.web.application import add_console
from tests.api_application import Clock, application, make_keys
from tests.contract.casework.scripted import Clock as CaseClock
from tests.contract.casework.scripted import deployment, make_desk, policy, send

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'.mp4"


class Console:
    """The application with two items that wait, one of them with a hostile name."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        clock = CaseClock()
        desk = make_desk(
            engine, folder, clock=clock, deployment=deployment(live=policy(), calibrators={})
        )
        for content in ("5 0", "5 1"):
            send(desk, content, uploader="sue", declared_name=HOSTILE)
        work_off(desk)
        self.engine, self.desk, self.folder = engine, desk, folder
        self.keys = make_keys(engine)
        self.clock = Clock(clock())
        self.app = application(engine, folder, clock=self.clock)
        add_console(self.app, self.app.state.services, logins=Rate(per_second=1e-6, burst=20))

    def client(self, role: AccessRole | None = None, base: str = "http://testserver") -> TestClient:
        """A browser, logged in with the role's key where one is named."""
        browser = TestClient(self.app, base_url=base, follow_redirects=False)
        if role is not None:
            answer = self.log_in(browser, self.keys[role])
            assert answer.status_code == 303
        return browser

    def log_in(self, browser: TestClient, key: str, back: str = "/console"):
        form_token = token_in(browser.get("/console/login").text)
        fields = {"form_token": form_token, "key": key, "back": back}
        return browser.post("/console/login", data=fields)


def token_in(text: str, name: str = "form_token") -> str:
    """The first field of this name."""
    found = re.search(rf'name="{name}" value="([^"]+)"', text)
    assert found, text
    return found[1]


def elements(text: str) -> list[tuple[str, dict[str, str | None]]]:
    """Every tag of a page with its attributes, as a browser reads them."""
    found: list[tuple[str, dict[str, str | None]]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, given: found.append((tag, dict(given)))  # type: ignore[method-assign]
    parser.feed(text)
    return found


def claimed(browser: TestClient) -> str:
    """The address of the task that a claim gives."""
    fields = {"form_token": token_in(browser.get("/console/queue").text)}
    answer = browser.post("/console/claims", data=fields)
    assert answer.status_code == 303
    return answer.headers["location"]
