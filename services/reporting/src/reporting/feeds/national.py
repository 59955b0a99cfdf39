"""The national list: facilities with their cameras, how each reaches both centres, and how much of a period it did.

From the same accounts as every report. Only the facilities of one page are accounted.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.scope import Facility
from reporting.reports.accounts import CameraAccount, Question, accounts
from reporting.storage import plan
from reporting.storage.plan import Places


class Listed(NamedTuple):
    """A facility with the accounts of the cameras that stood there last in the period, by code."""

    facility: Facility
    counted: bool
    cameras: tuple[CameraAccount, ...]


async def listed(session: AsyncSession, question: Question, places: Places, page: Sequence[Facility]) -> list[Listed]:
    """List the facilities of one page, in its order. `places`: those of the whole list."""
    if not page:
        return []
    cameras = await plan.cameras(session, places._replace(facilities=list(page)))
    by_facility: dict[UUID, list[CameraAccount]] = {}

    def keep(portion: list[CameraAccount]) -> list[CameraAccount]:
        return portion

    async for portion in accounts(session, question, cameras, keep):
        for one in portion:
            by_facility.setdefault(one.camera.facility.id, []).append(one)
    return [Listed(one, one.id in places.counted, tuple(by_facility.get(one.id, ()))) for one in page]
