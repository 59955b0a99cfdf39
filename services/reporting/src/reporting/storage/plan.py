"""What should have been, moment by moment: cameras with their dated facility and deliveries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    and_,
    any_,
    cast,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis, moment
from reporting.domain.mandate.being_connected import MOST, exclude_being_connected
from reporting.domain.mandate.units import Succession
from reporting.domain.scope import (
    FOREVER,
    NOT_COUNTED,
    Camera,
    CameraVersion,
    Delivery,
    Facility,
    FacilityVersion,
    Named,
    Piece,
    Reason,
    Register,
    absence,
    deliveries_of,
    pieces,
)
from reporting.domain.segments import Period, Segment
from reporting.storage.mandate.being_connected import load_being_connected
from reporting.storage.mandate.units import load_succession
from reporting.storage.planned import Planned, columns_of, ids, keep_within, missing_of, stretches
from reporting.storage.tables import agency, camera, delivery, destination, facility, unit
from vonggac.events.inventory import FacilityStatus

GONE = frozenset({Reason.NOT_YET, Reason.REMOVED})
MANY = 1000
"""Above so many facilities, reading every camera is cheaper than naming the facilities."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which facilities are asked for; None is all."""

    unit_id: UUID | None = None
    agency_id: UUID | None = None
    facility_id: UUID | None = None
    type: str | None = None
    visible: frozenset[UUID] | None = None
    """Those that the caller sees."""
    of_part: bool = False
    """Whether the caller's token is for a part of the province."""

    @property
    def everything(self) -> bool:
        """Whether what is no facility's, but the province's, is asked for too."""
        return replace(self, visible=None) == Scope()

    def wanted(self, one: Facility) -> bool:
        return (
            (self.visible is None or one.id in self.visible)
            and self.unit_id in {None, one.unit.id}
            and self.agency_id in {None, one.agency.id}
            and self.facility_id in {None, one.id}
            and self.type in {None, one.type}
        )


class Places(NamedTuple):
    """Facilities of a scope as they were last in the period, in the order of the reports (unit, code); which of
    them were counted at some moment of it; and the dated register behind both."""

    facilities: list[Facility]
    counted: frozenset[UUID]
    register: Register
    period: Period


def _ms(column: ColumnElement[Any]) -> ColumnElement[int]:
    """As `millis`: a cast alone would round to the next one, and what changed at one moment would do so at two."""
    return cast(func.date_part("epoch", func.date_trunc("milliseconds", column)) * 1000, BigInteger)


def _touching(table: Any, period: Period) -> ColumnElement[bool]:
    """Versions that hold at some moment of the period, and removals within it."""
    return and_(
        table.c.valid_from < moment(period.end),
        or_(table.c.valid_to.is_(None), table.c.valid_to > moment(period.start)),
        not_(and_(table.c.removed, table.c.valid_from <= moment(period.start))),
    )


async def places(session: AsyncSession, scope: Scope, period: Period) -> Places:
    """Facilities of the scope that existed in the period, with the dated register."""
    dated = await facility_versions(session, period, await load_succession(session))
    last: dict[UUID, Facility] = {}
    counted, moved = set[UUID](), set[UUID]()
    register = Register(dated, await _destination_changes(session, period), scope.wanted)
    for versions in dated.values():
        for start, end, version in versions:
            if start >= period.end or end <= period.start:
                continue
            if not version.known or version.status not in NOT_COUNTED:
                counted.add(version.facility.id)
            # It is counted with the unit, the agency and the type that it had last.
            if scope.wanted(version.facility):
                last[version.facility.id] = version.facility
                moved.discard(version.facility.id)
            else:
                moved.add(version.facility.id)
    ordered = sorted(last.values(), key=lambda one: (one.unit.code or "\uffff", one.code, str(one.id)))
    return Places(ordered, frozenset(counted - moved), register, period)


async def with_cameras(session: AsyncSession, at: Millis) -> set[UUID]:
    """Facilities at which a camera was on record at the moment, switched on or off."""
    lasts = or_(camera.c.valid_to.is_(None), camera.c.valid_to > moment(at))
    there = and_(not_(camera.c.removed), camera.c.valid_from <= moment(at), lasts)
    return set((await session.execute(select(camera.c.facility_id).distinct().where(there))).scalars())


