"""The status of deliveries: this worker's live view over the latest reports of all workers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from itertools import batched
from typing import Annotated
from uuid import UUID

from fastapi import Request, Response
from nats.errors import Error as NatsError
from pydantic import BaseModel, Field, PlainSerializer, WithJsonSchema

from forwarder.domain.assignment.ownership import orphaned
from forwarder.messaging import StatusBoard, request_deliveries
from forwarder.relay.assignment.membership import MembershipWatch
from forwarder.relay.service import Process
from vonggac.auth import Principal, Sight
from vonggac.auth.places import FacilityPlaces
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState, Responsibility, ServedSession
from vonggac.http import ProblemError
from vonggac.http.lists import Key, Listing, PageQuery

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""No daylight saving time, so a fixed offset needs no time zone database in the image."""

AT_ONCE = 500
"""Deliveries read before media has its turn again: about a millisecond."""
LocalTime = Annotated[
    datetime,
    PlainSerializer(lambda value: value.astimezone(VIETNAM).isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]


class DeliveryStatus(BaseModel):
    """One camera at one destination."""

    delivery_id: UUID
    camera_id: UUID
    destination_id: UUID
    facility_id: UUID | None = Field(description="Where the camera stands; null in reports of older releases.")
    camera_revision: int = Field(description="State of the camera in the inventory that is carried out.")
    state: DeliveryState
    cause: Cause | None = Field(description="Why it is not as it should be; null beside a good state.")
    detail: str | None
    since: LocalTime = Field(description="When the state began.")
    attempt: int = Field(description="Tries since the last good session.")
    next_attempt_at: LocalTime | None = Field(
        description="When it is tried again at the latest; where it waits for its camera, when the camera is."
    )
    last_success_at: LocalTime | None = Field(description="When the destination's kernel last acknowledged media.")
    bytes_acknowledged: int = Field(description="Media bytes acknowledged since the worker has held the camera.")
    packets_sent: int = Field(description="RTP and RTCP packets since the worker has held the camera.")
    groups_dropped: int = Field(description="Groups of pictures left out because the destination was too slow.")
    bytes_written: int = Field(description="Media bytes handed to the transport since the worker has held the camera.")
    packets_dropped: int = Field(description="Packets left out because the destination was too slow.")
    frames_sent: int = Field(
        description="Pictures handed to the transport to their last packet since the worker has held the camera."
    )
    verified_at: LocalTime | None = Field(
        description="When a picture was last read back from the destination that was, bit for bit, the camera's."
    )
    delay_s: float | None = Field(
        description="Seconds from that picture's arrival from the camera to its return from the destination."
    )
    taken_by: list[ServedSession] = Field(description="Of a centre that pulls: its open sessions of this camera.")
    asked_at: LocalTime | None = Field(
        description="Of a centre that pulls: when it last asked the present worker for the camera; null: never."
    )
    asked_by: str | None = Field(description="Address and software of who asked last.")
    refused_for: Cause | None = Field(description="Why a centre that pulls is refused; null when it is not.")
    refusals: dict[Cause, int] = Field(description="What the present worker refused, by reason.")
    responsibility: Responsibility | None = Field(
        description="Who can end it that a centre which pulls receives nothing; null while it receives, and where it "
        "is published to."
    )
    worker_id: str
    held_since: LocalTime
    live: bool = Field(
        description="Whether the counters are of this moment, from the worker that holds the camera, or of the last "
        "change that it reported."
    )
    as_of: LocalTime = Field(
        description="Up to when the state is known to hold: this moment when `live`, else the last heartbeat of its "
        "worker. The deliveries of a worker without heartbeats are `released`."
    )

    @classmethod
    def of(cls, found: "FoundDelivery") -> "DeliveryStatus":
        elsewhere = {"since", "live", "as_of"}
        observed = found.observed
        fields = {name: getattr(observed, name) for name in cls.model_fields if name not in elsewhere}
        return cls(**fields, since=observed.observed_at, live=found.live, as_of=found.as_of)


@dataclass(frozen=True, slots=True)
class FoundDelivery:
    """One delivery before it is rendered, which costs a hundred times as much as finding it."""

    observed: DeliveryObservedV1
    live: bool
    as_of: datetime


KEYS: dict[str, Key[FoundDelivery]] = {
    # Integers, because UUIDs compare twenty times as slowly, and media waits meanwhile.
    "camera_id": Key(lambda found: found.observed.camera_id.int, int),
    "delivery_id": Key(lambda found: found.observed.delivery_id.int, int),
    "state": Key(lambda found: found.observed.state.value),
    "since": Key(lambda found: found.observed.observed_at, datetime),
    "groups_dropped": Key(lambda found: found.observed.groups_dropped, int),
}
DELIVERIES = Listing(DeliveryStatus, keys=KEYS, id_key="delivery_id", default_sort="camera_id")
type DeliveryPaging = PageQuery[FoundDelivery, DeliveryStatus]


def process_of(request: Request) -> Process:
    process: Process = request.app.state.process
    return process


async def find_deliveries(
    request: Request, caller: Principal, wanted: Callable[[DeliveryObservedV1], bool]
) -> list[FoundDelivery]:
    """Every delivery that is `wanted` and that the caller sees, in no order. Tens of thousands hold up no media.

    Raises ProblemError 503 before NATS was reached once.
    """
    process = process_of(request)
    board, others = _reports_of_others(process)
    now = process.clock.now()
    live = {observed.delivery_id: observed for observed in await process.live()}
    found = [FoundDelivery(observed, live=True, as_of=now) for observed in live.values() if wanted(observed)]
    async for reported_last in _in_batches(list(board.deliveries.values())):
        reports = [others.reported(observed) for observed in reported_last if observed.delivery_id not in live]
        found += [reported for reported in reports if wanted(reported.observed)]
    if caller.sight.is_everything:
        return found
    facility_ids: set[UUID | None] = set()
    async for some in _in_batches(found):
        facility_ids.update(one.observed.facility_id for one in some)
    seen = await _seen_facilities(request, caller.sight, facility_ids)
    shown: list[FoundDelivery] = []
    async for some in _in_batches(found):
        shown += [one for one in some if one.observed.facility_id in seen]
    return shown


async def _in_batches[T](items: Sequence[T]) -> AsyncIterator[Sequence[T]]:
    """Yield the items in batches of `AT_ONCE`; between two of them the event loop serves media."""
    for some in batched(items, AT_ONCE):
        yield some
        await asyncio.sleep(0)


async def _seen_facilities(
    request: Request, sight: Sight, facility_ids: Collection[UUID | None]
) -> frozenset[UUID | None]:
    """Those of the facilities that the caller sees. Raises ProblemError 503 while NATS is away."""
    if sight.is_everything:
        return frozenset(facility_ids)
    places: FacilityPlaces = request.app.state.places
    bus = process_of(request).bus
    if bus is None:
        raise unavailable()
    try:
        return await places.filter_visible(bus, sight, facility_ids)
    except (NatsError, TimeoutError, OSError):
        raise unavailable("NATS does not answer: what the token is for is not known. Try again.") from None


async def answer_page(paging: DeliveryPaging, found: Sequence[FoundDelivery]) -> Response:
    """Build the page of what was found, in a thread: a thousand items take 20 ms, sorting 40,000 takes 100."""

    def make() -> Response:
        page = paging.cut(found)
        return paging.answer(page, [DeliveryStatus.of(one) for one in page.rows])

    return await asyncio.to_thread(make)


async def get_status(request: Request, caller: Principal, delivery_id: UUID) -> DeliveryStatus:
    """One delivery that the caller sees.

    Raises ProblemError 404 for one that nobody reported, 503 before NATS was reached once.
    """
    process = process_of(request)
    board, others = _reports_of_others(process)
    live = await process.live(delivery_id)
    known = next(iter(live), None) or board.deliveries.get(delivery_id)
    if known is not None and not await _seen_facilities(request, caller.sight, {known.facility_id}):
        known = None
    if known is not None and live:
        return DeliveryStatus.of(FoundDelivery(known, live=True, as_of=process.clock.now()))
    if known is not None:
        [now] = await refresh_from_holder(request, [others.reported(known)])
        return DeliveryStatus.of(now)
    msg = f"no forwarder has reported a delivery {delivery_id}; is its camera in the inventory?"
    raise ProblemError(HTTPStatus.NOT_FOUND, "delivery_unknown", msg)


async def refresh_from_holder(request: Request, deliveries: Sequence[FoundDelivery]) -> list[FoundDelivery]:
    """Deliveries of one camera: the holder's live view where they are only reported, if it answers."""
    bus = process_of(request).bus
    if all(one.live for one in deliveries) or bus is None or not bus.connected:
        return list(deliveries)
    live = {
        observed.delivery_id: observed for observed in await request_deliveries(bus, deliveries[0].observed.camera_id)
    }
    now = bus.clock.now()
    return [
        FoundDelivery(live[one.observed.delivery_id], live=True, as_of=now) if one.observed.delivery_id in live else one
        for one in deliveries
    ]


class _ReportsOfOthers:
    """The last reports of other workers, while their heartbeats come. Each worker is looked up once."""

    def __init__(self, members: MembershipWatch) -> None:
        self._members = members
        self._signs: dict[str, tuple[datetime | None, bool]] = {}

    def reported(self, observed: DeliveryObservedV1) -> FoundDelivery:
        worker_id, members = observed.worker_id, self._members
        if worker_id not in self._signs:
            self._signs[worker_id] = members.alive_at(worker_id), members.is_gone(worker_id)
        alive_at, gone = self._signs[worker_id]
        as_of = max(observed.observed_at, alive_at) if alive_at is not None else observed.observed_at
        return FoundDelivery(orphaned(observed, alive_at) if gone else observed, live=False, as_of=as_of)


def _reports_of_others(process: Process) -> tuple[StatusBoard, _ReportsOfOthers]:
    if process.board is None or process.members is None:
        raise unavailable()
    return process.board, _ReportsOfOthers(process.members)


_NOT_REACHED = "NATS was not reached yet; what other workers report is kept there. Try again in a few seconds."


def unavailable(detail: str = _NOT_REACHED) -> ProblemError:
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "bus_unavailable", detail, headers={"Retry-After": "5"})
