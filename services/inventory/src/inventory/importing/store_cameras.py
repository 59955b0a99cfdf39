"""Stores a checked cameras.csv. New rows go by COPY: there may be tens of thousands."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import select

from inventory.domain.devices.addresses import GIVE_AGAIN, leads_elsewhere
from inventory.domain.devices.camera import fitting_timeout
from inventory.domain.devices.codecs import accepts_codec, refusal_advice
from inventory.domain.devices.expected import SurveyedDevice
from inventory.domain.devices.trust import Trust, check_trust_is_used
from inventory.importing.cameras import SURVEYED, TRUST, CameraFile, CameraRow
from inventory.importing.mistakes import Mistakes
from inventory.importing.store_facilities import CHUNK, Outcome, check_on_record, ids_by_code, things_by_code
from inventory.storage.bulk import copy_rows
from inventory.storage.deliveries import copy_deliveries, planned_delivery
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Camera, Delivery, Destination, Facility

_COLUMNS = (
    "id", "revision", "created_at", "changed_at", "code", "name", "search", "facility_id", "enabled", "area", "url",
    "transport", "forward_audio", "probe_interval_s", "probe_timeout_s", "sealed_secret", "secret_changed_at",
    "tls", "expected",
)  # fmt: skip
_JSON = frozenset({"tls", "expected"})


@dataclass(frozen=True, slots=True)
class _OnRecord:
    facilities: Mapping[str, UUID]
    destinations: Mapping[str, Destination]
    cameras: Mapping[str, Camera]
    deliveries: Mapping[UUID, Mapping[UUID, Delivery]]
    urls: set[str]


async def store_cameras(transaction: WriteTransaction, file: CameraFile, mistakes: Mistakes) -> Outcome:
    """Create or update the cameras. Raises ProblemError 422 when a facility or destination is not on record."""
    record = await _on_record(transaction, file)
    for row in file.rows:
        check_on_record(mistakes, row.line, "facility_code", row.facility_code, record.facilities)
        for code in row.destinations or ():
            check_on_record(mistakes, row.line, "destinations", code, record.destinations)
    mistakes.raise_if_any()
    outcome, cameras, deliveries = Outcome(), list[Camera](), list[Delivery]()
    for number, row in enumerate(file.rows):
        camera = record.cameras.get(row.fields.code)
        if camera is None:
            camera = _new_camera(transaction, row, record)
            cameras.append(camera)
            deliveries += _missing_deliveries(row, camera, record, _wanted(row, record), mistakes)
            outcome.created += 1
        else:
            _check_login_stays(row, camera, mistakes)
            changed = transaction.stage_change(camera, _values(transaction, file, row, camera, record))
            if "destinations" in file.present:
                added = _missing_deliveries(row, camera, record, _wanted(row, record), mistakes)
                removed = await _remove_others(transaction, camera, record, _wanted(row, record))
                deliveries += added
                changed = changed or bool(added) or removed
            outcome.updated += changed
            outcome.unchanged += not changed
        _check_trust(row, camera, mistakes)
        _check_codec(row, camera, _receiving(file, row, camera, record), mistakes)
        if number % CHUNK == CHUNK - 1:
            await transaction.flush_changes()
            await asyncio.sleep(0)
    mistakes.raise_if_any()
    await transaction.flush_changes()
    await _copy_cameras(transaction, cameras)
    await copy_deliveries(transaction, deliveries)
    return outcome


async def _on_record(transaction: WriteTransaction, file: CameraFile) -> _OnRecord:
    session = transaction.session
    cameras = await things_by_code(session, Camera, (row.fields.code for row in file.rows))
    deliveries: dict[UUID, dict[UUID, Delivery]] = {}
    ids = sorted(camera.id for camera in cameras.values())
    for start in range(0, len(ids), CHUNK):
        query = select(Delivery).where(Delivery.camera_id.in_(ids[start : start + CHUNK]))
        for delivery in (await session.scalars(query)).all():
            deliveries.setdefault(delivery.camera_id, {})[delivery.destination_id] = delivery
    return _OnRecord(
        facilities=await ids_by_code(session, Facility),
        destinations={destination.code: destination for destination in await session.scalars(select(Destination))},
        cameras=cameras,
        deliveries=deliveries,
        urls=set(await session.scalars(select(Delivery.url))),
    )


def _new_camera(transaction: WriteTransaction, row: CameraRow, record: _OnRecord) -> Camera:
    camera = Camera(
        **row.fields.model_dump(exclude={"probe_timeout_s"}),
        probe_timeout_s=row.fields.timeout_s,
        facility_id=record.facilities[row.facility_code],
        url=row.url,
        sealed_secret=row.sealed_secret,
        secret_changed_at=transaction.now if row.sealed_secret is not None else None,
    )
    transaction.prepare_new(camera)
    transaction.record_created(camera)
    return camera


def _values(
    transaction: WriteTransaction, file: CameraFile, row: CameraRow, camera: Camera, record: _OnRecord
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": row.fields.name,
        "facility_id": record.facilities[row.facility_code],
        "url": row.url,
    }
    if "area" in file.present:
        values["area"] = row.fields.area
    if "probe_interval_s" in file.present:
        interval_s = row.fields.probe_interval_s
        values["probe_interval_s"] = interval_s
        values["probe_timeout_s"] = fitting_timeout(camera.probe_timeout_s, interval_s)
    if "transport" in file.present:
        values["transport"] = row.fields.transport
    if not file.present.isdisjoint(TRUST.values()):
        values["tls"] = _trust(file, row, camera)
    if not file.present.isdisjoint(SURVEYED):
        values["expected"] = _expected(file, row, camera)
    if row.sealed_secret is not None:
        values |= {"sealed_secret": row.sealed_secret, "secret_changed_at": transaction.now}
    return values


def _trust(file: CameraFile, row: CameraRow, camera: Camera) -> dict[str, Any] | None:
    if row.fields.tls is not None:
        return row.fields.tls.model_dump()
    stored = camera.tls or {}
    kept = any(stored.get(name) is not None for name, column in TRUST.items() if column not in file.present)
    return camera.tls if kept else None


def _expected(file: CameraFile, row: CameraRow, camera: Camera) -> dict[str, Any] | None:
    if camera.expected is None and row.fields.expected is None:
        return None
    given = (row.fields.expected or SurveyedDevice()).model_dump()
    told = {name: value for name, value in given.items() if name in file.present}
    return SurveyedDevice().model_dump() | (camera.expected or {}) | told


def _check_login_stays(row: CameraRow, camera: Camera, mistakes: Mistakes) -> None:
    """A stored login goes to no other origin than it was given for."""
    if row.sealed_secret is None and camera.sealed_secret is not None and leads_elsewhere(camera.url, row.url):
        mistakes.add_mistake(row.line, "url", GIVE_AGAIN)


def _check_trust(row: CameraRow, camera: Camera, mistakes: Mistakes) -> None:
    trust = Trust.model_validate(camera.tls) if camera.tls is not None else None
    try:
        check_trust_is_used(trust, (camera.url,))
    except ValueError as error:
        column = next(column for name, column in TRUST.items() if (camera.tls or {}).get(name) is not None)
        mistakes.add_mistake(row.line, column, str(error))


def _check_codec(row: CameraRow, camera: Camera, receiving: Sequence[Destination], mistakes: Mistakes) -> None:
    codec = (camera.expected or {}).get("codec")
    for destination in receiving:
        if not accepts_codec(codec, destination.url_template, enhanced_rtmp=destination.enhanced_rtmp):
            mistakes.add_mistake(row.line, "destinations", refusal_advice(camera.code, destination.code))


def _receiving(file: CameraFile, row: CameraRow, camera: Camera, record: _OnRecord) -> list[Destination]:
    """The enabled destinations of the camera after the import."""
    present = record.deliveries.get(camera.id, {})
    stays = camera.code in record.cameras and "destinations" not in file.present
    planned = (
        [destination for destination in record.destinations.values() if destination.id in present]
        if stays
        else _wanted(row, record)
    )
    return [
        destination
        for destination in planned
        if destination.enabled and (destination.id not in present or present[destination.id].enabled)
    ]


def _wanted(row: CameraRow, record: _OnRecord) -> Sequence[Destination]:
    if row.destinations is None:
        return [destination for destination in record.destinations.values() if destination.enabled]
    return [record.destinations[code] for code in row.destinations]


def _missing_deliveries(
    row: CameraRow, camera: Camera, record: _OnRecord, wanted: Sequence[Destination], mistakes: Mistakes
) -> list[Delivery]:
    present = record.deliveries.get(camera.id, {})
    missing = [
        planned_delivery(camera, row.facility_code, destination)
        for destination in wanted
        if destination.id not in present
    ]
    for delivery in missing:
        if delivery.url in record.urls:
            message = f"would be published at an address that is in use ({delivery.url}); give it another code"
            mistakes.add_mistake(row.line, "code", message)
        record.urls.add(delivery.url)
    return missing


async def _remove_others(
    transaction: WriteTransaction, camera: Camera, record: _OnRecord, wanted: Sequence[Destination]
) -> bool:
    kept = {destination.id for destination in wanted}
    extra = [delivery for key, delivery in record.deliveries.get(camera.id, {}).items() if key not in kept]
    for delivery in extra:
        await transaction.remove_thing(delivery)
    return bool(extra)


async def _copy_cameras(transaction: WriteTransaction, cameras: Sequence[Camera]) -> None:
    rows = (tuple(_cell(camera, name) for name in _COLUMNS) for camera in cameras)
    await copy_rows(transaction.session, Camera, _COLUMNS, rows)


def _cell(camera: Camera, name: str) -> Any:
    value = getattr(camera, name)
    return Jsonb(value) if name in _JSON and value is not None else value