async def facility_versions(
    session: AsyncSession, period: Period, succession: Succession
) -> dict[str, list[Segment[FacilityVersion]]]:
    """Every facility that is known, as it was in the period: in the unit that the register has it in or, by
    `succession`, in what followed that one (decision 0158)."""
    statement = (
        select(
            facility,
            unit.c.code.label("unit_code"),
            unit.c.name.label("unit_name"),
            agency.c.code.label("agency_code"),
            agency.c.name.label("agency_name"),
        )
        .outerjoin(unit, unit.c.id == facility.c.unit_id)
        .outerjoin(agency, agency.c.id == facility.c.managing_agency_id)
        .where(not_(facility.c.removed))
        .order_by(facility.c.id, facility.c.revision)
    )
    found: dict[str, list[Segment[FacilityVersion]]] = {}
    for row in await session.execute(statement):
        place = Facility(
            id=row.id,
            code=row.code,
            name=row.name,
            type=row.type,
            restricted=row.restricted,
            unit=Named(row.unit_id, row.unit_code, row.unit_name),
            agency=Named(row.managing_agency_id, row.agency_code, row.agency_name),
        )
        end = FOREVER if row.valid_to is None else millis(row.valid_to)
        version = FacilityVersion(place, row.status, row.decided_by, row.decided_why)
        versions, start, changed = found.setdefault(str(row.id), []), millis(row.valid_from), millis(row.changed_at)
        held: list[Segment[FacilityVersion]] = []
        if row.read_until is None and start < changed < end and row.status in NOT_COUNTED and row.revision > 1:
            # As an earlier release accounted what never came here: it excuses nothing.
            held.append(Segment(start, changed, FacilityVersion(place, FacilityStatus.ACTIVE.value, None, None)))
            start = changed
        for since, until, known in stretches(Segment(start, end, row.revision), *missing_of(row)):
            held.append(Segment(since, until, version._replace(known=known)))
        for part in held:
            for each in _in_units(part, succession):
                keep_within(versions, each, period)
    return {key: versions for key, versions in found.items() if versions}


def _in_units(part: Segment[FacilityVersion], succession: Succession) -> Iterator[Segment[FacilityVersion]]:
    """Yield the same by the units that the facility lay in: what followed the one that the register has it in."""
    start, end, version = part
    place = version.facility
    for since, until, unit_then in succession.line(place.unit, start, end):
        if unit_then is place.unit:
            yield Segment(since, until, version)
        else:
            moved = replace(place, unit=unit_then)
            yield Segment(since, until, version._replace(facility=moved, registered_in=place.unit.id))


async def _destination_changes(session: AsyncSession, period: Period) -> dict[str, list[Millis]]:
    """When destinations changed within the period, or were not known any more."""
    changes: dict[str, list[Millis]] = {}
    for moment_of in (destination.c.valid_from, destination.c.changed_at, destination.c.unknown_from):
        within = and_(moment_of > moment(period.start), moment_of < moment(period.end))
        for id_, at in await session.execute(select(destination.c.id, moment_of).where(within)):
            changes.setdefault(str(id_), []).append(millis(at))
    return changes


async def cameras(session: AsyncSession, within: Places, *, only: Sequence[UUID] | None = None) -> list[Camera]:
    """Cameras that existed at those facilities at some moment of the period, ordered by facility as given, then code.

    `only`: of these. Each with its plan of every moment; one that was switched off or not counted all the time is
    among them.
    """
    period, register = within.period, within.register
    position = {str(one.id): number for number, one in enumerate(within.facilities)}
    versions = await _camera_versions(session, within, only)
    named = only is not None or len(versions) <= MANY
    planned = await Planned.read(session, period, versions if named else None)
    new = [camera_id for camera_id, rows in versions.items() if _is_new(camera_id, rows, planned, period)]
    being_connected = await load_being_connected(session, new)
    found: list[tuple[int, str, Camera]] = []
    for camera_id, rows in versions.items():
        made = _camera(camera_id, rows, register, planned, period)
        if made is not None and (place := position.get(str(made.facility.id))) is not None:
            if spans := being_connected.get(camera_id):
                made = made._replace(pieces=exclude_being_connected(made.pieces, spans), being_connected=spans)
            found.append((place, made.code, made))
    found.sort(key=itemgetter(0, 1))
    return [made for _, _, made in found]


def _is_new(camera_id: str, rows: Sequence[Segment[CameraVersion]], planned: Planned, period: Period) -> bool:
    """Whether its first planned delivery may be so late that it is being connected within the period, or after it."""
    start, _, first = rows[0]
    if start <= period.start - MOST and planned.names(camera_id, first.revision):
        return False
    return any(planned.names(camera_id, one.value.revision) for one in rows)


