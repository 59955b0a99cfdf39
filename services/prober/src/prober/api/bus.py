"""What the routes need of the bus, and the clear answer while it is away."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Request
from nats.errors import Error as NatsError
from pydantic import PlainSerializer, WithJsonSchema

from prober.messaging import Cameras
from prober.probes.camera.observer import Observer
from prober.probes.disputes import Disputes
from prober.probes.onvif.logins import OnvifLogins
from prober.probes.service import Process
from prober.probes.verification.scheduler import Verifications
from prober.probes.viewing.live import LiveViews
from prober.probes.viewing.stills import Stills
from vonggac.auth import Principal, Sight
from vonggac.auth.places import FacilityPlaces
from vonggac.bus import Bus
from vonggac.events.inventory import CameraV1
from vonggac.http import ProblemError

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""No daylight saving time, so a fixed offset needs no time zone database in the image."""

LocalTime = Annotated[
    datetime,
    PlainSerializer(lambda value: value.astimezone(VIETNAM).isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]

AWAY = {503: "NATS does not answer"}
"""The problem of every route that reads the bus, for `problems`."""


def bus_of(request: Request) -> Bus:
    """Return the process's connection. Raises ProblemError 503 before the first connection."""
    process: Process = request.app.state.process
    if process.bus is None:
        raise _unavailable()
    return process.bus


def now_of(request: Request) -> datetime:
    """Return the time by which facts are dated: the server's, once it is known."""
    process: Process = request.app.state.process
    return process.clock.now()


async def seen_facilities(
    request: Request, sight: Sight, facility_ids: Collection[UUID | None]
) -> frozenset[UUID | None]:
    """Those of the facilities that the caller sees. Raises ProblemError 503."""
    with answered_by_the_bus():
        places: FacilityPlaces = request.app.state.places
        return await places.filter_visible(bus_of(request), sight, facility_ids)


async def seen_camera(request: Request, caller: Principal, camera_id: UUID) -> CameraV1 | None:
    """Find a camera of the register for a caller who sees it; None, too, where none is. Raises ProblemError 503."""
    with answered_by_the_bus():
        camera = await Cameras(bus_of(request)).get(camera_id)
    if camera is None or caller.sight.is_everything:
        return camera
    return camera if await seen_facilities(request, caller.sight, {camera.facility_id}) else None


async def hides_camera(request: Request, caller: Principal, camera_id: UUID) -> bool:
    """Whether the caller must not learn of the camera. Raises ProblemError 503."""
    return not caller.sight.is_everything and await seen_camera(request, caller, camera_id) is None


def observer_of(request: Request) -> Observer:
    """Return the observer, which probes cameras. Raises ProblemError 503 before NATS was there."""
    process: Process = request.app.state.process
    if process.observer is None:
        raise _unavailable()
    return process.observer


def onvif_logins_of(request: Request) -> OnvifLogins:
    """Which logins may be tried where. Raises ProblemError 503 before NATS was there."""
    process: Process = request.app.state.process
    if process.onvif_logins is None:
        raise _unavailable()
    return process.onvif_logins


def disputes_of(request: Request) -> Disputes:
    """Return the disputes: what people say of recordings in a loop. Raises ProblemError 503 before NATS was there."""
    process: Process = request.app.state.process
    if process.disputes is None:
        raise _unavailable()
    return process.disputes


def verifications_of(request: Request) -> Verifications:
    """Return the verifications, which read deliveries back. Raises ProblemError 503 before NATS was there."""
    process: Process = request.app.state.process
    if process.verifications is None:
        raise _unavailable()
    return process.verifications


def stills_of(request: Request) -> Stills:
    """Return the stills, which fetch pictures for people. Raises ProblemError 503 before NATS was there."""
    process: Process = request.app.state.process
    if process.stills is None:
        raise _unavailable()
    return process.stills


def lives_of(request: Request) -> LiveViews:
    """Who views live pictures. Raises ProblemError 503 before NATS was there."""
    process: Process = request.app.state.process
    if process.lives is None:
        raise _unavailable()
    return process.lives


@contextmanager
def answered_by_the_bus() -> Iterator[None]:
    """Turn a silent or absent NATS into ProblemError 503."""
    try:
        yield
    except (NatsError, TimeoutError, OSError):
        raise _unavailable() from None


def _unavailable() -> ProblemError:
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "bus_unavailable",
        "NATS does not answer; the latest of each camera is kept there. Try again in a few seconds.",
        headers={"Retry-After": "5"},
    )
