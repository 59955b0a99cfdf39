"""/v1/districts: district-level units, each with its validity in time."""

from datetime import date
from http import HTTPStatus
from typing import TypedDict
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, with_config
from sqlalchemy import select

from inventory.api.context import Adder, Changer, Edged, Reader, Remover, Shown, merged
from inventory.api.pages import DEFAULT_LIMIT, Cursor, Limit, PageOf, Search, as_page
from inventory.domain.administration import DistrictFields
from inventory.domain.fields import Code, Line, Name
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
async def add_district(body: DistrictFields, edge: Edged, caller: Adder) -> DistrictShown:
    """409 when the code is taken."""
    async with edge.write_transaction(caller) as writing:
        district = District(**body.model_dump())
        await writing.add_thing(district)
    return edge.answer_with(DistrictShown, district)


@router.get("", summary="List districts by code")
async def list_districts(
    edge: Edged,
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
    async with edge.read_transaction() as session:
        return as_page(DistrictShown, await fetch_page(session, query, District.code, cursor=cursor, limit=limit))


@router.get("/{district_id}", summary="One district")
async def get_district(district_id: UUID, edge: Edged, _caller: Reader) -> DistrictShown:
    """The ETag is its revision."""
    return await edge.read_thing(DistrictShown, District, district_id)


@router.patch("/{district_id}", summary="Change a district")
async def change_district(district_id: UUID, body: DistrictPatch, edge: Edged, caller: Changer) -> DistrictShown:
    """Only the fields given are changed; If-Match guards against lost updates."""
    async with edge.write_transaction(caller) as writing:
        district = await writing.get_thing(District, district_id)
        edge.check_if_match(district)
        await writing.change_thing(district, merged(DistrictFields, district, body).model_dump())
    return edge.answer_with(DistrictShown, district)


@router.delete("/{district_id}", status_code=HTTPStatus.NO_CONTENT, summary="Remove a district")
async def remove_district(district_id: UUID, edge: Edged, caller: Remover) -> None:
    """409 while facilities refer to it."""
    async with edge.write_transaction(caller) as writing:
        district = await writing.get_thing(District, district_id)
        edge.check_if_match(district)
        await refuse_while_referred(
            writing.session, "facilities", select(Facility.code).where(Facility.district_id == district_id)
        )
        await writing.remove_thing(district)