def _camera(
    camera_id: str, rows: Sequence[Segment[CameraVersion]], register: Register, planned: Planned, period: Period
) -> Camera | None:
    """None for a camera that never stood at a facility asked for, or whose facility is not known yet."""

    start, end, only = rows[0]
    stood = register.facilities.get(only.facility_id)
    if (
        len(rows) == 1
        and start <= period.start
        and end >= period.end
        and not register.changes
        and stood is not None
        and len(stood) == 1
        and only.known
    ):
        place = stood[0].value
        deliveries = planned.of(camera_id, only.revision, period.start)
        piece = Piece(place.facility, absence(only, place, register), deliveries)
        whole = (Segment(period.start, period.end, piece),)
        if piece.elsewhere:
            return None
        return Camera(camera_id, only.code, only.name, place.facility, deliveries, whole, only.shared_device_reason)

    def delivered(version: CameraVersion, at: Millis) -> tuple[Delivery, ...]:
        return planned.of(camera_id, version.revision, at)

    made = pieces(period, rows, register, delivered)
    # Before it existed and after its removal it is where it stood first and last, as that place was then.
    here = [one.value for one in made if not one.value.elsewhere]
    if not here or not any(one.start < period.end and one.end > period.start for one in rows if not one.value.removed):
        return None
    last = [one.value for one in rows if not one.value.removed and one.start < period.end][-1]
    there = [one for one in here if one.absence is None or one.absence.reason not in GONE]
    facility = (there or here)[-1].facility
    return Camera(camera_id, last.code, last.name, facility, deliveries_of(made), made, last.shared_device_reason)


async def _camera_versions(
    session: AsyncSession, within: Places, only: Sequence[UUID] | None
) -> dict[str, list[Segment[CameraVersion]]]:
    condition = _touching(camera, within.period)
    if only is not None:
        condition = and_(condition, camera.c.id == any_(ids(only)))
    if len(within.facilities) <= MANY:
        stood = select(camera.c.id).where(camera.c.facility_id == any_(ids(one.id for one in within.facilities)))
        condition = and_(condition, camera.c.id.in_(stood))
    statement = (
        select(
            camera.c.id.cast(Text),
            _ms(camera.c.valid_from).label("start"),
            _ms(camera.c.valid_to).label("end"),
            camera.c.revision,
            camera.c.code,
            camera.c.name,
            camera.c.facility_id.cast(Text).label("facility"),
            camera.c.enabled,
            camera.c.removed,
            camera.c.decided_by,
            camera.c.decided_why,
            camera.c.shared_device_reason,
            _ms(camera.c.changed_at).label("changed"),
            _ms(camera.c.unknown_from).label("unknown_from"),
            camera.c.read_until.is_not(None).label("numbered"),
        )
        .where(condition)
        .order_by(camera.c.id, camera.c.revision)
    )
    found: dict[str, list[Segment[CameraVersion]]] = {}
    for id_, start, end, *fields, changed, unknown_from, numbered in await columns_of(session, statement):
        if end is None:
            end = FOREVER
        if end <= start:
            continue
        version = CameraVersion(*fields)
        known = found.setdefault(id_, [])
        if not numbered and start < changed < end and not version.enabled and version.revision > 1:
            # As an earlier release accounted what never came here: it excuses nothing.
            known.append(Segment(start, changed, version._replace(enabled=True, by=None, why=None)))
            start = changed
        if unknown_from is None and start >= changed:
            known.append(Segment(start, end, version))
            continue
        held = Segment(start, end, version.revision)
        for since, until, sure in stretches(held, changed if numbered else None, unknown_from):
            known.append(Segment(since, until, version._replace(known=sure)))
    return {key: rows for key, rows in found.items() if not rows[0].value.removed}


async def camera_by_id(session: AsyncSession, camera_id: UUID, period: Period) -> Camera | None:
    """One camera with its dated plan; None when it did not exist in the period, or is not known here."""
    within = await places(session, Scope(), period)
    condition = and_(_touching(camera, period), camera.c.id == camera_id)
    if (await session.execute(select(camera.c.id).where(condition))).first() is None:
        return None
    stood = select(camera.c.facility_id).where(camera.c.id == camera_id)
    here = {row for row in (await session.execute(stood)).scalars() if row is not None}
    narrowed = within._replace(facilities=[one for one in within.facilities if one.id in here])
    return next((one for one in await cameras(session, narrowed) if one.id == str(camera_id)), None)


async def camera_of(session: AsyncSession, delivery_id: UUID) -> UUID | None:
    """Find the camera of a delivery that is known, of whatever time."""
    found: UUID | None = (
        (await session.execute(select(delivery.c.camera_id).where(delivery.c.id == delivery_id))).scalars().first()
    )
    return found


async def camera_known(session: AsyncSession, camera_id: UUID) -> bool:
    return (await session.execute(select(camera.c.id).where(camera.c.id == camera_id))).first() is not None
