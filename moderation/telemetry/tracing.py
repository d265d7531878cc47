"""OpenTelemetry traces, one an item: request, job, scoring, decoder child.

Off unless one of the variables `OTEL_TRACES_EXPORTER`, `OTEL_EXPORTER_OTLP_ENDPOINT` or
`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set, and without the packages. Attributes are ids, codes and
sizes: no names, no keys, no addresses. A job carries its context as W3C `traceparent` text in the
database, so that it survives a broker that forgets.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

try:
    from opentelemetry import propagate, trace
except ImportError:
    _has_packages = False
else:
    _has_packages = True

VARIABLES = (
    "OTEL_TRACES_EXPORTER",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
)
TRACEPARENT_CHARACTERS = 55
"""Of a W3C trace context, level 1: `00-TRACE-SPAN-FLAGS`."""

Attributes = Mapping[str, str | int | float | bool]
_parents: ContextVar[Mapping[str, str]] = ContextVar("parents", default={})  # noqa: B039 - not changed


def are_wanted() -> bool:
    """Whether the environment asks for traces."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    chosen = os.environ.get(VARIABLES[0], "")
    return chosen != "none" and any(os.environ.get(name) for name in VARIABLES)


@contextmanager
def exporting(service: str) -> Iterator[None]:
    """Send the traces of this process to where the environment says, while this lasts.

    service: name of this kind of process, unless `OTEL_SERVICE_NAME` has another. Call it after
    forking: what sends is a thread.

    Raises:
        ConfigurationError: traces are wanted, and the packages are not installed.
    """
    if not are_wanted():
        yield
        return
    from moderation.extras import require_installed

    require_installed("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = os.environ.get("OTEL_SERVICE_NAME", service)
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()


@contextmanager
def span(
    name: str,
    attributes: Attributes | None = None,
    *,
    parent: str | None = None,
    linked: Mapping[str, str] | None = None,
    is_server: bool = False,
) -> Iterator["Span | None"]:
    """A span while this lasts; None where there are no packages.

    parent: `traceparent` of another process; None: the span that this is called in. linked: the
    values are those of items that the work is done for, where these are several.
    """
    if not _has_packages:
        yield None
        return
    links = [trace.Link(found) for text in (linked or {}).values() if (found := _place(text))]
    kind = trace.SpanKind.SERVER if is_server else trace.SpanKind.INTERNAL
    with trace.get_tracer("moderation").start_as_current_span(
        name,
        context=None if parent is None else _context(parent),
        kind=kind,
        attributes=dict(attributes or {}),
        links=links,
        # Messages of exceptions may quote what a stranger wrote; codes are attributes.
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        yield current


def add_event(name: str, attributes: Attributes) -> None:
    """Something that happened within the span that this is called in."""
    if _has_packages:
        trace.get_current_span().add_event(name, dict(attributes))


def current_traceparent() -> str | None:
    """Where work that is begun later belongs; None outside of any trace."""
    if not _has_packages or not trace.get_current_span().get_span_context().is_valid:
        return None
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def on_behalf(parents: Mapping[str, str]) -> Iterator[None]:
    """While this lasts, work on a file belongs to the trace of its item.

    parents: name of a file -> `traceparent`.
    """
    before = _parents.set(parents)
    try:
        yield
    finally:
        _parents.reset(before)


def parent_of(name: str) -> str | None:
    """The trace that work on the file of this name belongs to."""
    return _parents.get().get(name)


def parents() -> Mapping[str, str]:
    """The traces of all files in hand."""
    return _parents.get()


def _context(text: str) -> "Context":
    return propagate.extract({"traceparent": text})


def _place(text: str) -> Any:
    found = trace.get_current_span(_context(text)).get_span_context()
    return found if found.is_valid else None
