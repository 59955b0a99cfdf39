"""Reading a scope's cameras in portions and accounting each: what every report and export is made of."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain import compliance
from reporting.domain.compliance import Account, DeliveryLine, Seen
from reporting.domain.deliveries import UNKNOWN, ClaimRow, Standing, presumed_alive_until, resolve
from reporting.domain.instants import Millis, moment
from reporting.domain.maintenance import Window
from reporting.domain.segments import Period, Segment, value_at
from reporting.domain.timeline import CameraState
from reporting.reports.undisturbed import undisturbed
from reporting.storage import courses, workers
from reporting.storage.plan import Camera
from vonggac.events.inventory import DestinationRole

PORTION = 2000
"""Cameras read and accounted at a time: bounds memory, and lets other work run in between."""


@dataclass(frozen=True, slots=True)
class Now:
    """How something stands at the moment of the report. `since` is None when nothing was ever seen."""

    state: str
    cause: str | None
    since: Millis | None


@dataclass(frozen=True, slots=True)
class CameraAccount:
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


async def accounts(
    session: AsyncSession, question: Question, cameras: Sequence[Camera]
) -> AsyncIterator[list[CameraAccount]]:
    """Accounts of `cameras`, portion by portion, in their order. The arithmetic runs beside the event loop."""
    with undisturbed():
        alive = await alive_until(session, question)
        windows = await courses.maintenance(session, question.period.start, question.now + 1)
        for portion in batched(cameras, PORTION):
            material = await _read(session, question, portion, alive, windows)
            yield await asyncio.to_thread(_account_all, material, portion)


async def _read(
    session: AsyncSession,
    question: Question,
    portion: Sequence[Camera],
    alive: Mapping[str, Millis],
    windows: Mapping[UUID, list[Window]],
) -> "_Material":
    start, end = question.period.start, question.now + 1
    deliveries = [planned.id for one in portion for planned in one.deliveries]
    seen = await courses.camera_lines(session, [one.id for one in portion], start, end)
    claims = await courses.claims(session, deliveries, start, end, alive)
    return _Material(question, seen, claims, alive, windows)


async def alive_until(session: AsyncSession, question: Question) -> dict[str, Millis]:
    """Until when each worker's word counts."""
    known = await workers.last_alive(session, since=moment(question.period.start))
    return {
        name: presumed_alive_until(last, question.now, question.presumed_alive_ms) for name, (_, last) in known.items()
    }


_ROLES = {role.value: role for role in DestinationRole}


@dataclass(frozen=True, slots=True)
class _Material:
    question: Question
    seen: Mapping[UUID, list[Segment[Seen]]]
    claims: Mapping[UUID, list[ClaimRow]]
    alive_until: Mapping[str, Millis]
    windows: Mapping[UUID, list[Window]]


def _account_all(material: _Material, cameras: Sequence[Camera]) -> list[CameraAccount]:
    return [_account(material, camera) for camera in cameras]


def _account(material: _Material, camera: Camera) -> CameraAccount:
    question = material.question
    seen = material.seen.get(camera.id, [])
    agreed = courses.maintenance_line(material.windows, camera.id, camera.facility.id)
    lines = [
        DeliveryLine(
            role=_ROLES[planned.role] if planned.role else None,
            proof=planned.required_proof,
            required=planned.enabled,
            segments=resolve(material.claims.get(planned.id, ()), material.alive_until),
        )
        for planned in camera.deliveries
    ]
    nows = [delivery_now(line.segments, question.now) for line in lines]
    connections = tuple(
        compliance.connected(standing, line.proof) for line, (_, standing) in zip(lines, nows, strict=True)
    )
    national, provincial = compliance.role_connections([(line.role, line.required) for line in lines], connections)
    now = camera_now(seen, agreed, question.now)
    return CameraAccount(
        camera=camera,
        now=now,
        deliveries_now=tuple(now_and_standing[0] for now_and_standing in nows),
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
