"""A connection to one checked address that is over at a set time, whatever comes how slowly."""

import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore


class TimedBackend(httpcore.NetworkBackend):
    """Connects to the address that `choose` gives for a host, and to no other.

    end: by the monotonic clock; after it every read and write fails. The time-outs of httpcore are
    of a single read: a head that comes byte by byte would never meet one.
    """

    def __init__(self, choose: Callable[[str, int], str], end: float) -> None:
        self._choose, self._end = choose, end
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        address = self._choose(host, port)
        left = _left(self._end, httpcore.ConnectTimeout)
        found = self._inner.connect_tcp(address, port, left, local_address, socket_options)
        return _TimedStream(found, self._end)


class _TimedStream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, end: float) -> None:
        self._inner, self._end = inner, end

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._end, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(self._end, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._end, httpcore.ConnectTimeout)
        return _TimedStream(self._inner.start_tls(ssl_context, server_hostname, left), self._end)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(end: float, late: type[httpcore.TimeoutException]) -> float:
    seconds = end - time.monotonic()
    if seconds <= 0:
        raise late
    return seconds
