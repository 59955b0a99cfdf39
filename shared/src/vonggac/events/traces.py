"""Trace context of the W3C: one id from an HTTP request through the outbox and the event to its consumer's log.

The header and the extension of a CloudEvent are both called `traceparent`. What is malformed counts as absent.
"""

import random
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import BeforeValidator
from structlog.contextvars import bound_contextvars

_FORM = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
LENGTH = 55
"""Of the form of version 00; a later one may be longer, and its beginning is read."""


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The trace that something belongs to, and the step of it that caused it."""

    trace_id: str
    span_id: str
    recorded: bool = True
    """Whether who began it keeps its spans (the flag `sampled` of the header)."""

    @property
    def traceparent(self) -> str:
        """As header and extension have it."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.recorded else '00'}"

    def new_child(self) -> "TraceContext":
        """Begin a step of the same trace."""
        return TraceContext(self.trace_id, secrets.token_hex(8), self.recorded)


def _well_formed(value: object) -> str | None:
    # What another program wrote there makes no event malformed.
    return value if isinstance(value, str) and parse_traceparent(value) is not None else None


type Traceparent = Annotated[str | None, BeforeValidator(_well_formed)]
"""The extension of an event; None for one that is malformed."""

_PRESENT: ContextVar[TraceContext | None] = ContextVar("vonggac_trace", default=None)


def new_trace(*, recorded: bool = True) -> TraceContext:
    """Begin a trace here."""
    return TraceContext(secrets.token_hex(16), secrets.token_hex(8), recorded)


def parse_traceparent(text: str | None) -> TraceContext | None:
    """Parse what the text says, None when it is malformed."""
    found = None if text is None or len(text) > 2 * LENGTH else _FORM.fullmatch(text)
    if found is None or (text is not None and text.startswith("00") and len(text) != LENGTH):
        return None
    return TraceContext(found[1], found[2], recorded=bool(int(found[3], 16) & 1))


def present_trace() -> TraceContext | None:
    """Return the trace that this code runs for, None outside of any."""
    return _PRESENT.get()


@contextmanager
def within_trace(trace: TraceContext | None, **fields: str) -> Iterator[None]:
    """Run for `trace`: log lines have its `trace_id` and `fields`, and new events its `traceparent`. None: `fields`."""
    token = _PRESENT.set(trace)
    try:
        with bound_contextvars(**({} if trace is None else {"trace_id": trace.trace_id}), **fields):
            yield
    finally:
        _PRESENT.reset(token)


class SpanKind(StrEnum):
    """What a span is, as of OpenTelemetry."""

    SERVER = "SERVER"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"


class SpanSink(Protocol):
    """Keeps spans for a collector (`vonggac.telemetry.spans`)."""

    def keep(
        self,
        name: str,
        ids: tuple[str, str, str | None],
        kind: SpanKind,
        times_ns: tuple[int, int],
        attributes: Mapping[str, str | int],
        failed: bool,
    ) -> None: ...


class _Export:
    sink: SpanSink | None = None
    own_share = 0.0


_EXPORT = _Export()


def set_span_sink(sink: SpanSink | None, own_share: float) -> None:
    """Have spans kept there, None: nowhere. `own_share`: of the traces that a worker begins by itself."""
    _EXPORT.sink, _EXPORT.own_share = sink, own_share


def exports_spans() -> bool:
    """Whether spans go anywhere."""
    return _EXPORT.sink is not None


def keeps_own_spans() -> bool:
    """Whether to keep the spans of a trace that no caller began: a share of them, as the setting says."""
    return _EXPORT.sink is not None and random.random() < _EXPORT.own_share  # noqa: S311 - a sample, no secret


def record_span(
    name: str,
    *,
    trace_id: str,
    span_id: str,
    parent_id: str | None,
    kind: SpanKind,
    began_ns: int,
    attributes: Mapping[str, str | int],
    failed: bool = False,
) -> None:
    """Keep a span that ends now. `began_ns`: of `time.time_ns`. Values of attributes: of closed lists, numbers, ids."""
    if _EXPORT.sink is not None:
        ids = trace_id, span_id, parent_id
        _EXPORT.sink.keep(name, ids, kind, (began_ns, time.time_ns()), attributes, failed)
