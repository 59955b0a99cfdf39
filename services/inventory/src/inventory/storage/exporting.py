"""Queries of the exports, in the columns of the imports, some hundreds of rows at a time."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Float, Integer, Label, String, cast, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.devices.destination import NO_DESTINATION
from inventory.importing.cameras import SURVEYED, TRUST
from inventory.importing.facilities import FACTS, PERSON
from inventory.storage.tables import Agency, Camera, Delivery, Destination, Facility, FocalPoint, Unit

CHUNK = 500


async def exported_facilities(session: AsyncSession, today: date) -> AsyncIterator[dict[str, Any]]:
    """Facilities by code, each with the focal point in office on `today`."""
    query = (
        select(Facility, Unit.code, Agency.code)
        .join(Unit, Unit.id == Facility.unit_id)
        .join(Agency, Agency.id == Facility.managing_agency_id)
        .order_by(Facility.code)
    )
    async for rows in (await session.stream(query)).partitions(CHUNK):
        people = await _focal_points_in_office(session, [facility.id for facility, _, _ in rows], today)
        for facility, unit_code, agency_code in rows:
            person = people.get(facility.id)
            yield {
                **{name: getattr(facility, name) for name in FACTS},
                "unit_code": unit_code,
                "managing_agency_code": agency_code,
                **{column: getattr(person, field, None) for field, column in PERSON.items()},
            }


async def _focal_points_in_office(
    session: AsyncSession, facilities: Sequence[UUID], today: date
) -> dict[UUID, FocalPoint]:
    query = select(FocalPoint).where(FocalPoint.facility_id.in_(facilities), FocalPoint.valid_from <= today)
    query = query.where(FocalPoint.valid_to.is_(None) | (FocalPoint.valid_to >= today))
    people = (await session.scalars(query.order_by(FocalPoint.valid_from, FocalPoint.created_at))).all()
    return {person.facility_id: person for person in people}


def _surveyed(name: str) -> Label[Any]:
    """A surveyed field; numbers keep their type, so that the file's decimal sign applies."""
    stored = Camera.expected[name]
    numbers = {"width": Integer, "height": Integer, "fps": Float}
    return cast(stored.astext, numbers.get(name, String)).label(name)


async def exported_cameras(session: AsyncSession) -> AsyncIterator[dict[str, Any]]:
    """Cameras by code, without credentials."""
    codes = func.string_agg(Destination.code, aggregate_order_by(literal(" "), Destination.code))
    delivered = (
        select(codes)
        .join(Delivery, Delivery.destination_id == Destination.id)
        .where(Delivery.camera_id == Camera.id)
        .scalar_subquery()
    )
    columns = (
        Camera.code, Camera.name, Camera.url, Camera.area, Camera.probe_interval_s, Camera.transport,
        *(_surveyed(name) for name in SURVEYED),
        *(Camera.tls[name].astext.label(column) for name, column in TRUST.items()),
    )  # fmt: skip
    query = select(*columns, Facility.code.label("facility_code"), delivered.label("destinations"))
    query = query.join(Facility, Facility.id == Camera.facility_id).order_by(Camera.code)
    async for rows in (await session.stream(query)).mappings().partitions(CHUNK):
        for row in rows:
            yield {**row, "destinations": row["destinations"] or NO_DESTINATION}
