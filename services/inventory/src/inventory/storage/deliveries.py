"""Deliveries: which camera goes to which destination."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.devices.addresses import render
from inventory.storage.bulk import copy_rows
from inventory.storage.store import Writing, snapshot
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


async def copy_deliveries(writing: Writing, deliveries: Sequence[Delivery]) -> None:
    """Store many new deliveries with one COPY and log each. Raises psycopg.IntegrityError."""

    def rows() -> Iterator[tuple[Any, ...]]:
        for delivery in deliveries:
            writing.prepare_new(delivery)
            writing.record_created(delivery)
            yield tuple(getattr(delivery, name) for name in _COLUMNS)

    await copy_rows(writing.session, Delivery, _COLUMNS, rows())


async def connect_all_cameras(writing: Writing, destination: Destination) -> None:
    """Create a delivery to `destination` for every camera that has none."""
    connected = select(Delivery.camera_id).where(Delivery.destination_id == destination.id)
    query = select(Camera, Facility.code).join(Facility, Facility.id == Camera.facility_id)
    rows = (await writing.session.execute(query.where(Camera.id.not_in(connected)))).all()
    await copy_deliveries(writing, [planned_delivery(camera, code, destination) for camera, code in rows])


async def disconnect_all_cameras(writing: Writing, destination: Destination) -> None:
    """Remove every delivery to `destination`."""
    await _remove_deliveries(writing, Delivery.destination_id == destination.id)


async def disconnect_camera(writing: Writing, camera_id: UUID) -> None:
    """Remove every delivery of a camera."""
    await _remove_deliveries(writing, Delivery.camera_id == camera_id)


async def _remove_deliveries(writing: Writing, which: ColumnElement[bool]) -> None:
    deliveries = (await writing.session.scalars(select(Delivery).where(which))).all()
    for delivery in deliveries:
        writing.log_change(delivery, "removed", snapshot(delivery), None)
    writing.mark_stale(delivery.camera_id for delivery in deliveries)
    await writing.session.execute(delete(Delivery).where(which))
