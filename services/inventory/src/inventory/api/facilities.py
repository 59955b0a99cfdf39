"""/v1/facilities: the quarantine facilities (R23)."""

from datetime import date
from http import HTTPStatus
from typing import Annotated, TypedDict
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, with_config
from sqlalchemy import Select, select

from inventory.api.context import Adder, Changer, Edged, Reader, Reason, Remover, Shown, merged, must_exist
from inventory.api.pages import DEFAULT_LIMIT, Cursor, Limit, PageOf, Search, as_page
from inventory.domain.facility import FacilityFields
from inventory.domain.fields import Code, Line, Name
from inventory.storage.lists import fetch_page, matches_search
from inventory.storage.references import refuse_while_referred
from inventory.storage.store import Writing
from inventory.storage.tables import Agency, Camera, District, Facility, FocalPoint
from vonggac.events.inventory import FacilityStatus, FacilityType

router = APIRouter(prefix="/v1/facilities", tags=["facilities"])


@with_config(ConfigDict(extra="forbid"))
class FacilityPatch(TypedDict, total=False):
    code: Code
    name: Name
    type: FacilityType
    status: FacilityStatus
    district_id: UUID
    managing_agency_id: UUID
    address: Line | None
    beds: int | None
    decision_number: Name | None
    decision_date: date | None
    latitude: float | None
    longitude: float | None
    restricted: bool


class FacilityShown(Shown):
    code: str
    name: str
    type: FacilityType
    status: FacilityStatus
    district_id: UUID
    managing_agency_id: UUID
    address: str | None
    beds: int | None
    decision_number: str | None
    decision_date: date | None
    latitude: float | None
    longitude: float | None
    restricted: bool


class FacilityFilter(BaseModel):
    """Query parameters of the list; all that are given must match."""

    code: str | None = None
    type: FacilityType | None = None
    status: FacilityStatus | None = None
    district_id: UUID | None = None
    managing_agency_id: UUID | None = None
    restricted: bool | None = None

    def narrow(self, query: Select[Facility]) -> Select[Facility]:
        for name, value in self.model_dump(exclude_none=True).items():
            query = query.where(getattr(Facility, name) == value)
        return query


@router.post("", status_code=HTTPStatus.CREATED, summary="Add a facility")
async def add_facility(body: FacilityFields, edge: Edged, caller: Adder) -> FacilityShown:
    """409 when the code is taken, 422 when its district or managing agency does not exist."""
    async with edge.write_transaction(caller) as writing:
        await _check_references(writing, body)
        facility = Facility(**body.model_dump())
        await writing.add_thing(facility)
    return edge.answer_with(FacilityShown, facility)


@router.get("", summary="List facilities by code")
async def list_facilities(
    edge: Edged,
    _caller: Reader,
    narrowed: Annotated[FacilityFilter, Depends()],
    q: Search = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> PageOf[FacilityShown]:
    """`q` searches code, name and address."""
    query = narrowed.narrow(select(Facility))
    if q is not None:
        query = query.where(matches_search(Facility.search, q))
    async with edge.read_transaction() as session:
        return as_page(FacilityShown, await fetch_page(session, query, Facility.code, cursor=cursor, limit=limit))


@router.get("/{facility_id}", summary="One facility")
async def get_facility(facility_id: UUID, edge: Edged, _caller: Reader) -> FacilityShown:
    """The ETag is its revision."""
    return await edge.read_thing(FacilityShown, Facility, facility_id)


@router.patch("/{facility_id}", summary="Change a facility")
async def change_facility(
    facility_id: UUID, body: FacilityPatch, edge: Edged, caller: Changer, reason: Reason = None
) -> FacilityShown:
    """A new code changes the addresses its cameras are published at, where a destination's template uses it.

    While it is suspended or closed, its cameras are neither probed nor forwarded.
    """
    async with edge.write_transaction(caller, reason=reason) as writing:
        facility = await writing.get_thing(Facility, facility_id)
        edge.check_if_match(facility)
        fields = merged(FacilityFields, facility, body)
        await _check_references(writing, fields)
        await writing.change_thing(facility, fields.model_dump())
    return edge.answer_with(FacilityShown, facility)


@router.delete("/{facility_id}", status_code=HTTPStatus.NO_CONTENT, summary="Remove a facility")
async def remove_facility(facility_id: UUID, edge: Edged, caller: Remover) -> None:
    """409 while cameras or focal points refer to it."""
    async with edge.write_transaction(caller) as writing:
        facility = await writing.get_thing(Facility, facility_id)
        edge.check_if_match(facility)
        session = writing.session
        await refuse_while_referred(session, "cameras", select(Camera.code).where(Camera.facility_id == facility_id))
        people = select(FocalPoint.full_name).where(FocalPoint.facility_id == facility_id)
        await refuse_while_referred(session, "focal points", people)
        await writing.remove_thing(facility)


async def _check_references(writing: Writing, fields: FacilityFields) -> None:
    await must_exist(writing, "district_id", District, fields.district_id)
    await must_exist(writing, "managing_agency_id", Agency, fields.managing_agency_id)
