"""A port for Prometheus, for processes without the API: workers and whoever sends bells."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server

from moderation.telemetry.measures import ProcessMeasures
from moderation.telemetry.observers import observing


@contextmanager
def measured(port: int, *, host: str = "0.0.0.0") -> Iterator[int]:  # noqa: S104 - scraped from elsewhere
    """Count what this process does, and show it at `/metrics`; gives the port.

    port: 0 for any that is free. Call it in the process that does the work, after forking.
    """
    registry = CollectorRegistry()
    with observing(ProcessMeasures(registry)):
        server, thread = start_http_server(port, addr=host, registry=registry)
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
