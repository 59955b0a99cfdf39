"""/v1/facilities/{id}/sufficiency: whether a facility has enough cameras, and what it lacks (R07)."""

from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select

from inventory.api.context import Context
from inventory.api.nouns.clocks import AsOf, ValidOn
from inventory.api.nouns.derived import read_item
from inventory.domain.places.areas import Area
from inventory.storage.queries.clocks import read_one_instant
from inventory.storage.tables import HISTORY, Camera, Coverage, Facility
from vonggac.auth import guarded_router
from vonggac.sufficiency import Assessed, decide_sufficiency

router = guarded_router(prefix="/v1/facilities", tags=["facilities"])


class SufficiencyResponse(BaseModel):
    """Whether every area that the facility has to watch is covered or does not apply."""

    facility_id: UUID
    sufficient: bool | None = Field(description="null: no area was found uncovered, and some are not assessed.")
    missing: list[Area] = Field(description="Areas without a camera; unassessed ones too.")
    unassessed: list[Area] = Field(description="Of the missing ones, those that nobody has judged.")
    cameras_needed: int = Field(description="Cameras still to be installed in the areas that were found uncovered.")


@router.get("/{thing_id}/sufficiency", summary="Whether a facility has enough cameras")
async def get_sufficiency(
    thing_id: UUID, context: Context, as_of: AsOf = None, valid_on: ValidOn = None
) -> SufficiencyResponse:
    """Judge areas by the approved survey, above it by a coverage that somebody writes later. An area that nobody judged
    is covered by an enabled camera, else not assessed; one that was found covered needs its camera."""
    recorded = context.recorded(as_of, valid_on)
    cameras, coverages, history = recorded.in_force(Camera), recorded.in_force(Coverage), HISTORY[Camera]
    async with context.read_transaction() as session:
        await read_one_instant(session)
        await read_item(session, Facility, recorded, thing_id)
        verdicts = await session.execute(select(coverages).where(coverages.c.facility_id == thing_id))
        assessed = {one.area: Assessed(one.verdict, one.cameras_needed) for one in verdicts}
        watched = select(cameras.c.area).where(cameras.c.facility_id == thing_id, cameras.c.enabled.is_(True))
        areas = {area for area in await session.scalars(watched) if area is not None}
        once = select(history.c.area).where(history.c.facility_id == thing_id, history.c.enabled.is_(True))
        if as_of is not None:
            once = once.where(history.c.recorded_from <= as_of)
        once_watched = {area for area in await session.scalars(once.distinct()) if area is not None}
    found = decide_sufficiency(assessed, areas, once_watched)
    return SufficiencyResponse(
        facility_id=thing_id,
        sufficient=found.sufficient,
        missing=[Area(one) for one in found.missing],
        unassessed=[Area(one) for one in found.unassessed],
        cameras_needed=found.cameras_needed,
    )
