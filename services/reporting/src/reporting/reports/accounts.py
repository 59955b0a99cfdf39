"""Reading a scope's cameras in portions and accounting each: what every report and export is made of."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched, zip_longest
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain import compliance
from reporting.domain.claims import UNKNOWN, Status, resolve
from reporting.domain.compliance import Account, DeliveryLine, Seen
from reporting.domain.instants import Millis
from reporting.domain.maintenance import Window
from reporting.domain.segments import Period, Segment, value_at
from reporting.domain.timeline import CameraState, within_lives
from reporting.reports.garbage_collection import rarely_collected
from reporting.storage import history, lives
from reporting.storage.lives import Watch
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
    with rarely_collected():
        watch = await watch_of(session, question)
        windows = await history.maintenance(session, question.period.start, question.now + 1)
        portions = [*batched(cameras, PORTION)]
        ahead: history.Stored | None = None
        for portion, following in zip_longest(portions, portions[1:]):
            stored = ahead or await _read(session, question, portion, watch)
            material = _Material(question, stored, watch, windows)
            making = asyncio.create_task(asyncio.to_thread(_made, material, portion, make))
            try:
                ahead = await _read(session, question, following, watch) if following else None
            finally:
                await asyncio.wait({making})
            yield making.result()


async def _read(session: AsyncSession, question: Question, portion: Sequence[Camera], watch: Watch) -> history.Stored:
    cameras = [one.id for one in portion]
    deliveries = [planned.id for one in portion for planned in one.deliveries]
    return await history.stored(session, cameras, deliveries, question.period.start, question.now + 1, watch)


async def watch_of(session: AsyncSession, question: Question) -> Watch:
    """Who watched when; those heard of lately are presumed alive at the moment of the report."""
    return await lives.watch(session, question.period.start, question.now, question.presumed_alive_ms)


_ROLES: Mapping[str | None, DestinationRole] = {role.value: role for role in DestinationRole}


@dataclass(frozen=True, slots=True)
class _Material:
    question: Question
    stored: history.Stored
    watch: Watch
    windows: Mapping[str, list[Window]]


def _made[Made](material: _Material, portion: Sequence[Camera], make: Callable[[list[CameraAccount]], Made]) -> Made:
    question, seen, claims = material.question, material.stored.lines(), material.stored.claims()
    probing, forwarders = material.watch.probing, material.watch.forwarders
    made: list[CameraAccount] = []
    for camera in portion:
        lines = [
            DeliveryLine(
                _ROLES.get(planned.role),
                planned.required_proof,
                planned.enabled,
                resolve(claims.get(planned.id, ()), forwarders),
            )
            for planned in camera.deliveries
        ]
        agreed = history.maintenance_line(material.windows, camera.id, camera.facility.id)
        line = within_lives(seen.get(camera.id, []), probing)
        made.append(_account(question, camera, line, lines, agreed))
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
        compliance.connected(status, line.proof) for line, (_, status) in zip(lines, nows, strict=True)
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


def delivery_now(segments: Sequence[Segment[Status]], now: Millis) -> tuple[Now, Status | None]:
    """The delivery's state at `now`, `unknown` where no worker that is alive claims it."""
    found = value_at(segments, now)
    if found is None:
        return Now(UNKNOWN, None, _last_end(segments, now)), None
    status = found.value
    return Now(status.state, status.cause, status.since), status


def _last_end(segments: Sequence[Segment[Any]], now: Millis) -> Millis | None:
    return next((segment.end for segment in reversed(segments) if segment.end <= now), None)
