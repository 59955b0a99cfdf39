"""Spans reach a collector by OTLP, from a request to who handled its event, and carry no credential."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client import CollectorRegistry

from vonggac.bus.events import Received, note_traces
from vonggac.events import new_event
from vonggac.events.prober import ProberAliveV1
from vonggac.events.traces import exports_spans, parse_traceparent
from vonggac.http.metrics.requests import RequestMetrics, Requests
from vonggac.telemetry.spans import STOP_WITHIN_S, SpansUnavailableError, export_spans

SECRET = "s3cret-Xem"


class Collector:
    """Takes what is exported over real HTTP."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                assert self.path == "/v1/traces"
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def spans(self) -> list[Any]:
        found = []
        for body in self.bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


def fact() -> Any:
    now = datetime.now(UTC)
    alive = ProberAliveV1(worker_id="prober-1", started_at=now, alive_at=now, probes_running=0)
    return new_event(alive, source="/prober/prober-1", subject="prober-1", time=now)


def handled(event: Any) -> None:
    note_traces("reporting_observations", [Received(event, "observation.worker.prober.prober-1", 1)], 1)


async def test_a_request_its_event_and_who_handled_it_are_spans_of_one_trace(collector: Collector) -> None:
    app = FastAPI()

    @app.post("/v1/things/{thing}")
    async def change(thing: str) -> dict[str, str]:
        handled(fact())
        return {}

    app.add_middleware(Requests, metrics=RequestMetrics("test", CollectorRegistry()))
    caller, parent = uuid4().hex, uuid4().hex[:16]
    headers = {"Authorization": f"Bearer {SECRET}", "traceparent": f"00-{caller}-{parent}-01"}
    with export_spans("test", collector.endpoint):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as client:
            answer = await client.post(f"/v1/things/{SECRET}?token={SECRET}", headers=headers, content=SECRET)
            assert answer.status_code == 200
    spans = {span.name: span for span in collector.spans()}
    request, made, took = (
        spans[name]
        for name in (
            "POST /v1/things/{thing}",
            "publish vn.vonggac.prober.worker_alive.v1",
            "handle reporting_observations",
        )
    )
    assert {span.trace_id.hex() for span in spans.values()} == {caller}
    assert request.parent_span_id.hex() == parent
    assert made.parent_span_id == request.span_id
    assert took.parent_span_id == made.span_id
    assert SECRET.encode() not in b"".join(collector.bodies)


def test_a_share_of_the_traces_that_workers_begin_is_exported(collector: Collector) -> None:
    with export_spans("test", collector.endpoint, own_share=1.0):
        handled(fact())
    assert len(collector.spans()) == 2
    collector.bodies.clear()
    with export_spans("test", collector.endpoint, own_share=0.0):
        handled(fact())
    assert collector.spans() == []


def test_without_a_collector_events_carry_a_trace_and_nothing_is_kept() -> None:
    with export_spans("test", None):
        assert not exports_spans()
        trace = parse_traceparent(json.loads(fact().encode())["traceparent"])
    assert trace is not None
    assert not trace.recorded


def test_a_collector_without_the_packages_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vonggac.telemetry.spans._MODULES", ("no_such_module",))
    with pytest.raises(SpansUnavailableError, match=r"vonggac\[otlp\]"), export_spans("test", "http://127.0.0.1:9"):
        pass


@pytest.mark.slow
def test_a_collector_that_is_away_holds_up_nobody_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", f"{STOP_WITHIN_S + 2:.0f}")
    threads = set(threading.enumerate())
    with export_spans("test", "http://127.0.0.1:9", own_share=1.0):
        handled(fact())
        began = time.monotonic()
    assert time.monotonic() - began < STOP_WITHIN_S + 2
    # What still tries draws random numbers for its pauses: amid examples of a later test these are refused.
    for thread in set(threading.enumerate()) - threads:
        thread.join(timeout=30)
        assert not thread.is_alive(), thread.name
