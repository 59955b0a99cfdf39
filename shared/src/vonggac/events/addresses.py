"""On which subject an event of each type stands, and who may speak there: a type on another subject is no evidence.

NATS lets each service publish on its own subjects alone, and reads no body. So whoever reads an event compares the
body with the subject that it came on: its type, the ids that both name, and whose event it says that it is.
"""

from collections.abc import Mapping
from types import MappingProxyType

from vonggac.events import subjects
from vonggac.events.envelope import CloudEvent, MalformedEventError, Payload, service_of
from vonggac.events.forwarder import CameraMediaObservedV1, DeliveryObservedV1, ForwarderAliveV1
from vonggac.events.inventory import CameraV1, RemovedV1
from vonggac.events.prober import CameraObservedV1, DeliveryVerifiedV1, DemandV1, ProberAliveV1, SiteObservedV1
from vonggac.events.registry import PAYLOADS_BY_PRODUCER, decode
from vonggac.events.reporting import (
    ObligationOverdueV1,
    OutageClosedV1,
    OutageOpenedV1,
    ReportApprovedV1,
    ReportFlaggedV1,
    ReportFrozenV1,
    ReportLaidBeforeV1,
    SiteFaultClosedV1,
    SiteFaultOpenedV1,
)
from vonggac.events.setup import StreamLostV1

OBSERVATIONS: Mapping[type[Payload], str] = MappingProxyType(
    {
        CameraObservedV1: subjects.camera_observation("{camera_id}"),
        CameraMediaObservedV1: subjects.camera_media_observation("{camera_id}"),
        DeliveryObservedV1: subjects.delivery_observation("{delivery_id}"),
        DeliveryVerifiedV1: subjects.delivery_verification("{camera_id}", "{delivery_id}"),
        SiteObservedV1: subjects.site_observation("{facility_id}"),
        ProberAliveV1: subjects.worker_heartbeat("prober", "{worker_id}"),
        ForwarderAliveV1: subjects.worker_heartbeat("forwarder", "{worker_id}"),
        StreamLostV1: subjects.stream_observation("{stream}"),
    }
)
"""Subjects of observations by type. `{field}` is what the event's data says there."""
DEMANDS: Mapping[type[Payload], str] = MappingProxyType({DemandV1: subjects.demand("{kind}")})
NOTICES: Mapping[type[Payload], str] = MappingProxyType(
    {
        OutageOpenedV1: subjects.notice("outage", "{camera_id}"),
        OutageClosedV1: subjects.notice("outage", "{camera_id}"),
        SiteFaultOpenedV1: subjects.notice("site", "{facility_id}"),
        SiteFaultClosedV1: subjects.notice("site", "{facility_id}"),
        ObligationOverdueV1: subjects.notice("obligation", "{obligation_id}"),
        ReportFrozenV1: subjects.notice("report", "{report_id}"),
        ReportFlaggedV1: subjects.notice("report", "{report_id}"),
        ReportLaidBeforeV1: subjects.notice("report", "{report_id}"),
        ReportApprovedV1: subjects.notice("report", "{report_id}"),
    }
)
_STATES: dict[type[Payload], str] = {
    model: subjects.inventory("{noun}" if model is RemovedV1 else model.event_type.split(".")[-2], "{id}")
    for model in PAYLOADS_BY_PRODUCER["inventory"]
}
_JOBS: dict[str, dict[type[Payload], str]] = {
    job(""): {CameraV1: job("{id}"), RemovedV1: job("{id}")}
    for job in (subjects.probe_job, subjects.delivery_job, subjects.verify_job)
}
_LIVE: Mapping[str, Mapping[type[Payload], str]] = MappingProxyType(
    {subjects.camera_requests("").removesuffix(".*"): {DeliveryVerifiedV1: subjects.camera_read_back("{camera_id}")}}
)
"""What no stream stores, for whoever listens."""
_TOKENS = {model: address.split(".") for model, address in {**OBSERVATIONS, **DEMANDS, **NOTICES, **_STATES}.items()}
_COPIES = (subjects.replay(""), subjects.stored(""))
"""How subjects begin on which the same event stands once more."""
_PRODUCERS = frozenset(PAYLOADS_BY_PRODUCER)


class MisplacedEventError(MalformedEventError):
    """An event does not belong on the subject that it came on: who may publish there may not say that."""


def decode_on(subject: str, body: bytes) -> CloudEvent[Payload]:
    """Parse a message that came on `subject`, which may be a replay of it, or what the server republished.

    Raises MalformedEventError as `decode` does, and MisplacedEventError naming type, subject and what does not fit.
    """
    event = decode(body)
    check_place(subject, event)
    return event


def check_place(subject: str, event: CloudEvent[Payload]) -> None:
    """Raise MisplacedEventError unless type, ids and speaker of the event fit the subject."""
    for copy in _COPIES:
        subject = subject.removeprefix(copy)
    wanted, tokens = _tokens_of(subject, type(event.data)), subject.split(".")
    if len(wanted) != len(tokens):
        raise _misplaced(subject, event, f"it belongs on {'.'.join(wanted)}")
    for want, token in zip(wanted, tokens, strict=True):
        if want[0] != "{":
            if want != token:
                raise _misplaced(subject, event, f"it belongs on {'.'.join(wanted)}")
        elif (said := str(getattr(event.data, want[1:-1]))) != token:
            raise _misplaced(subject, event, f"its data.{want[1:-1]} is {said:.80}")
    _check_speaker(subject, event)


def _tokens_of(subject: str, model: type[Payload]) -> list[str]:
    for start, addresses in (*_JOBS.items(), *_LIVE.items()):
        if subject.startswith(start) and model in addresses:
            return addresses[model].split(".")
    return _TOKENS[model]


def _check_speaker(subject: str, event: CloudEvent[Payload]) -> None:
    """No service speaks for another: neither its events nor its workers' lives nor gaps in what they published."""
    producer = event.type.split(".")[2]
    others = _PRODUCERS - {producer}
    source = event.source.removeprefix("/").partition("/")[0]
    if source in others:
        raise _misplaced(subject, event, f"its source is {event.source:.80}, of {source}")
    for name, worker in (("publisher", event.publisher), ("data.worker_id", getattr(event.data, "worker_id", None))):
        if worker is not None and (service := service_of(worker)) in others:
            raise _misplaced(subject, event, f"its {name} is {worker:.80}, of {service}")


def _misplaced(subject: str, event: CloudEvent[Payload], why: str) -> MisplacedEventError:
    return MisplacedEventError(f"an event of type {event.type} does not belong on {subject}: {why}")
