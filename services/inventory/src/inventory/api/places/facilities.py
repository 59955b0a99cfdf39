"""/v1/facilities: the quarantine facilities (R23)."""

from datetime import date
from http import HTTPStatus
from typing import Annotated, TypedDict
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, with_config
from sqlalchemy import Select, select

from inventory.api.context import Adder, Changer, Context, Reader, Reason, Remover, Shown, merged, must_exist
from inventory.api.pages import DEFAULT_LIMIT, Cursor, Limit, PageOf, Search, as_page
from inventory.domain.fields import Code, Line, Name
from inventory.domain.places.facility import FacilityFields
from inventory.storage.lists import fetch_page, matches_search
from inventory.storage.references import refuse_while_referred
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Agency, Camera, Facility, FocalPoint, Unit
from vonggac.events.inventory import FacilityStatus, FacilityType

router = APIRouter(prefix="/v1/facilities", tags=["facilities"])


@with_config(ConfigDict(extra="forbid"))
class FacilityPatch(TypedDict, total=False):
    code: Code
    name: Name
    type: FacilityType
    status: FacilityStatus
    unit_id: UUID
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
    unit_id: UUID
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
    unit_id: UUID | None = None
    managing_agency_id: UUID | None = None
    restricted: bool | None = None

    def narrow(self, query: Select[Facility]) -> Select[Facility]:
        for name, value in self.model_dump(exclude_none=True).items():
            query = query.where(getattr(Facility, name) == value)
        return query


@router.post("", status_code=HTTPStatus.CREATED, summary="Add a facility")
async def add_facility(body: FacilityFields, context: Context, caller: Adder) -> FacilityShown:
    """409 when the code is taken, 422 when its unit or managing agency does not exist."""
    async with context.write_transaction(caller) as transaction:
        await _check_references(transaction, body)
        facility = Facility(**body.model_dump())
        await transaction.add_thing(facility)
    return context.answer_with(FacilityShown, facility)


@router.get("", summary="List facilities by code")
async def list_facilities(
    context: Context,
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
    async with context.read_transaction() as session:
        return as_page(FacilityShown, await fetch_page(session, query, Facility.code, cursor=cursor, limit=limit))


@router.get("/{facility_id}", summary="One facility")
async def get_facility(facility_id: UUID, context: Context, _caller: Reader) -> FacilityShown:
    """The ETag is its revision."""
    return await context.read_thing(FacilityShown, Facility, facility_id)


@router.patch("/{facility_id}", summary="Change a facility")
async def change_facility(
    facility_id: UUID, body: FacilityPatch, context: Context, caller: Changer, reason: Reason = None
) -> FacilityShown:
    """A new code changes the addresses its cameras are published at, where a destination's template uses it.

    While it is suspended or closed, its cameras are neither probed nor forwarded.
    """
    async with context.write_transaction(caller, reason=reason) as transaction:
        facility = await transaction.get_thing(Facility, facility_id)
        context.check_if_match(facility)
        fields = merged(FacilityFields, facility, body)
        await _check_references(transaction, fields)
        await transaction.change_thing(facility, fields.model_dump())
    return context.answer_with(FacilityShown, facility)


@router.delete("/{facility_id}", status_code=HTTPStatus.NO_CONTENT, summary="Remove a facility")
async def remove_facility(facility_id: UUID, context: Context, caller: Remover) -> None:
    """409 while cameras or focal points refer to it."""
    async with context.write_transaction(caller) as transaction:
        facility = await transaction.get_thing(Facility, facility_id)
        context.check_if_match(facility)
        session = transaction.session
        await refuse_while_referred(session, "cameras", select(Camera.code).where(Camera.facility_id == facility_id))
        people = select(FocalPoint.full_name).where(FocalPoint.facility_id == facility_id)
        await refuse_while_referred(session, "focal points", people)
        await transaction.remove_thing(facility)


async def _check_references(transaction: WriteTransaction, fields: FacilityFields) -> None:
    await must_exist(transaction, "unit_id", Unit, fields.unit_id)
    await must_exist(transaction, "managing_agency_id", Agency, fields.managing_agency_id)
