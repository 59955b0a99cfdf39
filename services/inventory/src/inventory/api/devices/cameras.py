"""/v1/cameras: the cameras to probe and to forward."""

from http import HTTPStatus
from typing import Annotated, Any, TypedDict
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, with_config
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import (
    Adder,
    Changer,
    Context,
    Reader,
    Reason,
    Remover,
    SecretWriter,
    Shown,
    check_trust,
    merged,
    must_exist,
)
from inventory.api.devices.secrets import Secret, device_origins, refuse_to_move, remove_secret, secret_of, write_secret
from inventory.api.pages import DEFAULT_LIMIT, Cursor, Limit, PageOf, Search, as_page
from inventory.domain.devices.addresses import CAMERA_SCHEMES_SHOWN, Address, parse_camera_url
from inventory.domain.devices.areas import Area
from inventory.domain.devices.camera import AreaField, CameraFields, IntervalS, TimeoutS, fitting_timeout
from inventory.domain.devices.expected import SurveyedDevice
from inventory.domain.devices.trust import Trust
from inventory.domain.fields import Code, Name
from inventory.storage.conflicts import not_found, unknown_reference
from inventory.storage.deliveries import disconnect_camera, enabled_destinations, planned_delivery
from inventory.storage.lists import fetch_page, matches_search
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Camera, Delivery, Destination, Facility
from vonggac.events.inventory import MediaTransport

router = APIRouter(prefix="/v1/cameras", tags=["cameras"])


class NewCamera(CameraFields):
    """A camera to add."""

    facility_id: UUID
    url: str = Field(
        description=f"Address ({CAMERA_SCHEMES_SHOWN}); user:password@ is split off and sealed; {{username}} and "
        "{password} may stand in path or query."
    )
    destination_ids: tuple[UUID, ...] | None = Field(
        default=None, description="Its destinations; by default every enabled one."
    )


@with_config(ConfigDict(extra="forbid"))
class CameraPatch(TypedDict, total=False):
    code: Code
    name: Name
    facility_id: UUID
    url: str
    enabled: bool
    area: AreaField | None
    transport: MediaTransport
    tls: Trust | None
    forward_audio: bool
    probe_interval_s: IntervalS
    probe_timeout_s: TimeoutS
    expected: SurveyedDevice | None


