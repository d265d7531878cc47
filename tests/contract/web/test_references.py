"""Files by address from the console, from a real server; private addresses stay out of reach."""

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from fastapi.testclient import TestClient

from moderation.access.keys import AccessRole
from moderation.database import reading
from moderation.intake.listings import list_items
from moderation.intake.types import Source
from moderation.outbound.addresses import Resolver, public_address
from moderation.outbound.client import OutboundClient
from moderation.route_services import RouteLimits
from moderation.web.application import add_console
from tests.api_application import application
from tests.contract.web.consoles import HOSTILE, Console, elements, token_in
from tests.http_servers import serving

PAGE = "/console/references"


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server on loopback that answers any path with it, and `/none` with nothing."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = b"" if self.path == "/none" else f"5 {self.path}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with serving(Pages) as port:
        yield port


def only_media_test(name: str, port: int, resolver: Resolver) -> str:
    return "127.0.0.1" if name == "media.test" else public_address(name, port, resolver)


@pytest.fixture
def browser(console: Console) -> TestClient:
    """An uploader's, where fetching is allowed."""
    console.app = application(
        console.engine,
        console.folder,
        limits=RouteLimits(allow_fetch=True),
        outbound=OutboundClient(choose=only_media_test),
        clock=console.clock,
    )
    add_console(console.app, console.app.state.services)
    return console.client(AccessRole.UPLOADER)


def rows(text: str) -> list[dict[str, str]]:
    """The fields of each form that a page would send."""
    found: list[dict[str, str]] = []
    for tag, given in elements(text):
        if tag == "form" and given.get("hx-post") == f"{PAGE}/fetch":
            found.append({})
        elif tag == "form":
            found.append({"other": ""})
        elif tag == "input" and found:
            found[-1][str(given.get("name"))] = str(given.get("value"))
    return [one for one in found if "other" not in one]


def test_a_table_is_read_and_each_row_fetched(
    console: Console, browser: TestClient, port: int
) -> None:
    token = token_in(browser.get("/console/uploads").text)
    address = f"http://media.test:{port}"
    table = (
        "url,name,reach\n"
        f'{address}/a.jpg,"{HOSTILE.replace(chr(34), chr(34) * 2)}",20\n'
        f"{address}/none,,\nhttp://127.0.0.1:{port}/b.jpg,=1+1,\n"
    )
    shown = browser.post(PAGE, data={"form_token": token, "table": table}).text
    assert "alert(1)</script>" not in shown
    asked = rows(shown)
    assert [one.get("reach") for one in asked] == ["20.0", None, None]
    answers = [
        browser.post(f"{PAGE}/fetch", data=one, headers={"HX-Request": "true"}).text
        for one in asked
    ]
    assert "taken in" in answers[0]
    assert "a file of no bytes" in answers[1]
    assert "Try again" in answers[2]
    assert "taken in" not in answers[2]
    with reading(console.engine) as connection:
        [item] = list_items(connection, uploader="uploader")
    assert (item.declared_name, item.source, item.views.reach) == (HOSTILE, Source.REFERENCE, 20.0)
    assert item.id in answers[0]


@pytest.mark.parametrize(
    "table",
    [
        "",
        "url\n",
        "address\nhttp://media.test/\n",
        "url,colour\nhttp://media.test/a,red\n",
        "url,reach\nhttp://media.test/a,-1\n",
        "url,surface\nhttp://media.test/a,../x\n",
        "url\nhttp:/\n",
        "url\nhttp://media.test/a,1,2\n",
        "url\n" + "http://media.test/a\n" * 51,
        "url\n" + "h" * 140_000,
    ],
)
def test_a_table_that_is_none_is_refused_whole(browser: TestClient, table: str) -> None:
    token = token_in(browser.get("/console/uploads").text)
    answer = browser.post(PAGE, data={"form_token": token, "table": table})
    assert answer.status_code in (403, 422)
    assert rows(answer.text) == []


def test_where_fetching_is_off_the_page_says_so_and_the_server_holds_to_it(
    console: Console,
) -> None:
    browser = console.client(AccessRole.UPLOADER)
    shown = browser.get("/console/uploads").text
    assert "does not fetch files by address" in shown
    assert not re.search(r'name="table"', shown)
    fields = {"form_token": token_in(shown), "table": "url\nhttp://media.test/a\n"}
    assert browser.post(PAGE, data=fields).status_code == 422
    fields["url"] = "http://media.test/a"
    assert browser.post(f"{PAGE}/fetch", data=fields).status_code == 422
