"""Off by default; one trace from the request to the decoder; context as text."""

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from moderation.telemetry import tracing
from tests.http_servers import serving
from tests.spans import collected


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    with collected(monkeypatch) as exporter:
        yield exporter


def test_without_a_provider_there_is_no_context() -> None:
    with tracing.span("a") as current:
        assert current is not None
        assert not current.is_recording()
        assert tracing.current_traceparent() is None


def test_a_context_goes_through_text(spans: InMemorySpanExporter) -> None:
    with tracing.span("request", is_server=True):
        text = tracing.current_traceparent()
    assert text is not None
    assert len(text) == tracing.TRACEPARENT_CHARACTERS
    with tracing.on_behalf({"file": text}):
        assert tracing.parent_of("other") is None
        with tracing.span("decode", {"n": 1}, parent=tracing.parent_of("file")):
            pass
        with tracing.span("encode", linked=tracing.parents()):
            pass
    assert tracing.parents() == {}
    request, decode, encode = spans.get_finished_spans()
    assert decode.context.trace_id == request.context.trace_id
    assert decode.parent is not None
    assert decode.parent.span_id == request.context.span_id
    assert encode.context.trace_id != request.context.trace_id
    assert [link.context.span_id for link in encode.links] == [request.context.span_id]


@pytest.mark.parametrize("text", ["", "00-0-0-00", "x" * 55, "00-" + "0" * 32 + "-" + "0" * 16])
def test_a_strangers_context_that_is_none_begins_a_new_trace(
    text: str, spans: InMemorySpanExporter
) -> None:
    with tracing.span("request", parent=text, linked={"a": text}):
        pass
    (request,) = spans.get_finished_spans()
    assert request.parent is None
    assert request.links == ()


def test_messages_of_exceptions_stay_out_of_traces(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="anna"), tracing.span("request"):
        raise ValueError("anna.mp4")
    (request,) = spans.get_finished_spans()
    assert "anna" not in request.to_json()


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, False),
    ],
)
def test_the_environment_decides(
    variables: dict[str, str], wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*tracing.VARIABLES, "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert tracing.are_wanted() is wanted


def test_spans_reach_a_collector() -> None:
    """A process of its own: a provider is set once a process."""
    paths: list[str] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            paths.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    code = (
        "import json; from moderation.telemetry.tracing import *\n"
        "with exporting('test'), span('a'): print(json.dumps(current_traceparent()))"
    )
    with serving(Collector) as port:
        address = f"http://127.0.0.1:{port}"
        environment = {"PATH": "", "OTEL_EXPORTER_OTLP_ENDPOINT": address}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, check=True
        )
    assert len(json.loads(done.stdout)) == tracing.TRACEPARENT_CHARACTERS
    assert paths == ["/v1/traces"]
