"""/v1/agencies: the agencies of the mandate, each with its role."""

from datetime import date
from http import HTTPStatus
from typing import TypedDict
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, with_config
from sqlalchemy import select

from inventory.api.context import Adder, Changer, Context, Reader, Remover, Shown, merged
from inventory.api.pages import DEFAULT_LIMIT, Cursor, Limit, PageOf, Search, as_page
from inventory.domain.fields import Code, Name
from inventory.domain.people.agency import AgencyFields
from inventory.storage.lists import fetch_page, matches_search
from inventory.storage.references import refuse_while_referred
from inventory.storage.tables import Agency, Facility
from vonggac.events.inventory import AgencyRole

router = APIRouter(prefix="/v1/agencies", tags=["agencies"])


@with_config(ConfigDict(extra="forbid"))
class AgencyPatch(TypedDict, total=False):
    code: Code
    name: Name
    role: AgencyRole
    valid_from: date | None
    valid_to: date | None


class AgencyShown(Shown):
    code: str
    name: str
    role: AgencyRole
    valid_from: date | None
    valid_to: date | None


@router.post("", status_code=HTTPStatus.CREATED, summary="Add an agency")
async def add_agency(body: AgencyFields, context: Context, caller: Adder) -> AgencyShown:
    """409 when the code is taken."""
    async with context.write_transaction(caller) as transaction:
        agency = Agency(**body.model_dump())
        await transaction.add_thing(agency)
    return context.answer_with(AgencyShown, agency)


@router.get("", summary="List agencies by code")
async def list_agencies(
    context: Context,
    _caller: Reader,
    q: Search = None,
    code: str | None = None,
    role: AgencyRole | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> PageOf[AgencyShown]:
    """All filters must match."""
    query = select(Agency)
    if q is not None:
        query = query.where(matches_search(Agency.search, q))
    if code is not None:
        query = query.where(Agency.code == code)
    if role is not None:
        query = query.where(Agency.role == role)
    async with context.read_transaction() as session:
        return as_page(AgencyShown, await fetch_page(session, query, Agency.code, cursor=cursor, limit=limit))


@router.get("/{agency_id}", summary="One agency")
async def get_agency(agency_id: UUID, context: Context, _caller: Reader) -> AgencyShown:
    """The ETag is its revision."""
    return await context.read_thing(AgencyShown, Agency, agency_id)


@router.patch("/{agency_id}", summary="Change an agency")
async def change_agency(agency_id: UUID, body: AgencyPatch, context: Context, caller: Changer) -> AgencyShown:
    """Only the fields given are changed; If-Match guards against lost updates."""
    async with context.write_transaction(caller) as transaction:
        agency = await transaction.get_thing(Agency, agency_id)
        context.check_if_match(agency)
        await transaction.change_thing(agency, merged(AgencyFields, agency, body).model_dump())
    return context.answer_with(AgencyShown, agency)


@router.delete("/{agency_id}", status_code=HTTPStatus.NO_CONTENT, summary="Remove an agency")
async def remove_agency(agency_id: UUID, context: Context, caller: Remover) -> None:
    """409 while facilities refer to it."""
    async with context.write_transaction(caller) as transaction:
        agency = await transaction.get_thing(Agency, agency_id)
        context.check_if_match(agency)
        await refuse_while_referred(
            transaction.session, "facilities", select(Facility.code).where(Facility.managing_agency_id == agency_id)
        )
        await transaction.remove_thing(agency)
