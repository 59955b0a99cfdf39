"""Deliveries: which camera goes to which destination."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.devices.addresses import render
from inventory.storage.bulk import copy_rows
from inventory.storage.store import WriteTransaction, snapshot
from inventory.storage.tables import Camera, Delivery, Destination, Facility

_COLUMNS = (
    "id", "revision", "created_at", "changed_at", "camera_id", "destination_id", "enabled", "url",
)  # fmt: skip


def planned_delivery(camera: Camera, facility_code: str, destination: Destination, *, enabled: bool = True) -> Delivery:
    """A delivery that is not stored yet."""
    url = render(destination.url_template, camera_code=camera.code, facility_code=facility_code, camera_id=camera.id)
    return Delivery(camera_id=camera.id, destination_id=destination.id, enabled=enabled, url=url)


async def enabled_destinations(session: AsyncSession) -> Sequence[Destination]:
    """The default destinations of a new camera (R10: both are mandatory)."""
    query = select(Destination).where(Destination.enabled).order_by(Destination.code)
    return (await session.scalars(query)).all()


async def copy_deliveries(transaction: WriteTransaction, deliveries: Sequence[Delivery]) -> None:
    """Store many new deliveries with one COPY and log each. Raises psycopg.IntegrityError."""

    def rows() -> Iterator[tuple[Any, ...]]:
        for delivery in deliveries:
            transaction.prepare_new(delivery)
            transaction.record_created(delivery)
            yield tuple(getattr(delivery, name) for name in _COLUMNS)

    await copy_rows(transaction.session, Delivery, _COLUMNS, rows())


async def connect_all_cameras(transaction: WriteTransaction, destination: Destination) -> None:
    """Create a delivery to `destination` for every camera that has none."""
    connected = select(Delivery.camera_id).where(Delivery.destination_id == destination.id)
    query = select(Camera, Facility.code).join(Facility, Facility.id == Camera.facility_id)
    rows = (await transaction.session.execute(query.where(Camera.id.not_in(connected)))).all()
    await copy_deliveries(transaction, [planned_delivery(camera, code, destination) for camera, code in rows])


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
