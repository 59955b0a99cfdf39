"""Reading a scope's cameras in portions and accounting each: what every report and export is made of."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import batched, zip_longest
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain import compliance, partition
from reporting.domain.compliance import VERIFIED
from reporting.domain.evidence.claims import UNKNOWN, Status, resolve
from reporting.domain.evidence.proven import Proven
from reporting.domain.instants import HOUR, TIME_ZONE, VIETNAM, Millis
from reporting.domain.maintenance import Window
from reporting.domain.outages import confirmed
from reporting.domain.partition import Account, DeliveryDurations, DeliveryLine, Durations, Kinds, Seen
from reporting.domain.scope import Camera, Delivery, Facility, Piece, Reason
from reporting.domain.segments import Period, Segment, value_at
from reporting.domain.timeline import CameraState
from reporting.storage import history, lives
from reporting.storage.lives import Watch
from vonggac.events.inventory import DestinationRole
from vonggac.telemetry.garbage_collection import rarely_collected

PORTION = 500
"""Cameras read and accounted at a time: bounds memory, and lets other work run in between. What these need still fits
a processor's cache; with 2000 of them the arithmetic is a tenth dearer."""
SHORT_PORTION = 1500
"""The same of a period of at most SHORT: little happens in it to each, and every portion reads all that
happened to anybody."""
SHORT: Millis = 36 * HOUR


class StateNow(NamedTuple):
    """A state at the moment of the report. `since` is None when nothing was ever seen."""

    state: str
    cause: str | None
    since: Millis | None


class Moment(NamedTuple):
    """How a camera and its deliveries stand at the moment of the report."""

    camera: StateNow
    confirmed: StateNow
    deliveries: tuple[StateNow, ...]
    connected: tuple[bool | None, ...]
    national: bool | None
    provincial: bool | None
    compliant: bool | None


class Evidence(NamedTuple):
    """What speaks for a delivery: its forwarders' claims, and its read-backs."""

    statuses: Sequence[Segment[Status]]
    proven: Proven


class CameraAccount(NamedTuple):
    """One camera: where the period's time went, and at which facility. `now` only if the period reaches now."""

    camera: Camera
    now: Moment | None
    account: Account
    places: tuple[tuple[Facility, Durations], ...]


class CameraMoment(NamedTuple):
    """One camera: how it stands at the moment of the report."""

    camera: Camera
    now: Moment


class CameraHistory(NamedTuple):
    """One camera: what every moment of the period counts for, without gaps."""

    camera: Camera
    moments: Sequence[Segment[Kinds]]


@dataclass(frozen=True, slots=True)
class Question:
    """A period, and the moment the report is made: never before the period's end."""

    period: Period
    now: Millis
    presumed_alive_ms: Millis
    time_zone: str = TIME_ZONE
    """IANA name of the zone whose days, weeks and months are meant."""

    @property
    def zone(self) -> tzinfo:
        return VIETNAM if self.time_zone == TIME_ZONE else ZoneInfo(self.time_zone)

    @property
    def current(self) -> bool:
        """Whether the period reaches now: a past one never shows today's states as its own."""
        return self.period.end >= self.now

    @property
    def last(self) -> Millis:
        """The last moment of the period: what is named by a code is what had it then."""
        return self.period.end - 1

    @property
    def read_until(self) -> Millis:
        """What begins later is not asked for."""
        return self.now + 1 if self.current else self.period.end


type Each[One] = Callable[[Material, Camera, Sequence[Segment[Seen]], Mapping[str, Evidence]], One]


async def accounts[Made](
    session: AsyncSession,
    question: Question,
    cameras: Sequence[Camera],
    make: Callable[[list[CameraAccount]], Made],
) -> AsyncIterator[Made]:
    """Yield what `make` makes of the accounts of `cameras`, portion by portion, in their order."""
    async for made in each_portion(session, question, cameras, _account, make):
        yield made


async def histories[Made](
    session: AsyncSession,
    question: Question,
    cameras: Sequence[Camera],
    make: Callable[[list[CameraHistory]], Made],
) -> AsyncIterator[Made]:
    """Yield the same of what the accounts add up: every moment of each camera."""
    async for made in each_portion(session, question, cameras, history_of, make):
        yield made


async def moments[Made](
    session: AsyncSession,
    question: Question,
    cameras: Sequence[Camera],
    make: Callable[[list[CameraMoment]], Made],
) -> AsyncIterator[Made]:
    """Yield the same of how they stand at the moment of a question whose period reaches it, without where time went."""
    async for made in each_portion(session, question, cameras, _now_alone, make):
        yield made


