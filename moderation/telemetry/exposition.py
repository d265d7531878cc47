"""A port for Prometheus, without a key: for a network that strangers do not reach."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.registry import Collector

from moderation.telemetry.measures import ProcessMeasures
from moderation.telemetry.observers import observing

ANYWHERE = "0.0.0.0"  # noqa: S104 - scraped from another machine


@contextmanager
def exposed(registry: CollectorRegistry, port: int, *, host: str = ANYWHERE) -> Iterator[int]:
    """Show `registry` at `/metrics` while this lasts; gives the port. 0: any that is free.

    Raises:
        OSError: the port is taken.
    """
    server, thread = start_http_server(port, addr=host, registry=registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def measured(port: int, *others: Collector, host: str = ANYWHERE) -> Iterator[int]:
    """Count what this process does, and show it: for a process without the API, a worker's.

    Call it in the process that does the work, after forking. others: shown beside. See `exposed`.
    """
    registry = CollectorRegistry()
    for other in others:
        registry.register(other)
    with observing(ProcessMeasures(registry)), exposed(registry, port, host=host) as bound:
        yield bound
