"""Spans by OTLP over HTTP: the same traces as in the log, for a collector. Off unless a setting names one.

Needs the extra `vonggac[otlp]`. A span has names from closed lists and ids; never a path, a query, a header, a body or
an address, so that none carries a credential. Export is a thread of the SDK: a collector that is away costs spans, and
nobody waits for it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from threading import Thread
from typing import Any

from vonggac.events.traces import SpanKind, set_span_sink
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

STOP_WITHIN_S = 2.0
SEND_WITHIN_S = 5.0
"""With all tries again of one export."""
PATH = "/v1/traces"
_MODULES = ("trace", "sdk.trace", "sdk.trace.export", "sdk.resources", "exporter.otlp.proto.http.trace_exporter")


class SpansUnavailableError(ValueError):
    """Spans were asked for, and the packages that export them are not installed."""


@contextmanager
def export_spans(service: str, endpoint: str | None, *, version: str = "", own_share: float = 0.0) -> Iterator[None]:
    """Export the spans of this process to the collector at `endpoint`, None: export none.

    `own_share`: of the traces that a worker begins by itself. Raises SpansUnavailableError without the packages.
    """
    if endpoint is None:
        yield
        return
    sink = _new_sink(service, version, endpoint)
    set_span_sink(sink, own_share)
    log.info("spans_exported", service=service)
    try:
        yield
    finally:
        set_span_sink(None, 0.0)
        sink.close()


def _new_sink(service: str, version: str, endpoint: str) -> "_OtlpSink":
    try:
        modules = [import_module(f"opentelemetry.{name}") for name in _MODULES]
    except ImportError:
        msg = "OTLP_ENDPOINT is set, and the packages for it are missing: install vonggac[otlp], or leave it unset"
        raise SpansUnavailableError(msg) from None
    return _OtlpSink(service, version, endpoint, modules)


class _OtlpSink:
    def __init__(self, service: str, version: str, endpoint: str, modules: list[Any]) -> None:
        self._api, self._sdk, export, resources, otlp = modules
        self._resource = resources.Resource(
            {"service.name": service, "service.namespace": "vonggac", "service.version": version}
        )
        url = endpoint if endpoint.endswith(PATH) else endpoint.rstrip("/") + PATH
        self._processor = export.BatchSpanProcessor(otlp.OTLPSpanExporter(endpoint=url, timeout=SEND_WITHIN_S))

    def keep(
        self,
        name: str,
        ids: tuple[str, str, str | None],
        kind: SpanKind,
        times_ns: tuple[int, int],
        attributes: Mapping[str, str | int],
        failed: bool,
    ) -> None:
        trace_id, span_id, parent_id = ids
        status = self._api.Status(self._api.StatusCode.ERROR if failed else self._api.StatusCode.UNSET)
        self._processor.on_end(
            self._sdk.ReadableSpan(
                name,
                context=self._context(trace_id, span_id, is_remote=False),
                parent=None if parent_id is None else self._context(trace_id, parent_id, is_remote=True),
                resource=self._resource,
                attributes=dict(attributes),
                kind=self._api.SpanKind[kind],
                status=status,
                start_time=times_ns[0],
                end_time=times_ns[1],
            )
        )

    def close(self) -> None:
        """Export what is left, for a moment."""
        closing = Thread(target=self._processor.shutdown, name="close-spans", daemon=True)
        closing.start()
        closing.join(STOP_WITHIN_S)

    def _context(self, trace_id: str, span_id: str, *, is_remote: bool) -> Any:
        flags = self._api.TraceFlags(self._api.TraceFlags.SAMPLED)
        return self._api.SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=is_remote, trace_flags=flags)
