"""/v1/facilities/{id}/sufficiency: whether a facility has enough cameras, and what it lacks (R07)."""

from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select

from inventory.api.context import Context
from inventory.domain.places.areas import Area
from inventory.domain.places.coverage import Assessed, decide_sufficiency
from inventory.storage.queries.sight import read_thing
from inventory.storage.tables import Camera, Coverage, Facility
from vonggac.auth import guarded_router

router = guarded_router(prefix="/v1/facilities", tags=["facilities"])


class SufficiencyShown(BaseModel):
    """Whether every area that the facility has to watch is covered or does not apply."""

    facility_id: UUID
    sufficient: bool
    missing: list[Area] = Field(description="Required areas that no camera watches.")
    unassessed: list[Area] = Field(description="Of the missing ones, those that nobody has judged.")
    cameras_needed: int = Field(description="Cameras still to be installed, at least.")


@router.get("/{thing_id}/sufficiency", summary="Whether a facility has enough cameras")
async def get_sufficiency(thing_id: UUID, context: Context) -> SufficiencyShown:
    """An area is covered by an enabled camera, unless a survey found that it is not."""
    async with context.read_transaction() as session:
        await read_thing(session, Facility, thing_id)
        verdicts = await session.scalars(select(Coverage).where(Coverage.facility_id == thing_id))
        assessed = {one.area: Assessed(one.verdict, one.cameras_needed) for one in verdicts}
        watched = select(Camera.area).where(
            Camera.facility_id == thing_id, Camera.enabled.is_(True), Camera.area.is_not(None)
        )
        areas = {area for area in await session.scalars(watched) if area is not None}
    found = decide_sufficiency(assessed, areas)
    return SufficiencyShown(
        facility_id=thing_id,
        sufficient=found.sufficient,
        missing=list(found.missing),
        unassessed=list(found.unassessed),
        cameras_needed=found.cameras_needed,
    )
