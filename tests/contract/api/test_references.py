"""Files by URL from a real server, one and many; the guard against private addresses stays on."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from moderation.access.keys import AccessRole
from moderation.casework.running import work_off
from moderation.database import reading
from moderation.intake.listings import dispositions_of
from moderation.outbound.addresses import Resolver, public_address
from moderation.outbound.client import OutboundClient
from moderation.route_services import RouteLimits
from tests.api_application import application, client_of, make_keys
from tests.contract.casework.scripted import Clock, deployment, make_desk
from tests.http_servers import serving

PAGES = {"/a.jpg": b"9 first", "/b.jpg": b"5 second", "/vast.bin": b"0" * 2000, "/empty": b""}


@dataclass
class Host:
    """A server of media on loopback. asked: the paths that were asked for."""

    port: int
    asked: list[str] = field(default_factory=list)

    def url(self, path: str, name: str = "media.test") -> str:
        return f"http://{name}:{self.port}{path}"


@pytest.fixture
def host() -> Iterator[Host]:
    found = Host(0)

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/a.jpg")
                self.send_header("Content-Length", "0")
            elif self.path == "/inside":
                self.send_response(302)
                self.send_header("Location", f"http://127.0.0.1:{found.port}/a.jpg")
                self.send_header("Content-Length", "0")
            elif self.path in PAGES:
                self.send_response(200)
                self.send_header("Content-Length", str(len(PAGES[self.path])))
            else:
                self.send_response(404)
                self.send_header("Content-Length", "0")
            self.end_headers()
            self.wfile.write(PAGES.get(self.path, b""))

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with serving(Pages) as found.port:
        yield found


def only_media_test(name: str, port: int, resolver: Resolver) -> str:
    """This test's own server under its name; everything else meets the guard."""
    return "127.0.0.1" if name == "media.test" else public_address(name, port, resolver)


@pytest.fixture
def client(engine: Engine, tmp_path: Path) -> TestClient:
    """An uploader's, of an application that may fetch."""
    app = application(
        engine,
        tmp_path,
        limits=RouteLimits(allow_fetch=True),
        bytes_max=1000,
        outbound=OutboundClient(choose=only_media_test),
    )
    return client_of(app, make_keys(engine)[AccessRole.UPLOADER])


def test_a_file_is_fetched_and_takes_its_way(
    engine: Engine, tmp_path: Path, client: TestClient, host: Host
) -> None:
    body = {"url": host.url("/moved"), "name": "a.jpg", "remaining_views": 100.0}
    answer = client.post("/v1/references", json=body, headers={"Idempotency-Key": "one"})
    assert answer.status_code == 201, answer.text
    item = answer.json()
    assert item["sha256"] == sha256(PAGES["/a.jpg"]).hexdigest()
    assert (item["source"], item["name"], item["size_bytes"]) == ("reference", "a.jpg", 7)
    assert host.asked == ["/moved", "/a.jpg"]

    again = client.post("/v1/references", json=body, headers={"Idempotency-Key": "one"})
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (item, "true")
    assert len(host.asked) == 2

    desk = make_desk(engine, tmp_path, clock=Clock(), deployment=deployment())
    work_off(desk)
    with reading(engine) as connection:
        [route] = dispositions_of(connection, item["id"])
    assert route.disposition == "allow"


@pytest.mark.parametrize(
    ("path", "name", "status", "code"),
    [
        ("/absent", "media.test", 502, "remote"),
        ("/vast.bin", "media.test", 413, "remote_too_large"),
        ("/empty", "media.test", 422, "invalid_request"),
        ("/inside", "media.test", 422, "address_refused"),
        ("/a.jpg", "127.0.0.1", 422, "address_refused"),
        ("/a.jpg", "localhost", 422, "address_refused"),
    ],
)
def test_what_is_not_taken_says_why(
    client: TestClient, host: Host, path: str, name: str, status: int, code: str
) -> None:
    answer = client.post("/v1/references", json={"url": host.url(path, name)})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert "/a.jpg" not in host.asked
    assert client.get("/v1/items").json()["items"] == []


def test_a_table_of_references(client: TestClient, host: Host) -> None:
    table = "\ufeffurl,name,surface,remaining_views\r\n" + "\r\n".join(
        [
            f'{host.url("/a.jpg")},"first, of two",feed,1000',
            f"{host.url('/absent')},gone,feed,",
            f"{host.url('/b.jpg')},,,",
            f"{host.url('/a.jpg', '127.0.0.1')},inside,feed,",
        ]
    )
    answer = client.post(
        "/v1/references/batches",
        content=table.encode(),
        headers={"Content-Type": "text/csv; charset=utf-8"},
    )
    assert answer.status_code == 200, answer.text
    first, gone, second, inside = answer.json()["results"]
    assert first["item"]["name"] == "first, of two"
    assert first["item"]["views"]["remaining"] == 1000.0
    assert first["item"]["sha256"] == sha256(PAGES["/a.jpg"]).hexdigest()
    assert second["item"]["sha256"] == sha256(PAGES["/b.jpg"]).hexdigest()
    assert (gone["item"], gone["error"]["code"]) == (None, "remote")
    assert (inside["item"], inside["error"]["code"]) == (None, "address_refused")
    assert {one["id"] for one in client.get("/v1/items").json()["items"]} == {
        first["item"]["id"],
        second["item"]["id"],
    }


def test_a_list_of_references(client: TestClient, host: Host) -> None:
    wanted = {"items": [{"url": host.url("/a.jpg")}, {"url": host.url("/b.jpg")}]}
    found = client.post("/v1/references/batches", json=wanted).json()["results"]
    assert [one["item"]["size_bytes"] for one in found] == [7, 8]


@pytest.mark.parametrize(
    "table",
    [
        "",
        "url,name\n",
        "name\nno address\n",
        "url,colour\nhttp://media.test/a.jpg,red\n",
        "url\nhttp://media.test/a.jpg,too,many\n",
        "url,reach\nhttp://media.test/a.jpg,plenty\n",
        "url\n" + "http://media.test/a.jpg\n" * 51,
        b"url\n\xff\xfe\n",
    ],
)
def test_a_wrong_table_is_refused_before_anything_is_fetched(
    client: TestClient, host: Host, table: str | bytes
) -> None:
    headers = {"Content-Type": "text/csv"}
    answer = client.post("/v1/references/batches", content=table, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), answer.text
    assert host.asked == []
