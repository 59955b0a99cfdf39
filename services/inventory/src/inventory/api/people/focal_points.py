"""/v1/focal-points: the officers who answer for facilities (R17); predecessors stay on record."""

from datetime import date
from http import HTTPStatus
from typing import TypedDict
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, with_config
from sqlalchemy import select

from inventory.api.context import Adder, Changer, Context, Reader, Remover, Shown, merged, must_exist
from inventory.api.pages import DEFAULT_LIMIT, Cursor, Limit, PageOf, Search, as_page
from inventory.domain.fields import Email, Line, Name, Phone
from inventory.domain.people.focal_point import FocalPointFields
from inventory.storage.lists import fetch_page, matches_search
from inventory.storage.tables import Facility, FocalPoint

router = APIRouter(prefix="/v1/focal-points", tags=["focal points"])


@with_config(ConfigDict(extra="forbid"))
class FocalPointPatch(TypedDict, total=False):
    facility_id: UUID
    full_name: Name
    position: Name
    phone: Phone
    email: Email | None
    unit: Name | None
    valid_from: date
    valid_to: date | None
    appointment_document: Line | None


class FocalPointShown(Shown):
    facility_id: UUID
    full_name: str
    position: str
    phone: str
    email: str | None
    unit: str | None
    valid_from: date
    valid_to: date | None
    appointment_document: str | None


@router.post("", status_code=HTTPStatus.CREATED, summary="Add a focal point")
async def add_focal_point(body: FocalPointFields, context: Context, caller: Adder) -> FocalPointShown:
    """422 when the facility does not exist."""
    async with context.write_transaction(caller) as transaction:
        await must_exist(transaction, "facility_id", Facility, body.facility_id)
        focal_point = FocalPoint(**body.model_dump())
        await transaction.add_thing(focal_point)
    return context.answer_with(FocalPointShown, focal_point)


@router.get("", summary="List focal points")
async def list_focal_points(
    context: Context,
    _caller: Reader,
    q: Search = None,
    facility_id: UUID | None = None,
    valid_on: date | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> PageOf[FocalPointShown]:
    """`valid_on` selects those in office on that day; without it, the list includes predecessors."""
    query = select(FocalPoint)
    if q is not None:
        query = query.where(matches_search(FocalPoint.search, q))
    if facility_id is not None:
        query = query.where(FocalPoint.facility_id == facility_id)
    if valid_on is not None:
        query = query.where(FocalPoint.valid_from <= valid_on)
        query = query.where(FocalPoint.valid_to.is_(None) | (FocalPoint.valid_to >= valid_on))
    async with context.read_transaction() as session:
        return as_page(FocalPointShown, await fetch_page(session, query, FocalPoint.id, cursor=cursor, limit=limit))


@router.get("/{focal_point_id}", summary="One focal point")
async def get_focal_point(focal_point_id: UUID, context: Context, _caller: Reader) -> FocalPointShown:
    """The ETag is its revision."""
    return await context.read_thing(FocalPointShown, FocalPoint, focal_point_id)


@router.patch("/{focal_point_id}", summary="Change a focal point")
async def change_focal_point(
    focal_point_id: UUID, body: FocalPointPatch, context: Context, caller: Changer
) -> FocalPointShown:
    """To appoint a successor, set `valid_to` here and add a new focal point: the history stays."""
    async with context.write_transaction(caller) as transaction:
        focal_point = await transaction.get_thing(FocalPoint, focal_point_id)
        context.check_if_match(focal_point)
        fields = merged(FocalPointFields, focal_point, body)
        await must_exist(transaction, "facility_id", Facility, fields.facility_id)
        await transaction.change_thing(focal_point, fields.model_dump())
    return context.answer_with(FocalPointShown, focal_point)


@router.delete("/{focal_point_id}", status_code=HTTPStatus.NO_CONTENT, summary="Remove a focal point")
async def remove_focal_point(focal_point_id: UUID, context: Context, caller: Remover) -> None:
    """For an entry made by mistake; the change log keeps its content."""
    async with context.write_transaction(caller) as transaction:
        focal_point = await transaction.get_thing(FocalPoint, focal_point_id)
        context.check_if_match(focal_point)
        await transaction.remove_thing(focal_point)
