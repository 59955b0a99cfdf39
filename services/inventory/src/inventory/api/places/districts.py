"""/v1/districts: district-level units, each with its validity in time."""

from datetime import date
from http import HTTPStatus
from typing import TypedDict
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, with_config
from sqlalchemy import select

from inventory.api.context import Adder, Changer, Context, Reader, Remover, Shown, merged
from inventory.api.pages import DEFAULT_LIMIT, Cursor, Limit, PageOf, Search, as_page
from inventory.domain.fields import Code, Line, Name
from inventory.domain.places.district import DistrictFields
from inventory.storage.lists import fetch_page, matches_search
from inventory.storage.references import refuse_while_referred
from inventory.storage.tables import District, Facility

router = APIRouter(prefix="/v1/districts", tags=["districts"])


@with_config(ConfigDict(extra="forbid"))
class DistrictPatch(TypedDict, total=False):
    code: Code
    name: Name
    valid_from: date | None
    valid_to: date | None
    legal_basis: Line | None


class DistrictShown(Shown):
    code: str
    name: str
    valid_from: date | None
    valid_to: date | None
    legal_basis: str | None


@router.post("", status_code=HTTPStatus.CREATED, summary="Add a district")
async def add_district(body: DistrictFields, context: Context, caller: Adder) -> DistrictShown:
    """409 when the code is taken."""
    async with context.write_transaction(caller) as transaction:
        district = District(**body.model_dump())
        await transaction.add_thing(district)
    return context.answer_with(DistrictShown, district)


@router.get("", summary="List districts by code")
async def list_districts(
    context: Context,
    _caller: Reader,
    q: Search = None,
    code: str | None = None,
    valid_on: date | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> PageOf[DistrictShown]:
    """All filters must match."""
    query = select(District)
    if q is not None:
        query = query.where(matches_search(District.search, q))
    if code is not None:
        query = query.where(District.code == code)
    if valid_on is not None:
        query = query.where(District.valid_from.is_(None) | (District.valid_from <= valid_on))
        query = query.where(District.valid_to.is_(None) | (District.valid_to >= valid_on))
    async with context.read_transaction() as session:
        return as_page(DistrictShown, await fetch_page(session, query, District.code, cursor=cursor, limit=limit))


@router.get("/{district_id}", summary="One district")
async def get_district(district_id: UUID, context: Context, _caller: Reader) -> DistrictShown:
    """The ETag is its revision."""
    return await context.read_thing(DistrictShown, District, district_id)


@router.patch("/{district_id}", summary="Change a district")
async def change_district(district_id: UUID, body: DistrictPatch, context: Context, caller: Changer) -> DistrictShown:
    """Only the fields given are changed; If-Match guards against lost updates."""
    async with context.write_transaction(caller) as transaction:
        district = await transaction.get_thing(District, district_id)
        context.check_if_match(district)
        await transaction.change_thing(district, merged(DistrictFields, district, body).model_dump())
    return context.answer_with(DistrictShown, district)


@router.delete("/{district_id}", status_code=HTTPStatus.NO_CONTENT, summary="Remove a district")
async def remove_district(district_id: UUID, context: Context, caller: Remover) -> None:
    """409 while facilities refer to it."""
    async with context.write_transaction(caller) as transaction:
        district = await transaction.get_thing(District, district_id)
        context.check_if_match(district)
        await refuse_while_referred(
            transaction.session, "facilities", select(Facility.code).where(Facility.district_id == district_id)
        )
        await transaction.remove_thing(district)
