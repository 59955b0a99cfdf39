"""What should be: cameras in scope with their facility, district, agency and planned deliveries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import NullType

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


class Delivery(NamedTuple):
    """`role` is None while the destination is not known here yet, `verified_at` where no read-back ever matched.

    Ids of deliveries and cameras are text: there are thousands, and they are only shown and handed on.
    """

    id: str
    destination: Named
    role: str | None
    required_proof: str
    enabled: bool
    verified_at: datetime | None = None
    delay_s: float | None = None


class Camera(NamedTuple):
    id: str
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
    by_id = {str(one.id): (position, one) for position, one in enumerate(within)}
    rows = await _rows(
        session,
        select(camera.c.id.cast(Text), camera.c.code, camera.c.name, camera.c.facility_id.cast(Text)).where(
            camera.c.enabled,
            camera.c.facility_id.in_(select(facility.c.id).where(facility.c.status.not_in(NOT_COUNTED))),
        ),
    )
    wanted = [(*by_id[facility_id], code, id_, name) for id_, code, name, facility_id in rows if facility_id in by_id]
    wanted.sort(key=itemgetter(0, 2))
    planned = await _deliveries(session, None if len(wanted) > MANY else [UUID(row[3]) for row in wanted])
    return [Camera(id_, code, name, place, planned.get(id_, ())) for _, place, code, id_, name in wanted]


MANY = 1000
"""Above so many cameras, reading every delivery is cheaper than naming the cameras."""


async def _deliveries(session: AsyncSession, camera_ids: Sequence[UUID] | None) -> dict[str, tuple[Delivery, ...]]:
    statement = (
        select(
            delivery.c.camera_id.cast(Text).label("camera"),
            delivery.c.id.cast(Text),
            delivery.c.destination_id.cast(Text).label("destination"),
            delivery.c.destination_code,
            delivery.c.required_proof,
            delivery.c.enabled,
            delivery_proof.c.verified_at,
            delivery_proof.c.delay_s,
        )
        .outerjoin(destination, destination.c.id == delivery.c.destination_id)
        .outerjoin(delivery_proof, delivery_proof.c.delivery_id == delivery.c.id)
        .order_by(delivery.c.camera_id, destination.c.role, delivery.c.destination_code, delivery.c.id)
    )
    if camera_ids is not None:
        statement = statement.where(delivery.c.camera_id.in_(camera_ids))
    known = {str(row.id): row for row in await session.execute(select(destination))}
    named = {key: Named(row.id, row.code, row.name) for key, row in known.items()}
    found: dict[str, tuple[Delivery, ...]] = {}
    for camera_id, rows in groupby(await _rows(session, statement), key=itemgetter(0)):
        planned: list[Delivery] = []
        for _, id_, destination_id, code, proof, enabled, verified_at, delay_s in rows:
            to = known.get(destination_id)
            if to is None:
                name = named.setdefault(destination_id, Named(UUID(destination_id), code, None))
                planned.append(Delivery(id_, name, None, proof, enabled, verified_at, delay_s))
            else:
                name, enabled = named[destination_id], enabled and to.enabled
                planned.append(Delivery(id_, name, to.role, to.required_proof, enabled, verified_at, delay_s))
        found[camera_id] = tuple(planned)
    return found


async def _rows(session: AsyncSession, statement: Select[Any]) -> Iterable[tuple[Any, ...]]:
    """The rows of `statement`, carried over as one array per column: a row each costs more than what is in it."""
    inner = statement.subquery()
    columns = (await session.execute(select(*(func.array_agg(one, type_=NullType()) for one in inner.c)))).one()
    return zip(*(column or () for column in columns), strict=True)


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
