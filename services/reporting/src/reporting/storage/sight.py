"""Which facilities a caller sees: by the newest that is known of each, whatever time is asked about.

A facility that was made restricted is hidden with its past, and one that changed hands is seen by the agency that has
it.
"""

from uuid import UUID

from sqlalchemy import not_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.mandate import units
from reporting.storage.mandate.tables import register_record
from reporting.storage.tables import camera, delivery, facility
from vonggac.auth import Place, Sight
from vonggac.auth.succession import UnitLinks, units_around


async def visible_facilities(session: AsyncSession, sight: Sight) -> frozenset[UUID] | None:
    """None: all of them, also those of which nothing but the id is known."""
    if sight.is_everything:
        return None
    newest = (
        select(facility.c.id, facility.c.managing_agency_id, facility.c.unit_id, facility.c.restricted)
        .ext(distinct_on(facility.c.id))
        .where(not_(facility.c.removed))
        .order_by(facility.c.id, facility.c.revision.desc())
    )
    rows = (await session.execute(newest)).all()
    known = await _units(session) if sight.scope is not None and sight.scope.units else {}
    places = (
        Place(row.id, row.managing_agency_id, units_around(row.unit_id, known), bool(row.restricted)) for row in rows
    )
    return frozenset(place.facility_id for place in places if sight.shows(place))


async def sees_camera(session: AsyncSession, sight: Sight, camera_id: UUID | None) -> bool:
    """Whether the caller sees a camera, by the facility where it stands or stood last."""
    visible = await visible_facilities(session, sight)
    if visible is None:
        return True
    stood = select(camera.c.facility_id).where(camera.c.id == camera_id, camera.c.facility_id.is_not(None))
    return await session.scalar(stood.order_by(camera.c.revision.desc()).limit(1)) in visible


async def sees_delivery(session: AsyncSession, sight: Sight, delivery_id: UUID) -> bool:
    """As `sees_camera`, of the camera of a delivery."""
    if sight.is_everything:
        return True
    of = select(delivery.c.camera_id).where(delivery.c.id == delivery_id).limit(1)
    return await sees_camera(session, sight, await session.scalar(of))


async def _units(session: AsyncSession) -> dict[UUID, UnitLinks]:
    rows = await session.execute(
        select(register_record.c.id, register_record.c.state).where(
            register_record.c.noun == "unit", not_(register_record.c.removed), register_record.c.valid_to.is_(None)
        )
    )
    return {row.id: units.links(row.state) for row in rows}
