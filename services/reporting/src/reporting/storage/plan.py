"""What should be: cameras in scope with their facility, district, agency and planned deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.tables import agency, camera, delivery, delivery_proof, destination, district, facility
from vonggac.events.inventory import FacilityStatus

NOT_COUNTED = (FacilityStatus.PLANNED.value, FacilityStatus.CLOSED.value)
"""The denominator leaves these facilities out (mandate 1.5)."""


class Named(NamedTuple):
    """A thing of the inventory. Code and name are None while only its id is known here."""

    id: UUID
    code: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Facility:
    id: UUID
    code: str
    name: str
    type: str
    restricted: bool
    district: Named
    agency: Named


@dataclass(frozen=True, slots=True)
class Delivery:
    """`role` is None while the destination is not known here yet, `verified_at` where no read-back ever matched."""

    id: UUID
    destination: Named
    role: str | None
    required_proof: str
    enabled: bool
    verified_at: datetime | None = None
    delay_s: float | None = None


@dataclass(frozen=True, slots=True)
class Camera:
    id: UUID
    code: str
    name: str
    facility: Facility
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which facilities are asked for; None is all."""

    district_id: UUID | None = None
    agency_id: UUID | None = None
    facility_id: UUID | None = None
    type: str | None = None

    def condition(self) -> ColumnElement[bool]:
        wanted = [true(), facility.c.status.not_in(NOT_COUNTED)]
        if self.district_id is not None:
            wanted.append(facility.c.district_id == self.district_id)
        if self.agency_id is not None:
            wanted.append(facility.c.managing_agency_id == self.agency_id)
        if self.facility_id is not None:
            wanted.append(facility.c.id == self.facility_id)
        if self.type is not None:
            wanted.append(facility.c.type == self.type)
        return and_(*wanted)


async def facilities(session: AsyncSession, scope: Scope) -> list[Facility]:
    """Facilities of the scope that count, in the order of the reports: district, code."""
    rows = await session.execute(_facilities().where(scope.condition()))
    return [
        Facility(
            id=row.id,
            code=row.code,
            name=row.name,
            type=row.type,
            restricted=row.restricted,
            district=Named(row.district_id, row.district_code, row.district_name),
            agency=Named(row.managing_agency_id, row.agency_code, row.agency_name),
        )
        for row in rows
    ]


async def cameras(session: AsyncSession, within: Sequence[Facility]) -> list[Camera]:
    """Enabled cameras of those facilities, ordered by facility as given, then code."""
    by_id = {one.id: (position, one) for position, one in enumerate(within)}
    rows = await session.execute(
        select(camera.c.id, camera.c.code, camera.c.name, camera.c.facility_id).where(
            camera.c.enabled,
            camera.c.facility_id.in_(select(facility.c.id).where(facility.c.status.not_in(NOT_COUNTED))),
        )
    )
    wanted = [row for row in rows if row.facility_id in by_id]
    wanted.sort(key=lambda row: (by_id[row.facility_id][0], row.code))
    planned = await _deliveries(session, None if len(wanted) > MANY else [row.id for row in wanted])
    return [
        Camera(row.id, row.code, row.name, by_id[row.facility_id][1], tuple(planned.get(row.id, ()))) for row in wanted
    ]


MANY = 1000
"""Above so many cameras, reading every delivery is cheaper than naming the cameras."""


async def _deliveries(session: AsyncSession, camera_ids: Sequence[UUID] | None) -> dict[UUID, list[Delivery]]:
    statement = (
        select(
            delivery.c.id,
            delivery.c.camera_id,
            delivery.c.destination_id,
            delivery.c.destination_code,
            delivery.c.required_proof,
            delivery.c.enabled,
            destination.c.code,
            destination.c.name,
            destination.c.role,
            destination.c.required_proof.label("demanded"),
            destination.c.enabled.label("destination_enabled"),
            delivery_proof.c.verified_at,
            delivery_proof.c.delay_s,
        )
        .outerjoin(destination, destination.c.id == delivery.c.destination_id)
        .outerjoin(delivery_proof, delivery_proof.c.delivery_id == delivery.c.id)
        .order_by(delivery.c.camera_id, destination.c.role, delivery.c.destination_code, delivery.c.id)
    )
    if camera_ids is not None:
        statement = statement.where(delivery.c.camera_id.in_(camera_ids))
    found: dict[UUID, list[Delivery]] = {}
    known: dict[UUID, Named] = {}
    for row in await session.execute(statement):
        if row.destination_id not in known:
            known[row.destination_id] = Named(row.destination_id, row.code or row.destination_code, row.name)
        found.setdefault(row.camera_id, []).append(
            Delivery(
                id=row.id,
                destination=known[row.destination_id],
                role=row.role,
                required_proof=row.demanded or row.required_proof,
                enabled=row.enabled and row.destination_enabled is not False,
                verified_at=row.verified_at,
                delay_s=row.delay_s,
            )
        )
    return found


def _facilities() -> Select[tuple[object, ...]]:
    return (
        select(
            facility,
            district.c.code.label("district_code"),
            district.c.name.label("district_name"),
            agency.c.code.label("agency_code"),
            agency.c.name.label("agency_name"),
        )
        .outerjoin(district, district.c.id == facility.c.district_id)
        .outerjoin(agency, agency.c.id == facility.c.managing_agency_id)
        .order_by(district.c.code, facility.c.code, facility.c.id)
    )


async def find(session: AsyncSession, noun: str, given: str) -> UUID | None:
    """The id of a district, agency or facility by its code or id."""
    table = {"district": district, "agency": agency, "facility": facility}[noun]
    try:
        wanted = or_(table.c.code == given, table.c.id == UUID(given))
    except ValueError:
        wanted = table.c.code == given
    found: UUID | None = (await session.execute(select(table.c.id).where(wanted))).scalars().first()
    return found


async def facility_of(session: AsyncSession, camera_id: UUID) -> UUID | None:
    """The facility of a camera that is known, enabled or not."""
    found: UUID | None = (
        (await session.execute(select(camera.c.facility_id).where(camera.c.id == camera_id))).scalars().first()
    )
    return found


async def delivery_known(session: AsyncSession, delivery_id: UUID) -> bool:
    return (await session.execute(select(delivery.c.id).where(delivery.c.id == delivery_id))).first() is not None
