"""Every request has an id and a trace, is counted by its route, and is one line of the log."""

import re
import time
from uuid import uuid4

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vonggac.events.traces import SpanKind, TraceContext, new_trace, parse_traceparent, record_span, within_trace
from vonggac.http.protection.response_headers import HEAD
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

REQUEST_ID = "vonggac.request_id"
"""In the scope: the caller's `X-Request-Id`, or a new one."""
CALLER = "vonggac.caller"
NO_ROUTE = "none"
"""In place of a route: the request ended before one was found, as without a valid token."""
LEFT = 499
"""In place of a status: the caller left before there was one."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HEALTH = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked every few seconds by machines: logged as `debug`."""
_GIVEN_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 30)


class RequestMetrics:
    """Requests by route template, method and status: closed lists all three, whatever callers send."""

    def __init__(self, service: str, registry: CollectorRegistry) -> None:
        self.answered = Counter(
            f"vonggac_{service}_http_requests",
            "Requests answered, by route template, method and status; 499: the caller left before.",
            ("route", "method", "code"),
            registry=registry,
        )
        self.seconds = Histogram(
            f"vonggac_{service}_http_request_seconds",
            "Time from a request to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )


class Requests:
    """ASGI middleware: the id goes back as `X-Request-Id`, and stands in every line logged meanwhile.

    No query string is logged, and no path: both may hold what a caller should not have put there.
    """

    def __init__(self, app: ASGIApp, *, metrics: RequestMetrics) -> None:
        self.app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = scope[REQUEST_ID] = given if _GIVEN_ID.fullmatch(given) else str(uuid4())
        came_from = parse_traceparent(headers.get("traceparent"))
        trace = new_trace() if came_from is None else came_from.new_child()
        answer = _Answer(send, request_id)
        began_s, began_ns = time.monotonic(), time.time_ns()
        with within_trace(trace, request_id=request_id):
            try:
                await self.app(scope, receive, answer.send)
            except BaseException as error:
                if answer.status is None and isinstance(error, Exception):
                    answer.status = 500
                raise
            finally:
                self._note(scope, answer, time.monotonic() - began_s)
                if trace.recorded:
                    _record(scope, answer, trace, None if came_from is None else came_from.span_id, began_ns)

    def _note(self, scope: Scope, answer: "_Answer", duration_s: float) -> None:
        method, route, status = _label_answer(scope, answer)
        self._metrics.answered.labels(route, method, str(status)).inc()
        self._metrics.seconds.labels(route).observe(duration_s)
        fields = {
            "method": method,
            "route": route,
            "status": status,
            "duration_ms": round(duration_s * 1000, 1),
            "bytes": answer.size,
            "caller": getattr(scope.get(CALLER), "subject", None),
            "client": (scope.get("client") or (None,))[0],
        }
        if route in _HEALTH:
            log.debug("request_answered", **fields)
        else:
            log.info("request_answered", **fields)


def _label_answer(scope: Scope, answer: "_Answer") -> tuple[str, str, int]:
    """Label an answer: method, route template and status, all of closed lists."""
    route = getattr(scope.get("route"), "path", NO_ROUTE)
    method = "HEAD" if scope.get(HEAD) else scope["method"] if scope["method"] in _METHODS else "other"
    return method, route, answer.status or LEFT


def _record(scope: Scope, answer: "_Answer", trace: TraceContext, parent_id: str | None, began_ns: int) -> None:
    method, route, status = _label_answer(scope, answer)
    if route in _HEALTH:
        return
    record_span(
        f"{method} {route}",
        trace_id=trace.trace_id,
        span_id=trace.span_id,
        parent_id=parent_id,
        kind=SpanKind.SERVER,
        began_ns=began_ns,
        attributes={"http.request.method": method, "http.route": route, "http.response.status_code": status},
        failed=status >= 500,
    )


class _Answer:
    """Passes an answer on with its id, and notes what it was."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self._request_id = send, request_id
        self.status: int | None = None
        self.size = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            MutableHeaders(raw=message.setdefault("headers", [])).setdefault("X-Request-Id", self._request_id)
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        await self._send(message)
