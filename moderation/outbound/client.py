"""HTTP for the server's own requests. The address that was checked is the one connected to.

A name that is resolved once for the check and again for the connection may have changed in
between; so the check sits where the connection is made, and every redirect comes past it.
"""

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpcore

from moderation.errors import PermanentError, TransientError
from moderation.outbound.addresses import AddressRefused, Resolver, public_address, resolve
from moderation.outbound.deadline import TimedBackend

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}


class RemoteError(TransientError):
    """The other server does not answer, breaks off, or answers with an error."""

    code = "remote"


class RemoteTooLarge(PermanentError):
    """The other server sends more than is taken."""

    code = "remote_too_large"


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a request. body: of at most the bytes that were allowed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class OutboundClient:
    """Sends single requests; keeps no connection, follows at most `redirects_max` redirects.

    total_seconds: for all of a request, redirects among it. schemes: that are allowed.
    resolver: gives the addresses of a host. choose: checks them; tests reach their own server
    by another choice.
    """

    def __init__(
        self,
        *,
        total_seconds: float = 30.0,
        redirects_max: int = 3,
        schemes: frozenset[str] = frozenset({"http", "https"}),
        resolver: Resolver = resolve,
        choose: Callable[[str, int, Resolver], str] = public_address,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._total_seconds = total_seconds
        self._redirects_max = redirects_max
        self._schemes = schemes
        self._ssl_context = ssl_context
        self._choose, self._resolver = choose, resolver

    def _address(self, host: str, port: int) -> str:
        return self._choose(host, port, self._resolver)

    def check(self, url: str) -> None:
        """Find out what can be known of a URL without connecting.

        Raises:
            AddressRefused, NameNotResolved: see `public_address`.
        """
        _, host, port = self._parts(url)
        self._address(host, port)

    def post(self, url: str, headers: Mapping[str, str], body: bytes, *, bytes_max: int) -> Answer:
        """Send `body`; a redirect is an answer like any other, and is not followed.

        Raises:
            AddressRefused, NameNotResolved, RemoteError, RemoteTooLarge.
        """
        end = time.monotonic() + self._total_seconds
        with self._stream("POST", url, headers, body, end) as response:
            content = b"".join(_bounded(response, bytes_max))
            return Answer(response.status, _headers(response), content)

    def fetch(self, url: str, write: Callable[[bytes], object], *, bytes_max: int) -> str:
        """Give the bytes behind a URL to `write`, piece by piece; the URL they came from.

        Raises:
            AddressRefused, NameNotResolved, RemoteError, RemoteTooLarge.
        """
        end = time.monotonic() + self._total_seconds
        for _ in range(self._redirects_max + 1):
            with self._stream("GET", url, {}, None, end) as response:
                headers = _headers(response)
                if response.status in _REDIRECTS and "location" in headers:
                    url = urljoin(url, headers["location"])
                    continue
                if response.status != 200:
                    raise _remote(f"an answer {response.status} from {_shown(url)}")
                length = headers.get("content-length", "")
                if length.isdigit() and int(length) > bytes_max:
                    raise _too_large(bytes_max)
                for piece in _bounded(response, bytes_max):
                    write(piece)
                return url
        raise _remote(f"more than {self._redirects_max} redirects")

    @contextmanager
    def _stream(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, end: float
    ) -> Iterator[httpcore.Response]:
        _, host, port = self._parts(url)
        shown_host = f"[{host}]" if ":" in host else host
        sent = [("Host", f"{shown_host}:{port}"), ("User-Agent", "real-moderation")]
        sent += [("Accept-Encoding", "identity"), *headers.items()]
        if body is not None:
            sent.append(("Content-Length", str(len(body))))
        try:
            with (
                httpcore.ConnectionPool(
                    ssl_context=self._ssl_context,
                    network_backend=TimedBackend(self._address, end),
                ) as pool,
                pool.stream(method, url, headers=sent, content=body) as response,
            ):
                yield response
        except (
            httpcore.NetworkError,
            httpcore.TimeoutException,
            httpcore.ProtocolError,
            ssl.SSLError,
        ) as error:
            raise _remote(f"{_shown(url)} broke off ({type(error).__name__})") from error

    def _parts(self, url: str) -> tuple[str, str, int]:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise _refused("a URL of no known form", self._schemes) from None
        if parts.scheme not in self._schemes or not parts.hostname:
            raise _refused(f"a URL of scheme {parts.scheme[:20]!r}", self._schemes)
        if parts.username is not None or parts.password is not None:
            raise _refused("a URL with a name or a password", self._schemes)
        if not url.isascii() or any(character <= " " for character in url):
            raise _refused("a URL with blanks or characters beyond ASCII", self._schemes)
        return parts.scheme, parts.hostname, port or _PORTS[parts.scheme]


def _bounded(response: httpcore.Response, bytes_max: int) -> Iterator[bytes]:
    taken = 0
    for piece in response.iter_stream():
        taken += len(piece)
        if taken > bytes_max:
            raise _too_large(bytes_max)
        yield piece


def _headers(response: httpcore.Response) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
    }


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}"[:300]


def _remote(found: str) -> RemoteError:
    return RemoteError(found, expected="the file, in time", remedy="Try again, or upload it.")


def _too_large(bytes_max: int) -> RemoteTooLarge:
    return RemoteTooLarge(
        f"more than {bytes_max} bytes", expected=f"at most {bytes_max}", remedy="Send less."
    )


def _refused(found: str, schemes: frozenset[str]) -> AddressRefused:
    return AddressRefused(
        found, expected=f"{' or '.join(sorted(schemes))}://HOST/PATH", remedy="Correct the URL."
    )
