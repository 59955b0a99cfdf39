"""How deliveries stand: this worker's live view over the latest reports of all workers."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, Field, PlainSerializer

from forwarder.domain.ownership import orphaned
from forwarder.messaging import StatusBoard, ask_holder
from forwarder.relay.assignment.membership import Presence
from forwarder.relay.service import Process
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState
from vonggac.http import ProblemError

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""No daylight saving time, so a fixed offset needs no time zone database in the image."""

AT_ONCE = 500
"""Deliveries looked at before media has its turn again: about a millisecond."""
LocalTime = Annotated[datetime, PlainSerializer(lambda value: value.astimezone(VIETNAM).isoformat(), return_type=str)]


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
    last_success_at: LocalTime | None = Field(description="When media was last confirmed by the destination's kernel.")
    bytes_acknowledged: int = Field(description="Media bytes confirmed since the worker took the camera.")
    packets_sent: int = Field(description="RTP and RTCP packets since the worker took the camera.")
    groups_dropped: int = Field(description="Groups of pictures left out because the destination was too slow.")
    bytes_written: int = Field(description="Media bytes handed to the transport since the worker took the camera.")
    packets_dropped: int = Field(description="Packets left out because the destination was too slow.")
    frames_sent: int = Field(
        description="Pictures handed to the transport to their last packet since the worker took the camera."
    )
    verified_at: LocalTime | None = Field(
        description="When a picture was last read back from the destination that was, bit for bit, the camera's."
    )
    delay_s: float | None = Field(
        description="Seconds from that picture's coming in from the camera to its return from the destination."
    )
    worker_id: str
    held_since: LocalTime
    live: bool = Field(
        description="Whether the counters are of this moment, from the worker that holds the camera, or of the last "
        "change that it reported."
    )
    as_of: LocalTime = Field(
        description="Up to when the state is known to hold: this moment when `live`, else the last sign of life of its "
        "worker. A worker that gives none any more leaves its deliveries `released`."
    )

    @classmethod
    def of(cls, standing: "Standing") -> "DeliveryStatus":
        elsewhere = {"since", "live", "as_of"}
        observed = standing.observed
        fields = {name: getattr(observed, name) for name in cls.model_fields if name not in elsewhere}
        return cls(**fields, since=observed.observed_at, live=standing.live, as_of=standing.as_of)


@dataclass(frozen=True, slots=True)
class Standing:
    """One delivery before it is made ready to be shown, which costs a hundred times as much as looking at it."""

    observed: DeliveryObservedV1
    live: bool
    as_of: datetime


def process_of(request: Request) -> Process:
    process: Process = request.app.state.process
    return process


async def standing(request: Request, wanted: Callable[[DeliveryObservedV1], bool]) -> list[Standing]:
    """Every delivery that is `wanted`, by camera and delivery; of tens of thousands, without holding up any media.

    Raises ProblemError 503 before NATS was reached once.
    """
    process = process_of(request)
    board, others = _others(process)
    now = process.clock.now()
    live = {observed.delivery_id: observed for observed in await process.live()}
    found = [Standing(observed, live=True, as_of=now) for observed in live.values() if wanted(observed)]
    for number, observed in enumerate(list(board.deliveries.values())):
        if number % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
        if observed.delivery_id not in live:
            reported = others.reported(observed)
            if wanted(reported.observed):
                found.append(reported)
    return sorted(found, key=lambda one: (one.observed.camera_id.int, one.observed.delivery_id.int))


async def delivery_of(request: Request, delivery_id: UUID) -> DeliveryStatus:
    """One delivery. Raises ProblemError 404 for one that nobody reported, 503 before NATS was reached once."""
    process = process_of(request)
    board, others = _others(process)
    for observed in await process.live(delivery_id):
        return DeliveryStatus.of(Standing(observed, live=True, as_of=process.clock.now()))
    known = board.deliveries.get(delivery_id)
    if known is not None:
        [now] = await of_this_moment(request, [others.reported(known)])
        return DeliveryStatus.of(now)
    msg = f"no forwarder has reported a delivery {delivery_id}; is its camera in the inventory?"
    raise ProblemError(HTTPStatus.NOT_FOUND, "delivery_unknown", msg)


async def of_this_moment(request: Request, deliveries: Sequence[Standing]) -> list[Standing]:
    """Deliveries of one camera, asked of its holder where they are only reported; as reported if it does not answer."""
    bus = process_of(request).bus
    if all(one.live for one in deliveries) or bus is None or not bus.connected:
        return list(deliveries)
    told = {observed.delivery_id: observed for observed in await ask_holder(bus, deliveries[0].observed.camera_id)}
    now = bus.clock.now()
    return [
        Standing(told[one.observed.delivery_id], live=True, as_of=now) if one.observed.delivery_id in told else one
        for one in deliveries
    ]


class _Others:
    """What other workers said last, for as long as they give signs of life. Each worker is looked up once."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._signs: dict[str, tuple[datetime | None, bool]] = {}

    def reported(self, observed: DeliveryObservedV1) -> Standing:
        worker_id, presence = observed.worker_id, self._presence
        if worker_id not in self._signs:
            self._signs[worker_id] = presence.alive_at(worker_id), presence.is_gone(worker_id)
        alive_at, gone = self._signs[worker_id]
        as_of = max(observed.observed_at, alive_at) if alive_at is not None else observed.observed_at
        return Standing(orphaned(observed, alive_at) if gone else observed, live=False, as_of=as_of)


def _others(process: Process) -> tuple[StatusBoard, _Others]:
    if process.board is None or process.presence is None:
        raise unavailable()
    return process.board, _Others(process.presence)


_NOT_REACHED = "NATS was not reached yet; what other workers report is kept there. Try again in a few seconds."


def unavailable(detail: str = _NOT_REACHED) -> ProblemError:
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "bus_unavailable", detail, headers={"Retry-After": "5"})
