"""Lines of availability: a group, camera, delivery or destination over one stretch of time, with all its figures."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.outages import Outage, OutageFigures, outage_figures
from reporting.domain.partition import DeliveryDurations, Durations
from reporting.domain.scope import Camera, Delivery, Facility
from reporting.domain.segments import Period
from reporting.reports.accounts import CameraAccount, Question
from reporting.reports.availability.accounts import ledgered_accounts
from reporting.reports.availability.figures import totals_of
from reporting.reports.availability.series import series_totals
from reporting.reports.outages import fault_of, found_outages
from reporting.reports.totals import Group, Totals
from reporting.storage import plan
from reporting.storage.history import SiteFault
from vonggac.telemetry.garbage_collection import rarely_collected


class LineKind(StrEnum):
    """What a line is of."""

    TOTAL = "total"
    UNIT = "unit"
    AGENCY = "agency"
    TYPE = "type"
    FACILITY = "facility"
    CAMERA = "camera"
    DELIVERY = "delivery"
    DESTINATION = "destination"


ONE_BY_ONE = frozenset({LineKind.CAMERA, LineKind.DELIVERY})
"""Lines that are listed first, and accounted only where they are shown."""
OF_DELIVERIES = frozenset({LineKind.DELIVERY, LineKind.DESTINATION})


@dataclass(frozen=True, slots=True)
class Line:
    """`key` is unique within its stretch. `cameras`: how many existed in it; `facilities` of a group, with and without
    cameras. Either `durations` or `connection` is there once the line is accounted."""

    period: Period
    key: str
    id: UUID | None
    code: str | None
    name: str | None
    camera: Camera | None = None
    delivery: Delivery | None = None
    cameras: int = 1
    facilities: tuple[int, int] | None = None
    durations: Durations | None = None
    connection: DeliveryDurations | None = None
    outages: OutageFigures | None = None


async def group_lines(session: AsyncSession, question: Question, scope: plan.Scope, by: LineKind) -> list[Line]:
    """Account the lines of one stretch of time; a group without cameras has its line, too."""
    if by is LineKind.DESTINATION:
        return await _destinations(session, question, scope)
    return _group_lines(question, await totals_of(session, question, scope), by)


async def group_series(
    session: AsyncSession, questions: Sequence[Question], scope: plan.Scope, by: LineKind
) -> AsyncIterator[list[Line]]:
    """Yield the same of one stretch after the other; of days at the cost of a few."""
    if by is LineKind.DESTINATION:
        for one in questions:
            yield await _destinations(session, one, scope)
        return
    async for one, totals in series_totals(session, questions, scope):
        yield _group_lines(one, totals, by)


def _group_lines(question: Question, totals: Totals, by: LineKind) -> list[Line]:
    return [_group_line(question.period, group, by) for group in _groups(totals, by)]


def _groups(totals: Totals, by: LineKind) -> Sequence[Group]:
    match by:
        case LineKind.UNIT:
            return totals.by_unit
        case LineKind.AGENCY:
            return totals.by_agency
        case LineKind.TYPE:
            return totals.by_type
        case LineKind.FACILITY:
            return totals.by_facility
        case _:
            return [totals.total]


def _group_line(period: Period, group: Group, by: LineKind) -> Line:
    facilities = group.facilities_with_cameras, group.facilities - group.facilities_with_cameras
    return Line(
        period,
        _key(group, by),
        group.id,
        group.code if by is not LineKind.TOTAL else by.value,
        group.name,
        cameras=group.cameras.total,
        facilities=facilities,
        durations=group.durations,
    )


def _key(group: Group, by: LineKind) -> str:
    return by.value if by is LineKind.TOTAL else str(group.id or group.code)


async def _destinations(session: AsyncSession, question: Question, scope: plan.Scope) -> list[Line]:
    """Account the deliveries to each centre as one; it had so many of the cameras."""
    found: dict[str, Line] = {}
    async for portion in _accounts(session, question, scope):
        for one in portion:
            for planned, length in zip(one.camera.deliveries, one.account.deliveries, strict=True):
                to = planned.destination
                line = found.get(str(to.id))
                if line is None:
                    line = Line(question.period, str(to.id), to.id, to.code, to.name, cameras=0)
                    line = replace(line, delivery=planned, connection=DeliveryDurations())
                assert line.connection is not None
                line.connection.add(length)
                found[str(to.id)] = replace(line, cameras=line.cameras + one.camera.stands_here)
    return [replace(line, delivery=None) for line in found.values()]


async def _accounts(session: AsyncSession, question: Question, scope: plan.Scope) -> AsyncIterator[list[CameraAccount]]:
    places = await plan.places(session, scope, question.period)
    with rarely_collected():
        cameras = await plan.cameras(session, places)
    async for portion in ledgered_accounts(session, question, cameras, list):
        yield portion


async def single_lines(session: AsyncSession, question: Question, scope: plan.Scope, by: LineKind) -> list[Line]:
    """List the cameras or deliveries of one stretch of time, not accounted yet."""
    places = await plan.places(session, scope, question.period)
    with rarely_collected():
        cameras = await plan.cameras(session, places)
    if by is LineKind.CAMERA:
        return [Line(question.period, one.id, UUID(one.id), one.code, one.name, camera=one) for one in cameras]
    return [
        Line(question.period, planned.id, UUID(planned.id), one.code, one.name, camera=one, delivery=planned)
        for one in cameras
        for planned in one.deliveries
    ]


async def accounted(session: AsyncSession, question: Question, lines: Sequence[Line]) -> list[Line]:
    """Fill in the figures of lines. They are of one question, and may be of several stretches of it."""
    found: dict[tuple[Period, str], CameraAccount] = {}
    for period in dict.fromkeys(line.period for line in lines):
        cameras = {line.camera.id: line.camera for line in lines if line.period == period and line.camera is not None}
        asked = replace(question, period=period)
        async for portion in ledgered_accounts(session, asked, list(cameras.values()), list):
            found |= {(period, one.camera.id): one for one in portion}
    result = []
    for line in lines:
        assert line.camera is not None
        one = found[line.period, line.camera.id]
        if line.delivery is None:
            result.append(replace(line, durations=one.account.camera))
            continue
        place = [planned.id for planned in one.camera.deliveries].index(line.delivery.id)
        result.append(replace(line, connection=one.account.deliveries[place]))
    return result


type _Outages = list[tuple[Outage, SiteFault | None]]


async def with_outages(
    session: AsyncSession, question: Question, scope: plan.Scope, by: LineKind, lines: Sequence[Line]
) -> list[Line]:
    """Fill in what the outages of lines come to, stretch by stretch."""
    result: list[Line] = []
    for period in dict.fromkeys(line.period for line in lines):
        found: dict[str, _Outages] = {}
        async for portion, faults in found_outages(session, replace(question, period=period), scope):
            for camera, outage in portion:
                fault = fault_of(camera, outage, faults)
                found.setdefault(_key_of(camera, by), []).append((outage, fault))
        result += [_with(line, found.get(line.key, [])) for line in lines if line.period == period]
    return result


def _with(line: Line, found: _Outages) -> Line:
    up = line.durations.up if line.durations is not None else 0
    return replace(line, outages=outage_figures(line.period, found, up))


def _key_of(camera: Camera, by: LineKind) -> str:
    """Where an outage of a camera counts: where it stood when it began."""
    facility: Facility = camera.facility
    keys = {
        LineKind.TOTAL: LineKind.TOTAL.value,
        LineKind.UNIT: str(facility.unit.id),
        LineKind.AGENCY: str(facility.agency.id),
        LineKind.TYPE: facility.type,
        LineKind.FACILITY: str(facility.id),
        LineKind.CAMERA: camera.id,
    }
    return keys[by]


def stretches(question: Question, periods: Iterable[Period]) -> list[Question]:
    """Put the same question of each stretch of its period."""
    return [replace(question, period=period) for period in periods]
