"""The server's own requests: where they may go, and how much they may bring."""

import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler

import pytest

from moderation.outbound.addresses import (
    AddressRefused,
    NameNotResolved,
    Resolver,
    is_public,
    public_address,
    resolve,
)
from moderation.outbound.client import OutboundClient, RemoteError, RemoteTooLarge
from tests.http_servers import serving


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.1.2.3",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "no address",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::5db8:d70e"]
)
def test_addresses_that_are(address: str) -> None:
    assert is_public(address)


def test_one_address_that_is_not_public_is_enough() -> None:
    both = ["93.184.215.14", "127.0.0.1"]
    with pytest.raises(AddressRefused):
        public_address("example.org", 80, lambda host, port: both)
    with pytest.raises(AddressRefused):
        public_address("example.org", 80, lambda host, port: [])


def test_the_system_resolves_names_in_every_spelling() -> None:
    for spelling in ("localhost", "127.0.0.1", "0x7f.1", "2130706433", "017700000001"):
        with pytest.raises((AddressRefused, NameNotResolved)):
            public_address(spelling, 80, resolve)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://example.org/",
        "http://",
        "http:///path",
        "http://user@example.org/",
        "http://user:word@example.org/",
        "http://example.org:99999/",
        "http://exämple.org/",
        "http://example.org/a b",
        "http://example.org/\r\nX: y",
        "//example.org/",
        "http://[::1",
    ],
)
def test_urls_that_are_refused_before_anybody_connects(url: str) -> None:
    client = OutboundClient(resolver=_never)
    with pytest.raises(AddressRefused):
        client.fetch(url, bytes, bytes_max=10)


def _never(host: str, port: int) -> Sequence[str]:
    raise AssertionError("nobody asked for an address")


class _Pages(BaseHTTPRequestHandler):
    """What the other server answers, by path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = self.path.strip("/")
        if name.startswith("to="):
            self.send_response(302)
            self.send_header("Location", name.removeprefix("to="))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if name == "gone":
            self.send_error(404)
            return
        if name.startswith("slow"):
            self._drip(name)
            return
        self.send_response(200)
        if name == "endless":
            self.end_headers()
            self.wfile.write(bytes(100_000))
            self.close_connection = True
            return
        content = self.headers["Host"].encode()
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _drip(self, name: str) -> None:
        """An answer in order that takes its time: each byte is soon followed by the next one."""
        body = b"" if name == "slow-head" else b"x" * 200
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(body))
        for byte in (body and b"\r\n" + body) or b"X-Long: " + b"y" * 200 + b"\r\n\r\n":
            time.sleep(0.02)
            self.wfile.write(bytes([byte]))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of a server on this machine."""
    with serving(_Pages) as port:
        yield port


def _inside(host: str, port: int, resolver: Resolver) -> str:
    """Lets `inside.test` through to this machine, and checks all else as ever."""
    return "127.0.0.1" if host == "inside.test" else public_address(host, port, resolver)


def test_a_loopback_server_is_not_reached(port: int) -> None:
    for host in ("127.0.0.1", "localhost", "[::1]"):
        with pytest.raises((AddressRefused, NameNotResolved)):
            OutboundClient().fetch(f"http://{host}:{port}/", bytes, bytes_max=10)


def test_the_address_that_was_checked_is_the_one_connected_to(port: int) -> None:
    asked: list[str] = []

    def resolver(host: str, _: int) -> Sequence[str]:
        # A name whose owner answers with another address the second time.
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    client = OutboundClient(resolver=resolver, choose=lambda host, at, ask: ask(host, at)[0])
    got: list[bytes] = []
    client.fetch(f"http://rebound.test:{port}/", got.append, bytes_max=100)
    assert asked == ["rebound.test"]
    assert b"".join(got) == f"rebound.test:{port}".encode()


def test_redirects_are_checked_too(port: int) -> None:
    client = OutboundClient(choose=_inside, resolver=lambda host, at: ["10.0.0.1"])
    got: list[bytes] = []
    inside = f"http://inside.test:{port}"
    end = client.fetch(f"{inside}/to={inside}/x", got.append, bytes_max=100)
    assert end == f"{inside}/x"
    for target in (f"http://127.0.0.1:{port}/", "http://metadata.test/", "file:///etc/passwd"):
        with pytest.raises(AddressRefused):
            client.fetch(f"{inside}/to={target}", got.append, bytes_max=100)


def test_redirects_have_an_end(port: int) -> None:
    client = OutboundClient(choose=_inside, redirects_max=2)
    inside = f"http://inside.test:{port}"
    with pytest.raises(RemoteError, match="redirects"):
        client.fetch(f"{inside}/to=/to=/to=/to=/x", bytes, bytes_max=100)


def test_more_bytes_than_are_taken_end_it(port: int) -> None:
    client = OutboundClient(choose=_inside)
    got: list[bytes] = []
    with pytest.raises(RemoteTooLarge):
        client.fetch(f"http://inside.test:{port}/endless", got.append, bytes_max=1000)
    assert sum(map(len, got)) <= 1000
    with pytest.raises(RemoteTooLarge):
        client.fetch(f"http://inside.test:{port}/page", got.append, bytes_max=3)


@pytest.mark.parametrize("what", ["slow-head", "slow-body"])
def test_an_answer_that_comes_byte_by_byte_ends_with_the_time(port: int, what: str) -> None:
    url = f"http://inside.test:{port}/{what}"
    with pytest.raises(RemoteError):
        OutboundClient(choose=_inside, total_seconds=1).fetch(url, bytes, bytes_max=1000)
    got: list[bytes] = []
    OutboundClient(choose=_inside, total_seconds=600).fetch(url, got.append, bytes_max=1000)
    assert b"".join(got) == (b"x" * 200 if what == "slow-body" else b"")


def test_an_error_of_the_other_server_is_told(port: int) -> None:
    with pytest.raises(RemoteError, match="404"):
        OutboundClient(choose=_inside).fetch(f"http://inside.test:{port}/gone", bytes, bytes_max=10)