async def each_portion[One, Made](
    session: AsyncSession,
    question: Question,
    cameras: Sequence[Camera],
    each: Each[One],
    make: Callable[[list[One]], Made],
) -> AsyncIterator[Made]:
    """Yield what `make` makes of `each` camera, portion by portion.

    Arithmetic and `make` run beside the event loop while PostgreSQL gathers the next portion. While a result is handed
    out nothing runs, so the taker may stop at any time.
    """
    if not cameras:
        return
    with rarely_collected():
        watch, since = await watch_of(session, question), await history.rule_holds_from(session)
        windows = await history.maintenance(session, question.period.start, question.read_until)
        portions = [*batched(cameras, PORTION if question.period.length > SHORT else SHORT_PORTION)]
        ahead: history.Stored | None = None
        for portion, following in zip_longest(portions, portions[1:]):
            stored = ahead or await _read(session, question, portion, watch, since)
            material = Material(question, stored, watch, windows)
            making = asyncio.create_task(asyncio.to_thread(_made, material, portion, each, make))
            try:
                ahead = await _read(session, question, following, watch, since) if following else None
            finally:
                await asyncio.wait({making})
            yield making.result()


async def _read(
    session: AsyncSession, question: Question, portion: Sequence[Camera], watch: Watch, since: Millis
) -> history.Stored:
    """`since`: when rule 4 began to count."""
    cameras = [one.id for one in portion]
    deliveries = [planned.id for one in portion for planned in one.deliveries]
    start, end = question.period.start, question.read_until
    found = await history.stored(session, cameras, deliveries, start, end, watch)
    return found._replace(
        read_backs=await history.load_read_backs(session, deliveries, demanding(portion), start, end, since)
    )


def demanding(cameras: Iterable[Camera]) -> set[str]:
    """Find the deliveries whose destination demands a read-back at some moment."""
    return {
        planned.id
        for one in cameras
        for piece in one.pieces
        for planned in piece.value.deliveries
        if planned.required_proof == VERIFIED
    }


async def watch_of(session: AsyncSession, question: Question) -> Watch:
    """Who watched when; those heard of lately are presumed alive at the moment of the report."""
    return await lives.watch(session, question.period.start, question.now, question.presumed_alive_ms)


_ROLES: Mapping[str | None, DestinationRole] = {role.value: role for role in DestinationRole}


@dataclass(frozen=True, slots=True)
class Material:
    question: Question
    stored: history.Stored
    watch: Watch
    windows: Mapping[str, list[Window]]


def _made[One, Made](
    material: Material, portion: Sequence[Camera], each: Each[One], make: Callable[[list[One]], Made]
) -> Made:
    stored, watch = material.stored, material.watch
    seen, claims, proven = stored.lines(watch), stored.claims(), stored.proven(watch)
    unproven = stored.unproven
    made: list[One] = []
    for camera in portion:
        line = seen.get(camera.id, ())
        evidence = {
            one.id: Evidence(
                resolve(claims.get(one.id, ()), watch.forwarders),
                proven.get(one.id, unproven),
            )
            for one in camera.deliveries
        }
        made.append(each(material, camera, line, evidence))
    return make(made)


def _account(
    material: Material,
    camera: Camera,
    seen: Sequence[Segment[Seen]],
    evidence: Mapping[str, Evidence],
) -> CameraAccount:
    question, windows = material.question, material.windows
    piece = camera.pieces[0].value
    if len(camera.pieces) == 1 and piece.absence is None and piece.deliveries is camera.deliveries:
        lines = [_line(one, evidence[one.id]) for one in camera.deliveries]
        agreed = history.maintenance_line(windows, camera.id, camera.facility.id)
        account = partition.account(question.period, seen, lines, agreed)
        places: tuple[tuple[Facility, Durations], ...] = ((camera.facility, account.camera),)
    else:
        account, places = _piecewise(material, camera, seen, evidence)
    now = moment_of(material, camera, seen, evidence) if question.current else None
    return CameraAccount(camera, now, account, places)


def _now_alone(
    material: Material, camera: Camera, seen: Sequence[Segment[Seen]], evidence: Mapping[str, Evidence]
) -> CameraMoment:
    return CameraMoment(camera, moment_of(material, camera, seen, evidence))


def _line(planned: Delivery, found: Evidence) -> DeliveryLine:
    if not planned.known:
        return DeliveryLine(_ROLES.get(planned.role), planned.required_proof, planned.enabled, ())
    return DeliveryLine(_ROLES.get(planned.role), planned.required_proof, planned.enabled, found.statuses, found.proven)


def _piecewise(
    material: Material,
    camera: Camera,
    seen: Sequence[Segment[Seen]],
    evidence: Mapping[str, Evidence],
) -> tuple[Account, tuple[tuple[Facility, Durations], ...]]:
    """Account a camera whose plan changed within the period: the sum of the accounts of its pieces.

    Time at a place that is not asked for is in no sum: it is counted where that place is.
    """
    whole = Account(Durations(), tuple([DeliveryDurations() for _ in camera.deliveries]))
    places: dict[Facility, Durations] = {}
    for start, end, piece in camera.pieces:
        if piece.elsewhere:
            continue
        period = Period(start, end)
        if piece.absence is not None:
            part = _absent(period, camera, piece)
        else:
            lines = _demanded(camera, piece, evidence)
            agreed = history.maintenance_line(material.windows, camera.id, piece.facility.id)
            part = partition.account(period, seen, lines, agreed)
        places.setdefault(piece.facility, Durations()).add(part.camera)
        whole.camera.add(part.camera)
        for ledger, other in zip(whole.deliveries, part.deliveries, strict=True):
            ledger.add(other)
    return whole, tuple(places.items())


