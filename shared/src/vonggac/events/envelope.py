"""CloudEvents 1.0 in structured mode: one readable JSON document a message.

The bytes of `CloudEvent.encode()` are what an outbox row holds and what the bus carries, unchanged. `source` and `id`
together name an event; a consumer that has seen the pair has seen the event.
"""

from datetime import datetime
from time import time_ns
from typing import ClassVar, Literal
from uuid import uuid4

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_serializer

from vonggac.events.traces import (
    SpanKind,
    Traceparent,
    exports_spans,
    keeps_own_spans,
    new_trace,
    parse_traceparent,
    present_trace,
    record_span,
)

CONTENT_TYPE = "application/cloudevents+json"
WAITED_HEADER = "Vonggac-Waited-Ms"
"""Of a message: how long its change had been on record when it was published, by a steady clock; absent: not known."""
MAX_EVENT_BYTES = 64 * 1024


class EventTooLargeError(ValueError):
    """An event is larger than a message may be: what it is about holds too much."""

    def __init__(self, event_type: str, subject: str, size: int) -> None:
        super().__init__(f"event {event_type} about {subject} has {size} bytes, more than {MAX_EVENT_BYTES}")
        self.size = size


class MalformedEventError(ValueError):
    """A message is no CloudEvent of a type this program knows, or its data does not fit the type's schema."""


class NotUnderstoodError(MalformedEventError):
    """A CloudEvent whose data this program cannot read: another release may."""


class NewerTypeError(NotUnderstoodError):
    """A CloudEvent of the platform, of a type that this release does not know: a newer one published it."""


MESSAGE = ConfigDict(frozen=True, extra="ignore", cache_strings="keys")
"""How messages are read. Of strings only the names of fields are kept for the next message: pydantic keeps 16,384 of
the others too, ids and instants that never come again, and each keeps the memory around it from being let go."""


class Payload(BaseModel):
    """The `data` of an event. Unknown fields are ignored, so that a newer producer may add some."""

    model_config = MESSAGE

    event_type: ClassVar[str]
    """Reverse-DNS name with a version: `vn.vonggac.<producer>.<fact>.v<n>`."""
    is_frequent: ClassVar[bool] = False
    """Of each camera every minute: its message leaves out what is so by default, and a trace that nobody keeps."""


_NAMES: dict[frozenset[str], set[str]] = {}


def share_field_names[M: BaseModel](message: M) -> M:
    """Let messages that were given the same fields share the set of their names, to keep many of them.

    A set of its own takes 2 kB of a delivery's status, more than all of its values. No message is changed later.
    """
    names = _NAMES.setdefault(frozenset(message.model_fields_set), message.model_fields_set)
    object.__setattr__(message, "__pydantic_fields_set__", names)
    for _, value in message:
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, BaseModel):
                share_field_names(one)
    return message


class CloudEvent[T: Payload](BaseModel):
    """The envelope. Attribute names are those of the specification (lower case, no underscores)."""

    model_config = MESSAGE

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(min_length=1, description="Unique within the source; the bus drops a repeated id.")
    source: str = Field(min_length=1, description="URI-reference of the producer, e.g. /prober/7c9e.")
    type: str = Field(min_length=1)
    subject: str = Field(min_length=1, description="Id of the thing the event is about.")
    time: AwareDatetime = Field(description="When the fact happened, UTC.")
    datacontenttype: Literal["application/json"] = "application/json"
    publisher: str | None = Field(default=None, description="Who published it: a process, new at every start.")
    publishersequence: int | None = Field(
        default=None, ge=1, description="Of this publisher's facts, from 1 on without a gap; a gap is a fact lost."
    )
    traceparent: Traceparent = Field(
        default=None, description="The trace of the request that caused it (W3C Trace Context), where there was one."
    )
    data: T

    @field_serializer("time")
    def _time(self, value: datetime) -> str:
        return value.isoformat().replace("+00:00", "Z")

    def encode(self) -> bytes:
        """Encode the message body, UTF-8 JSON.

        Raises EventTooLargeError when it is larger than MAX_EVENT_BYTES: never to be cut silently.
        """
        # What is None is left out: readers have None for it, and a third of an observation is that.
        body = self._encode_frequent() if type(self.data).is_frequent else self._encode_whole()
        if len(body) > MAX_EVENT_BYTES:
            raise EventTooLargeError(self.type, self.subject, len(body))
        return body

    def _encode_whole(self) -> bytes:
        return self.model_dump_json(serialize_as_any=True, exclude_none=True).encode()

    def _encode_frequent(self) -> bytes:
        trace, left_out = parse_traceparent(self.traceparent), {"data", "datacontenttype"}
        if trace is None or not trace.recorded:
            left_out.add("traceparent")
        envelope = self.model_dump_json(exclude=left_out, exclude_none=True)
        data = self.data.model_dump_json(exclude_none=True, exclude_defaults=True)
        return f'{envelope[:-1]},"data":{data}}}'.encode()


def new_event[T: Payload](
    data: T, *, source: str, subject: str, time: datetime, event_id: str | None = None
) -> CloudEvent[T]:
    """Wrap `data`; the id is random unless the caller has a natural one. It is of the trace that this code runs for,
    and of one of its own where no request caused it. Where spans are exported, its making is one.
    """
    event_id, cause = event_id or str(uuid4()), present_trace()
    trace = new_trace(recorded=keeps_own_spans()) if cause is None else cause
    if trace.recorded and exports_spans():
        trace = trace.new_child()
        record_span(
            f"publish {data.event_type}",
            trace_id=trace.trace_id,
            span_id=trace.span_id,
            parent_id=None if cause is None else cause.span_id,
            kind=SpanKind.PRODUCER,
            began_ns=time_ns(),
            attributes={"messaging.system": "nats", "messaging.message.id": event_id},
        )
    # Without [T]: a class of this very type is looked up anew for every event.
    return CloudEvent(
        id=event_id,
        source=source,
        type=data.event_type,
        subject=subject,
        time=time,
        traceparent=trace.traceparent,
        data=data,
    )


def service_of(worker_id: str) -> str:
    """Find the service whose worker that is, by its name."""
    return worker_id.partition("-")[0]


def worker_key(worker_id: str) -> str:
    """Build a worker's key in the bucket `workers`: `<service>.<worker_id>`, where its service alone may write."""
    return f"{service_of(worker_id)}.{worker_id}"


def worker_of(key: str) -> str:
    """Find the worker whose key that is; empty where a service wrote in another one's name."""
    worker_id = key.partition(".")[2]
    return worker_id if worker_key(worker_id) == key else ""
