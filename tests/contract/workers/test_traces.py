"""One trace over real processes: interface, worker, decoder child. The broker has none of it."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from moderation.client import ModerationClient
from tests.contract.workers.deployment import Deployment, is_listening
from tests.http_servers import serving
from tests.integration.killing_judge import NOTED, install
from tests.service_processes import until
from workers.redis_server import free_port

pytestmark = pytest.mark.weights

PHOTO = Path("docs/samples/photo-genuine.jpg")
Sent = list[tuple[str, Span]]


@pytest.fixture
def collector() -> Iterator[tuple[int, Sent]]:
    """The port of a real one, and what it was sent: spans by the name of their service."""
    sent: Sent = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = ExportTraceServiceRequest()
            asked.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
            for process in asked.resource_spans:
                named = {one.key: one.value.string_value for one in process.resource.attributes}
                spans = [span for scope in process.scope_spans for span in scope.spans]
                sent.extend((named["service.name"], span) for span in spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serving(Collector) as port:
        yield port, sent


@pytest.mark.parametrize(
    "deployed",
    [{"dispatcher": "local", "encoders": "forensic", "judge_plugin": "killing"}],
    indirect=True,
)
def test_an_upload_has_one_trace_through_all_processes(
    deployed: Deployment, collector: tuple[int, Sent]
) -> None:
    processes, port = deployed.processes, free_port()
    processes.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{collector[0]}"
    install(processes.folder / "site")
    processes.environment[NOTED] = str(processes.folder / "noted")
    api = processes.start("serve", "--port", str(port))
    worker = processes.start("worker", "--queues", "score")
    until(lambda: is_listening(port))
    with ModerationClient(f"http://127.0.0.1:{port}", deployed.key()) as client:
        item = client.upload(PHOTO, facts={"surface": "feed"})
    until(lambda: item.id in deployed.settled())
    for process in (worker, api):  # what is left is sent as they end
        process.terminate()
        assert process.wait(60) == 0
    sent = collector[1]
    [first] = [one for _, one in sent if one.name == "PUT /v1/uploads/{sha256}"]
    ours = [(service, one) for service, one in sent if one.trace_id == first.trace_id]
    by_name = {one.name: (service, one) for service, one in ours}
    assert by_name["decode"][0] == by_name["settle"][0] == "moderation-score"
    assert by_name[first.name][0] == "moderation-serve"
    [event] = by_name["decode"][1].events
    told = {one.key for one in event.attributes}
    assert {"exit_code", "max_rss_bytes", "cpu_seconds"} <= {name.split(".")[-1] for name in told}
    for name in ("score", "encode", "judge"):
        [batch] = [one for service, one in sent if one.name == name]
        assert [link.trace_id for link in batch.links] == [first.trace_id]
    assert PHOTO.name not in str(sent)
