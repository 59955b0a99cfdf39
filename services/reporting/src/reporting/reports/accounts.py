"""Reading a scope's cameras in portions and accounting each: what every report and export is made of."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched, zip_longest
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain import compliance
from reporting.domain.compliance import Account, DeliveryLine, Seen
from reporting.domain.deliveries import UNKNOWN, Standing, presumed_alive_until, resolve
from reporting.domain.instants import Millis, moment
from reporting.domain.maintenance import Window
from reporting.domain.segments import Period, Segment, value_at
from reporting.domain.timeline import CameraState
from reporting.ingest import workers
from reporting.reports.garbage_collection import undisturbed
from reporting.storage import lines as courses
from reporting.storage.plan import Camera
from vonggac.events.inventory import DestinationRole

PORTION = 500
"""Cameras read and accounted at a time: bounds memory, and lets other work run in between. What these need still fits
a processor's cache; with 2000 of them the arithmetic is a tenth dearer."""


class Now(NamedTuple):
    """How something stands at the moment of the report. `since` is None when nothing was ever seen."""

    state: str
    cause: str | None
    since: Millis | None


class CameraAccount(NamedTuple):
    """One camera: how it and its deliveries stand now, and where the period's time went."""

    camera: Camera
    now: Now
    deliveries_now: tuple[Now, ...]
    connected_now: tuple[bool | None, ...]
    national_now: bool | None
    provincial_now: bool | None
    compliant_now: bool | None
    account: Account


@dataclass(frozen=True, slots=True)
class Question:
    """A period, and the moment the report is made: never before the period's end."""

    period: Period
    now: Millis
    presumed_alive_ms: Millis


async def accounts[Made](
    session: AsyncSession,
    question: Question,
    cameras: Sequence[Camera],
    make: Callable[[list[CameraAccount]], Made],
) -> AsyncIterator[Made]:
    """What `make` makes of the accounts of `cameras`, portion by portion, in their order.

    Arithmetic and `make` run beside the event loop while PostgreSQL gathers the next portion. While a result is handed
    out nothing runs, so the taker may stop at any time.
    """
    with undisturbed():
        alive = await alive_until(session, question)
        windows = await courses.maintenance(session, question.period.start, question.now + 1)
        portions = [*batched(cameras, PORTION)]
        ahead: courses.Stored | None = None
        for portion, following in zip_longest(portions, portions[1:]):
            stored = ahead or await _read(session, question, portion, alive)
            material = _Material(question, stored, alive, windows)
            making = asyncio.create_task(asyncio.to_thread(_made, material, portion, make))
            try:
                ahead = await _read(session, question, following, alive) if following else None
            finally:
                await asyncio.wait({making})
            yield making.result()


async def _read(
    session: AsyncSession, question: Question, portion: Sequence[Camera], alive: Mapping[str, Millis]
) -> courses.Stored:
    cameras = [one.id for one in portion]
    deliveries = [planned.id for one in portion for planned in one.deliveries]
    return await courses.stored(session, cameras, deliveries, question.period.start, question.now + 1, alive)


async def alive_until(session: AsyncSession, question: Question) -> dict[str, Millis]:
    """Until when each worker's word counts."""
    known = await workers.last_alive(session, since=moment(question.period.start))
    return {
        name: presumed_alive_until(last, question.now, question.presumed_alive_ms) for name, (_, last) in known.items()
    }


_ROLES: Mapping[str | None, DestinationRole] = {role.value: role for role in DestinationRole}


@dataclass(frozen=True, slots=True)
class _Material:
    question: Question
    stored: courses.Stored
    alive_until: Mapping[str, Millis]
    windows: Mapping[str, list[Window]]


def _made[Made](material: _Material, portion: Sequence[Camera], make: Callable[[list[CameraAccount]], Made]) -> Made:
    question, seen, claims = material.question, material.stored.lines(), material.stored.claims()
    made: list[CameraAccount] = []
    for camera in portion:
        lines = [
            DeliveryLine(
                _ROLES.get(planned.role),
                planned.required_proof,
                planned.enabled,
                resolve(claims.get(planned.id, ()), material.alive_until),
            )
            for planned in camera.deliveries
        ]
        agreed = courses.maintenance_line(material.windows, camera.id, camera.facility.id)
        made.append(_account(question, camera, seen.get(camera.id, []), lines, agreed))
    return make(made)


def _account(
    question: Question,
    camera: Camera,
    seen: Sequence[Segment[Seen]],
    lines: Sequence[DeliveryLine],
    agreed: Sequence[Segment[bool]],
) -> CameraAccount:
    nows = [delivery_now(line.segments, question.now) for line in lines]
    connections = tuple([
        compliance.connected(standing, line.proof) for line, (_, standing) in zip(lines, nows, strict=True)
    ])  # fmt: skip
    national, provincial = compliance.role_connections([(line.role, line.required) for line in lines], connections)
    now = camera_now(seen, agreed, question.now)
    return CameraAccount(
        camera=camera,
        now=now,
        deliveries_now=tuple([shown for shown, _ in nows]),
        connected_now=connections,
        national_now=national,
        provincial_now=provincial,
        compliant_now=compliance.complies(CameraState(now.state), national, provincial),
        account=compliance.account(question.period, seen, lines, agreed),
    )


def camera_now(seen: Sequence[Segment[Seen]], agreed: Sequence[Segment[bool]], now: Millis) -> Now:
    """The camera's state at `now`; agreed maintenance hides what was seen."""
    if (window := value_at(agreed, now)) is not None:
        return Now(CameraState.MAINTENANCE.value, None, window.start)
    if (found := value_at(seen, now)) is not None:
        return Now(found.value.state.value, found.value.cause, found.value.since)
    return Now(CameraState.UNKNOWN.value, None, _last_end(seen, now))


def delivery_now(segments: Sequence[Segment[Standing]], now: Millis) -> tuple[Now, Standing | None]:
    """The delivery's state at `now`, `unknown` where no worker that is alive claims it."""
    found = value_at(segments, now)
    if found is None:
        return Now(UNKNOWN, None, _last_end(segments, now)), None
    standing = found.value
    return Now(standing.state, standing.cause, standing.since), standing


def _last_end(segments: Sequence[Segment[Any]], now: Millis) -> Millis | None:
    return next((segment.end for segment in reversed(segments) if segment.end <= now), None)
