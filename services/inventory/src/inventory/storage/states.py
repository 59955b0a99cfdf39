"""Rows to event payloads: the whole current state of a thing."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.devices.addresses import render
from inventory.domain.mandate.planning.basis import FacilityPlan
from inventory.storage.change_log import ChangeLog
from inventory.storage.queries.plans import facility_plans
from inventory.storage.tables import Camera, Delivery, Destination, Facility, Thing
from vonggac.events import Payload
from vonggac.events.inventory import (
    CameraV1,
    DeclaredSecurity,
    ExpectedDevice,
    PlanBasis,
    PlannedDelivery,
    ServingPlan,
    TlsTrust,
)

CHUNK = 250
PAYLOADS: dict[type[Thing], type[Payload]] = {}
"""What is published of each thing that is neither a camera nor a delivery; `inventory.nouns` fills it."""


def payload_of(thing: Thing) -> Payload:
    """Build the payload of a thing that is no camera. Raises KeyError for a thing without a message of its own."""
    return PAYLOADS[type(thing)].model_validate(thing, from_attributes=True)


@dataclass(frozen=True, slots=True)
class MovedDelivery:
    """A delivery whose stored address is not that of its plan. `values`: what the change log has of it now."""

    delivery_id: UUID
    values: dict[str, Any]
    new_url: str


@dataclass(frozen=True, slots=True)
class CameraPlan:
    """A camera's payload, and its deliveries whose stored address differs."""

    payload: CameraV1
    moved: tuple[MovedDelivery, ...]


def log_moved(log: ChangeLog, now: datetime, plan: CameraPlan) -> Iterator[dict[str, Any]]:
    """Yield the new addresses of its deliveries, and add a line of the change log for each."""
    for before in plan.moved:
        after = before.values | {"url": before.new_url}
        log.add(now, Delivery.noun, before.delivery_id, "changed", before.values, after)
        yield {"delivery_id": before.delivery_id, "new_url": before.new_url}


async def camera_plans(session: AsyncSession, camera_ids: Collection[UUID]) -> AsyncIterator[list[CameraPlan]]:
    """Read the plans of the cameras that exist, some hundreds at a time, in the order of their ids."""
    ordered = sorted(camera_ids)
    for start in range(0, len(ordered), CHUNK):
        chunk = ordered[start : start + CHUNK]
        cameras = (await session.execute(_CAMERAS.where(Camera.id == any_(literal(chunk, ARRAY(Uuid)))))).all()
        deliveries = await _deliveries_of(session, chunk)
        under = await facility_plans(session, {camera.facility_id for camera in cameras})
        yield [_plan(camera, deliveries.get(camera.id, []), under[camera.facility_id]) for camera in cameras]


@dataclass(frozen=True, slots=True)
class FacilityFacts:
    """What the messages of cameras take of their facilities."""

    facilities: Mapping[UUID, Any]
    plans: Mapping[UUID, FacilityPlan]

    def with_more(self, more: "FacilityFacts") -> "FacilityFacts":
        """Join these with those of other facilities."""
        return FacilityFacts({**self.facilities, **more.facilities}, {**self.plans, **more.plans})


async def read_facility_facts(session: AsyncSession, facility_ids: Collection[UUID]) -> FacilityFacts:
    """Of these facilities."""
    which = Facility.id == any_(literal(sorted(facility_ids), ARRAY(Uuid)))
    query = select(Facility.id, Facility.code, Facility.status).where(which)
    facilities = {row.id: row for row in await session.execute(query)}
    return FacilityFacts(facilities, await facility_plans(session, facility_ids))


async def staged_plans(
    session: AsyncSession, facts: FacilityFacts, cameras: Sequence[Mapping[str, Any]]
) -> AsyncIterator[list[CameraPlan]]:
    """As `camera_plans`, of cameras as they will be. `cameras`: their columns. Deliveries as they are on record."""
    for start in range(0, len(cameras), CHUNK):
        chunk = cameras[start : start + CHUNK]
        yield plans_of(facts, chunk, await _deliveries_of(session, [camera["id"] for camera in chunk]))


def plans_of(
    facts: FacilityFacts, cameras: Sequence[Mapping[str, Any]], deliveries: Mapping[UUID, Sequence[Any]]
) -> list[CameraPlan]:
    """Plans of cameras that are not stored yet. `deliveries`: of each, as `delivery_parts` makes them."""
    plans: list[CameraPlan] = []
    for camera in cameras:
        facility = facts.facilities[camera["facility_id"]]
        whole = SimpleNamespace(**camera, facility_code=facility.code, facility_status=facility.status)
        plans.append(_plan(whole, deliveries.get(camera["id"], ()), facts.plans[facility.id]))
    return plans


