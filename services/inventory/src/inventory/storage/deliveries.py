"""Deliveries: which camera goes to which destination."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.devices.addresses import render
from inventory.storage.bulk import copy_rows
from inventory.storage.change_log import snapshot, snapshot_text
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Camera, Delivery, Destination, Facility

_COLUMNS = tuple(column.key for column in Delivery.__table__.columns)


def planned_delivery(camera: Camera, facility_code: str, destination: Destination, *, enabled: bool = True) -> Delivery:
    """Build a delivery that is not stored yet."""
    url = render(destination.url_template, camera_code=camera.code, facility_code=facility_code, camera_id=camera.id)
    return Delivery(camera_id=camera.id, destination_id=destination.id, enabled=enabled, url=url)


async def enabled_destinations(session: AsyncSession) -> Sequence[Destination]:
    """Read the default destinations of a new camera (R10: both are mandatory)."""
    query = select(Destination).where(Destination.enabled).order_by(Destination.code)
    return (await session.scalars(query)).all()


def new_delivery(
    now: datetime, camera: Mapping[str, Any], facility_code: str, destination: Destination
) -> dict[str, Any]:
    """Build the columns of a delivery of a camera, given by its columns, that is made at `now`."""
    names = {"camera_code": camera["code"], "facility_code": facility_code, "camera_id": camera["id"]}
    return {
        "id": uuid4(),
        "revision": 1,
        "created_at": now,
        "changed_at": now,
        "valid_from": None,
        "valid_to": None,
        "camera_id": camera["id"],
        "destination_id": destination.id,
        "enabled": True,
        "url": render(destination.url_template, **names),
    }


async def copy_deliveries(transaction: WriteTransaction, deliveries: Sequence[Mapping[str, Any]]) -> None:
    """Store many new deliveries, given by their columns, with one COPY, and log each. Raises psycopg.IntegrityError."""

    def rows() -> Iterator[tuple[Any, ...]]:
        for delivery in deliveries:
            transaction.log.add_row(transaction.now, Delivery, delivery["id"], None, snapshot_text(Delivery, delivery))
            yield tuple(delivery[name] for name in _COLUMNS)

    await copy_rows(transaction.session, Delivery, _COLUMNS, rows())


async def connect_all_cameras(transaction: WriteTransaction, destination: Destination) -> None:
    """Create a delivery to `destination` for every camera that has none."""
    connected = select(Delivery.camera_id).where(Delivery.destination_id == destination.id)
    query = select(Camera.id, Camera.code, Facility.code.label("facility_code")).join(
        Facility, Facility.id == Camera.facility_id
    )
    rows = (await transaction.session.execute(query.where(Camera.id.not_in(connected)))).all()
    now = transaction.now
    new = [new_delivery(now, {"id": row.id, "code": row.code}, row.facility_code, destination) for row in rows]
    await copy_deliveries(transaction, new)
    transaction.mark_stale(each["camera_id"] for each in new)


async def disconnect_all_cameras(transaction: WriteTransaction, destination: Destination) -> None:
    """Remove every delivery to `destination`."""
    await _remove_deliveries(transaction, Delivery.destination_id == destination.id)


async def disconnect_camera(transaction: WriteTransaction, camera_id: UUID) -> None:
    """Remove every delivery of a camera."""
    await _remove_deliveries(transaction, Delivery.camera_id == camera_id)


async def _remove_deliveries(transaction: WriteTransaction, which: ColumnElement[bool]) -> None:
    deliveries = (await transaction.session.scalars(select(Delivery).where(which))).all()
    for delivery in deliveries:
        transaction.log_change(delivery, "removed", snapshot(delivery), None)
    transaction.mark_stale(delivery.camera_id for delivery in deliveries)
    await transaction.session.execute(delete(Delivery).where(which))