def _absent(period: Period, camera: Camera, piece: Piece) -> Account:
    """Account a piece in which the camera is out of scope, or nobody knows."""
    if piece.absence is not None and piece.absence.reason is Reason.REVISION_MISSING:
        return partition.not_known(period, _mark_deliveries(camera, piece))
    return partition.out_of_scope(period, len(camera.deliveries))


def _mark_deliveries(camera: Camera, piece: Piece) -> list[bool]:
    """Which of the camera's deliveries a piece names."""
    named = {one.id for one in piece.deliveries}
    return [one.id in named for one in camera.deliveries]


def _demanded(camera: Camera, piece: Piece, evidence: Mapping[str, Evidence]) -> list[DeliveryLine]:
    """How all of a camera's deliveries stood during a piece of its plan, also those that it does not name."""
    demanded = {one.id: one for one in piece.deliveries}
    return [_line(demanded.get(one.id) or one._replace(enabled=False), evidence[one.id]) for one in camera.deliveries]


def history_of(
    material: Material, camera: Camera, seen: Sequence[Segment[Seen]], evidence: Mapping[str, Evidence]
) -> CameraHistory:
    """List what every moment of the period counts for."""
    moments: list[Segment[Kinds]] = []
    for start, end, piece in camera.pieces:
        if piece.absence is not None:
            missing = piece.absence.reason is Reason.REVISION_MISSING
            nothing = partition.nothing_known(_mark_deliveries(camera, piece)) if missing else None
            moments.append(Segment(start, end, nothing or partition.nothing_counted(len(camera.deliveries))))
            continue
        agreed = history.maintenance_line(material.windows, camera.id, piece.facility.id)
        moments += partition.kinds(Period(start, end), seen, _demanded(camera, piece, evidence), agreed)
    return CameraHistory(camera, moments)


def moment_of(
    material: Material,
    camera: Camera,
    seen: Sequence[Segment[Seen]],
    evidence: Mapping[str, Evidence],
) -> Moment:
    now, last = material.question.now, camera.pieces[-1]
    shown = [delivery_now(evidence[one.id].statuses, now) for one in camera.deliveries]
    if last.value.absence is not None:
        reason = last.value.absence.reason
        state = CameraState.UNKNOWN if reason is Reason.REVISION_MISSING else CameraState.OUT_OF_SCOPE
        gone = StateNow(state.value, reason.value, last.start)
        nothing = tuple([None for _ in camera.deliveries])
        return Moment(gone, gone, tuple([one for one, _ in shown]), nothing, None, None, None)
    demanded = {one.id for one in last.value.deliveries}
    lines = [_line(one, evidence[one.id]) for one in camera.deliveries]
    connections = tuple(
        [
            compliance.connected(status, line.proof, read_back_failed=line.proven.failed_at(now))
            for line, (_, status) in zip(lines, shown, strict=True)
        ]
    )
    plan = [
        (line.role, line.required and one.id in demanded) for one, line in zip(camera.deliveries, lines, strict=True)
    ]
    national, provincial = compliance.role_connections(plan, connections)
    agreed = history.maintenance_line(material.windows, camera.id, last.value.facility.id)
    here, sure = camera_now(seen, agreed, now), camera_now(confirmed(seen), agreed, now)
    complies = compliance.complies(CameraState(here.state), national, provincial)
    return Moment(here, sure, tuple([one for one, _ in shown]), connections, national, provincial, complies)


def camera_now(seen: Sequence[Segment[Seen]], agreed: Sequence[Segment[bool]], now: Millis) -> StateNow:
    """Find the camera's state at `now`; agreed maintenance hides what was seen."""
    if (window := value_at(agreed, now)) is not None:
        return StateNow(CameraState.MAINTENANCE.value, None, window.start)
    if (found := value_at(seen, now)) is not None:
        return StateNow(found.value.state.value, found.value.cause, found.value.since)
    return StateNow(CameraState.UNKNOWN.value, None, _last_end(seen, now))


def delivery_now(segments: Sequence[Segment[Status]], now: Millis) -> tuple[StateNow, Status | None]:
    """Find the delivery's state at `now`, `unknown` where no worker that is alive claims it."""
    found = value_at(segments, now)
    if found is None:
        return StateNow(UNKNOWN, None, _last_end(segments, now)), None
    status = found.value
    return StateNow(status.state, status.cause, status.since), status


def _last_end(segments: Sequence[Segment[Any]], now: Millis) -> Millis | None:
    return next((segment.end for segment in reversed(segments) if segment.end <= now), None)
