"""/v1/units: administrative units, each with its validity in time."""

from datetime import date
from http import HTTPStatus
from typing import Any, TypedDict
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, with_config
from sqlalchemy import select

from inventory.api.context import Adder, Changer, Context, Reader, Remover, Shown, merged, must_exist, refuse_as_422
from inventory.api.pages import DEFAULT_LIMIT, Cursor, Limit, PageOf, Search, as_page
from inventory.domain.fields import Code, Line, Name
from inventory.domain.places.unit import Succession, UnitFields, check_parent
from inventory.storage.conflicts import unknown_reference
from inventory.storage.lists import fetch_page, matches_search
from inventory.storage.references import refuse_while_referred
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Facility, Unit
from vonggac.events.inventory import UnitLevel

router = APIRouter(prefix="/v1/units", tags=["units"])


@with_config(ConfigDict(extra="forbid"))
class UnitPatch(TypedDict, total=False):
    code: Code
    name: Name
    level: UnitLevel
    parent_id: UUID | None
    valid_from: date | None
    valid_to: date | None
    legal_basis: Line | None
    succeeds: tuple[Succession, ...]


class UnitShown(Shown):
    code: str
    name: str
    level: UnitLevel
    parent_id: UUID | None
    valid_from: date | None
    valid_to: date | None
    legal_basis: str | None
    succeeds: list[Succession]


@router.post("", status_code=HTTPStatus.CREATED, summary="Add a unit")
async def add_unit(body: UnitFields, context: Context, caller: Adder) -> UnitShown:
    """409 when another unit of the level has the code on a day of its period, 422 when its parent does not fit."""
    async with context.write_transaction(caller) as transaction:
        await _check_references(transaction, body)
        unit = Unit(**_columns(body))
        await transaction.add_thing(unit)
    return context.answer_with(UnitShown, unit)


@router.get("", summary="List units by code")
async def list_units(
    context: Context,
    _caller: Reader,
    q: Search = None,
    code: str | None = None,
    level: UnitLevel | None = None,
    parent_id: UUID | None = None,
    valid_on: date | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> PageOf[UnitShown]:
    """All filters must match."""
    query = select(Unit)
    if q is not None:
        query = query.where(matches_search(Unit.search, q))
    if code is not None:
        query = query.where(Unit.code == code)
    if level is not None:
        query = query.where(Unit.level == level)
    if parent_id is not None:
        query = query.where(Unit.parent_id == parent_id)
    if valid_on is not None:
        query = query.where(Unit.valid_from.is_(None) | (Unit.valid_from <= valid_on))
        query = query.where(Unit.valid_to.is_(None) | (Unit.valid_to >= valid_on))
    async with context.read_transaction() as session:
        return as_page(UnitShown, await fetch_page(session, query, Unit.code, cursor=cursor, limit=limit))


@router.get("/{unit_id}", summary="One unit")
async def get_unit(unit_id: UUID, context: Context, _caller: Reader) -> UnitShown:
    """The ETag is its revision."""
    return await context.read_thing(UnitShown, Unit, unit_id)


@router.patch("/{unit_id}", summary="Change a unit")
async def change_unit(unit_id: UUID, body: UnitPatch, context: Context, caller: Changer) -> UnitShown:
    """Only the fields given are changed; If-Match guards against lost updates."""
    async with context.write_transaction(caller) as transaction:
        unit = await transaction.get_thing(Unit, unit_id)
        context.check_if_match(unit)
        fields = merged(UnitFields, unit, body)
        await _check_references(transaction, fields)
        await transaction.change_thing(unit, _columns(fields))
    return context.answer_with(UnitShown, unit)


@router.delete("/{unit_id}", status_code=HTTPStatus.NO_CONTENT, summary="Remove a unit")
async def remove_unit(unit_id: UUID, context: Context, caller: Remover) -> None:
    """409 while facilities or units refer to it."""
    async with context.write_transaction(caller) as transaction:
        unit = await transaction.get_thing(Unit, unit_id)
        context.check_if_match(unit)
        await refuse_while_referred(
            transaction.session, "facilities", select(Facility.code).where(Facility.unit_id == unit_id)
        )
        await refuse_while_referred(transaction.session, "units", select(Unit.code).where(Unit.parent_id == unit_id))
        await transaction.remove_thing(unit)


async def _check_references(transaction: WriteTransaction, fields: UnitFields) -> None:
    for earlier in fields.succeeds:
        await must_exist(transaction, "succeeds", Unit, earlier.unit_id)
    if fields.parent_id is None:
        return
    parent = await transaction.session.get(Unit, fields.parent_id)
    if parent is None:
        raise unknown_reference("parent_id", "unit")
    with refuse_as_422("parent_id"):
        check_parent(fields.level, fields, parent.level, parent)


def _columns(fields: UnitFields) -> dict[str, Any]:
    return fields.model_dump() | {"succeeds": [one.model_dump(mode="json") for one in fields.succeeds]}
