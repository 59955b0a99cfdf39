"""/v1/deliveries: one camera to one destination (R10: each independent of the other)."""

from http import HTTPStatus
from typing import TypedDict
from uuid import UUID

from fastapi import APIRouter
from pydantic import ConfigDict, with_config
from sqlalchemy import select

from inventory.api.context import Adder, Changer, Context, Reader, Reason, Remover, Shown, must_exist
from inventory.api.pages import DEFAULT_LIMIT, Cursor, Limit, PageOf, as_page
from inventory.domain.fields import Fields
from inventory.storage.conflicts import unknown_reference
from inventory.storage.deliveries import planned_delivery
from inventory.storage.lists import fetch_page
from inventory.storage.tables import Camera, Delivery, Destination, Facility

router = APIRouter(prefix="/v1/deliveries", tags=["deliveries"])


class NewDelivery(Fields):
    """A camera to connect to a destination."""

    camera_id: UUID
    destination_id: UUID
    enabled: bool = True


@with_config(ConfigDict(extra="forbid"))
class DeliveryPatch(TypedDict, total=False):
    enabled: bool


class DeliveryShown(Shown):
    camera_id: UUID
    destination_id: UUID
    enabled: bool
    url: str


@router.post("", status_code=HTTPStatus.CREATED, summary="Connect a camera to a destination")
async def add_delivery(body: NewDelivery, context: Context, caller: Adder) -> DeliveryShown:
    """409 when the delivery exists already."""
    async with context.write_transaction(caller) as transaction:
        session = transaction.session
        camera = await session.get(Camera, body.camera_id)
        if camera is None:
            raise unknown_reference("camera_id", "camera")
        await must_exist(transaction, "destination_id", Destination, body.destination_id)
        destination = await session.get_one(Destination, body.destination_id)
        facility = await session.get_one(Facility, camera.facility_id)
        delivery = planned_delivery(camera, facility.code, destination, enabled=body.enabled)
        await transaction.add_thing(delivery)
    return context.answer_with(DeliveryShown, delivery)


@router.get("", summary="List deliveries")
async def list_deliveries(
    context: Context,
    _caller: Reader,
    camera_id: UUID | None = None,
    destination_id: UUID | None = None,
    enabled: bool | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> PageOf[DeliveryShown]:
    """All filters must match."""
    query = select(Delivery)
    if camera_id is not None:
        query = query.where(Delivery.camera_id == camera_id)
    if destination_id is not None:
        query = query.where(Delivery.destination_id == destination_id)
    if enabled is not None:
        query = query.where(Delivery.enabled == enabled)
    async with context.read_transaction() as session:
        return as_page(DeliveryShown, await fetch_page(session, query, Delivery.id, cursor=cursor, limit=limit))


@router.get("/{delivery_id}", summary="One delivery")
async def get_delivery(delivery_id: UUID, context: Context, _caller: Reader) -> DeliveryShown:
    """The ETag is its revision."""
    return await context.read_thing(DeliveryShown, Delivery, delivery_id)


@router.patch("/{delivery_id}", summary="Enable or disable a delivery")
async def change_delivery(
    delivery_id: UUID, body: DeliveryPatch, context: Context, caller: Changer, reason: Reason = None
) -> DeliveryShown:
    """The camera's other deliveries continue unchanged."""
    async with context.write_transaction(caller, reason=reason) as transaction:
        delivery = await transaction.get_thing(Delivery, delivery_id)
        context.check_if_match(delivery)
        await transaction.change_thing(delivery, body)
    return context.answer_with(DeliveryShown, delivery)


@router.delete("/{delivery_id}", status_code=HTTPStatus.NO_CONTENT, summary="Disconnect a camera from a destination")
async def remove_delivery(delivery_id: UUID, context: Context, caller: Remover) -> None:
    """The camera's other deliveries continue unchanged."""
    async with context.write_transaction(caller) as transaction:
        delivery = await transaction.get_thing(Delivery, delivery_id)
        context.check_if_match(delivery)
        await transaction.remove_thing(delivery)
