"""The facilities as the rules of the mandate see them: with the units above theirs, and whether they have cameras."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.mandate.obligation import FacilityView
from inventory.storage.queries.lists import Recorded
from inventory.storage.tables import Camera, Facility, Unit


async def facility_views(session: AsyncSession, recorded: Recorded) -> Sequence[FacilityView]:
    """All facilities, by code."""
    facilities, units, cameras = recorded(Facility), recorded(Unit), recorded(Camera)
    above: dict[UUID, UUID | None] = {
        row.id: row.parent_id for row in await session.execute(select(units.c.id, units.c.parent_id))
    }
    with_cameras = set((await session.scalars(select(cameras.c.facility_id).distinct())).all())
    columns = (facilities.c[name] for name in ("id", "type", "status", "managing_agency_id", "unit_id"))
    rows = await session.execute(select(*columns).order_by(facilities.c.code))
    return [
        FacilityView(
            row.id,
            row.type,
            row.status,
            row.managing_agency_id,
            frozenset(_upward(row.unit_id, above)),
            has_cameras=row.id in with_cameras,
        )
        for row in rows
    ]


def _upward(unit_id: UUID, above: Mapping[UUID, UUID | None]) -> Iterator[UUID]:
    seen: set[UUID] = set()
    current: UUID | None = unit_id
    while current is not None and current not in seen:
        seen.add(current)
        yield current
        current = above.get(current)