async def _deliveries_of(session: AsyncSession, camera_ids: Collection[UUID]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = {}
    which = Delivery.camera_id == any_(literal(list(camera_ids), ARRAY(Uuid)))
    for row in (await session.execute(_DELIVERIES.where(which))).all():
        found.setdefault(row.camera_id, []).append(row)
    return found


def destination_parts(destination: Destination) -> Mapping[str, Any]:
    """Return what the plan of a delivery takes of its destination."""
    return {name: getattr(destination, name) for name in _OF_DESTINATION} | {"destination_enabled": destination.enabled}


def delivery_parts(delivery: Mapping[str, Any], of_destination: Mapping[str, Any]) -> Any:
    """Join a delivery that is not stored yet with `destination_parts`."""
    return SimpleNamespace(**delivery, **of_destination)


_CAMERAS = (
    select(
        *(column for column in Camera.__table__.columns),
        Facility.code.label("facility_code"),
        Facility.status.label("facility_status"),
    )
    .join(Facility, Facility.id == Camera.facility_id)
    .order_by(Camera.id)
)
_OF_DESTINATION = (
    "code", "url_template", "sealed_secret", "required_proof", "tls", "enhanced_rtmp", "read_back_url_template",
    "sealed_read_back_secret", "account", "serving", "sealed_previous_secret", "previous_secret_until",
)  # fmt: skip
_DELIVERIES = (
    select(
        Delivery.id,
        Delivery.camera_id,
        Delivery.destination_id,
        Delivery.url,
        Delivery.enabled,
        Delivery.valid_from,
        Delivery.valid_to,
        *(Destination.__table__.c[name] for name in _OF_DESTINATION),
        Destination.enabled.label("destination_enabled"),
    )
    .join(Destination, Destination.id == Delivery.destination_id)
    .order_by(Delivery.camera_id, Destination.code)
)

_LOGGED = ("id", "camera_id", "destination_id", "enabled", "url", "valid_from", "valid_to")


def _plan(camera: Any, deliveries: Sequence[Any], under: FacilityPlan) -> CameraPlan:
    planned = tuple(_planned(camera, row, under) for row in deliveries)
    moved = tuple(
        MovedDelivery(row.id, {name: getattr(row, name) for name in _LOGGED}, new.url)
        for row, new in zip(deliveries, planned, strict=True)
        if new.url != row.url
    )
    payload = CameraV1(
        id=camera.id,
        revision=camera.revision,
        changed_at=camera.changed_at,
        created_at=camera.created_at,
        code=camera.code,
        name=camera.name,
        facility_id=camera.facility_id,
        enabled=camera.enabled,
        url=camera.url,
        secret=camera.sealed_secret,
        tls=_trust(camera.tls),
        transport=camera.transport,
        forward_audio=camera.forward_audio,
        probe_interval_s=camera.probe_interval_s,
        probe_timeout_s=camera.probe_timeout_s,
        deliveries=planned,
        area=camera.area,
        shared_device_reason=camera.shared_device_reason,
        vendor=camera.vendor,
        model=camera.model,
        security=_declared_security(camera),
        installed_on=camera.valid_from,
        facility_status=camera.facility_status,
        expected=ExpectedDevice.model_validate(camera.expected) if camera.expected is not None else None,
    )
    return CameraPlan(payload, moved)


def _declared_security(camera: Any) -> DeclaredSecurity | None:
    """None where nothing is declared."""
    declared = {name: getattr(camera, name) for name in DeclaredSecurity.model_fields}
    return DeclaredSecurity(**declared) if any(value is not None for value in declared.values()) else None


def _planned(camera: Any, row: Any, under: FacilityPlan) -> PlannedDelivery:
    names = {"camera_code": camera.code, "facility_code": camera.facility_code, "camera_id": camera.id}
    read_back = row.read_back_url_template
    basis = under.basis(camera.code, row.code)
    return PlannedDelivery(
        id=row.id,
        destination_id=row.destination_id,
        destination_code=row.code,
        url=render(row.url_template, **names),
        secret=row.sealed_secret,
        required_proof=row.required_proof,
        enabled=row.enabled and row.destination_enabled,
        tls=_trust(row.tls),
        enhanced_rtmp=row.enhanced_rtmp,
        read_back_url=render(read_back, **names) if read_back is not None else None,
        read_back_secret=row.sealed_read_back_secret,
        plan=basis,
        plan_exception=under.exception if basis is PlanBasis.EXCEPTED else None,
        serving=_serving(row),
    )


def _serving(destination: Any) -> ServingPlan | None:
    """How the centre pulls; None where it is pushed to."""
    if destination.serving is None:
        return None
    stated = {name: value for name, value in destination.serving.items() if name in ServingPlan.model_fields}
    return ServingPlan(
        **stated,
        account=destination.account,
        previous_secret=destination.sealed_previous_secret,
        previous_until=destination.previous_secret_until,
    )


def _trust(stored: dict[str, Any] | None) -> TlsTrust | None:
    return TlsTrust.model_validate(stored) if stored is not None else None