class CameraDelivery(BaseModel):
    """One delivery of the camera that is shown."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    destination_id: UUID
    enabled: bool
    url: str


class CameraShown(Shown):
    code: str
    name: str
    facility_id: UUID
    url: str
    enabled: bool
    area: Area | None
    transport: MediaTransport
    tls: Trust | None
    forward_audio: bool
    probe_interval_s: float
    probe_timeout_s: float
    expected: SurveyedDevice | None
    has_secret: bool
    secret_changed_at: AwareDatetime | None


class CameraWithDeliveries(CameraShown):
    """A camera and its deliveries."""

    deliveries: list[CameraDelivery]


class CameraFilter(BaseModel):
    """Query parameters of the list; all that are given must match."""

    code: str | None = None
    facility_id: UUID | None = None
    unit_id: UUID | None = None
    destination_id: UUID | None = None
    area: Area | None = None
    enabled: bool | None = None

    def narrow(self, query: Select[Camera]) -> Select[Camera]:
        for name, value in self.model_dump(exclude_none=True, exclude={"unit_id", "destination_id"}).items():
            query = query.where(getattr(Camera, name) == value)
        if self.unit_id is not None:
            there = select(Facility.id).where(Facility.unit_id == self.unit_id)
            query = query.where(Camera.facility_id.in_(there))
        if self.destination_id is not None:
            delivered = select(Delivery.camera_id).where(Delivery.destination_id == self.destination_id)
            query = query.where(Camera.id.in_(delivered))
        return query


@router.post("", status_code=HTTPStatus.CREATED, summary="Add a camera")
async def add_camera(body: NewCamera, context: Context, caller: Adder) -> CameraWithDeliveries:
    """Probers probe it at once. Without `destination_ids` it is delivered to every enabled destination."""
    address = context.parse_address("url", body.url, parse_camera_url)
    check_trust(body.tls, address.url)
    async with context.write_transaction(caller) as transaction:
        facility = await transaction.session.get(Facility, body.facility_id)
        if facility is None:
            raise unknown_reference("facility_id", "facility")
        fields = body.model_dump(exclude={"url", "destination_ids", "probe_timeout_s"})
        camera = Camera(
            **fields,
            url=address.url,
            probe_timeout_s=body.timeout_s,
            **secret_of(context, transaction, caller, address, others=device_origins(fields["expected"])),
        )
        await transaction.add_thing(camera)
        for destination in await _destinations(transaction.session, body.destination_ids):
            await transaction.add_thing(planned_delivery(camera, facility.code, destination))
        deliveries = await _deliveries(transaction.session, camera.id)
    return _with_deliveries(context.answer_with(CameraShown, camera), deliveries)


@router.get("", summary="List cameras by code")
async def list_cameras(
    context: Context,
    _caller: Reader,
    narrowed: Annotated[CameraFilter, Depends()],
    q: Search = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> PageOf[CameraShown]:
    """`q` searches code and name."""
    query = narrowed.narrow(select(Camera))
    if q is not None:
        query = query.where(matches_search(Camera.search, q))
    async with context.read_transaction() as session:
        return as_page(CameraShown, await fetch_page(session, query, Camera.code, cursor=cursor, limit=limit))


@router.get("/{camera_id}", summary="One camera with its deliveries")
async def get_camera(camera_id: UUID, context: Context, _caller: Reader) -> CameraWithDeliveries:
    """The ETag is its revision; a change of its deliveries raises it too."""
    async with context.read_transaction() as session:
        camera = await session.get(Camera, camera_id)
        if camera is None:
            raise not_found("camera")
        deliveries = await _deliveries(session, camera_id)
    return _with_deliveries(context.answer_with(CameraShown, camera), deliveries)


@router.patch("/{camera_id}", summary="Change a camera")
async def change_camera(
    camera_id: UUID, body: CameraPatch, context: Context, caller: Changer, reason: Reason = None
) -> CameraShown:
    """A `url` with credentials replaces the secret; a `url` without leaves it.

    422 when there is a secret and a `url` without credentials leads to another scheme, host or port.
    """
    async with context.write_transaction(caller, reason=reason) as transaction:
        camera = await transaction.get_thing(Camera, camera_id)
        context.check_if_match(camera)
        address = context.parse_address("url", body["url"], parse_camera_url) if "url" in body else None
        refuse_to_move(camera, address)
        values = await _patched(transaction, camera, body, address)
        secret = secret_of(context, transaction, caller, address, others=device_origins(values["expected"]))
        await transaction.change_thing(camera, values | secret)
    return context.answer_with(CameraShown, camera)


@router.delete("/{camera_id}", status_code=HTTPStatus.NO_CONTENT, summary="Remove a camera and its deliveries")
async def remove_camera(camera_id: UUID, context: Context, caller: Remover, reason: Reason = None) -> None:
    """Workers stop probing and forwarding it."""
    async with context.write_transaction(caller, reason=reason) as transaction:
        camera = await transaction.get_thing(Camera, camera_id)
        context.check_if_match(camera)
        await disconnect_camera(transaction, camera_id)
        await transaction.remove_thing(camera)


@router.put("/{camera_id}/secret", status_code=HTTPStatus.NO_CONTENT, summary="Write a camera's credentials")
async def write_camera_secret(camera_id: UUID, body: Secret, context: Context, caller: SecretWriter) -> None:
    """Seals them for the workers; nobody can read them back."""
    async with context.write_transaction(caller) as transaction:
        await write_secret(context, transaction, await transaction.get_thing(Camera, camera_id), body)


@router.delete("/{camera_id}/secret", status_code=HTTPStatus.NO_CONTENT, summary="Remove a camera's credentials")
async def remove_camera_secret(camera_id: UUID, context: Context, caller: SecretWriter) -> None:
    """Workers then log in without credentials."""
    async with context.write_transaction(caller) as transaction:
        await remove_secret(context, transaction, await transaction.get_thing(Camera, camera_id))


async def _patched(
    transaction: WriteTransaction, camera: Camera, body: CameraPatch, address: Address | None
) -> dict[str, Any]:
    patch: dict[str, Any] = {name: value for name, value in body.items() if name not in {"url", "facility_id"}}
    if "probe_interval_s" in body and "probe_timeout_s" not in body:
        patch["probe_timeout_s"] = fitting_timeout(camera.probe_timeout_s, body["probe_interval_s"])
    fields = merged(CameraFields, camera, patch)
    if "url" in body or "tls" in body:
        check_trust(fields.tls, address.url if address is not None else camera.url)
    values = fields.model_dump()
    if address is not None:
        values["url"] = address.url
    if "facility_id" in body:
        await must_exist(transaction, "facility_id", Facility, body["facility_id"])
        values["facility_id"] = body["facility_id"]
    return values


async def _destinations(session: AsyncSession, ids: tuple[UUID, ...] | None) -> list[Destination]:
    if ids is None:
        return list(await enabled_destinations(session))
    found = (await session.scalars(select(Destination).where(Destination.id.in_(ids)))).all()
    if len(found) < len(set(ids)):
        raise unknown_reference("destination_ids", "destination")
    return list(found)


async def _deliveries(session: AsyncSession, camera_id: UUID) -> list[CameraDelivery]:
    rows = await session.scalars(select(Delivery).where(Delivery.camera_id == camera_id).order_by(Delivery.id))
    return [CameraDelivery.model_validate(row) for row in rows]


def _with_deliveries(camera: CameraShown, deliveries: list[CameraDelivery]) -> CameraWithDeliveries:
    return CameraWithDeliveries(**camera.model_dump(), deliveries=deliveries)
