"""How cameras are written: the address apart from its credentials, a delivery to each destination."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import ColumnElement, FromClause, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.devices.addresses import Address, check_no_login, parse_camera_url
from inventory.domain.devices.camera import CameraFields, NewCamera, fitting_timeout
from inventory.domain.devices.expected import SurveyedDevice
from inventory.domain.devices.trust import Trust
from inventory.domain.devices.vendors import Stream, Vendor, complete_url
from inventory.domain.places.areas import Area
from inventory.nouns.devices.secrets import check_trust, device_origins, parse_address, refuse_to_move, secret_of
from inventory.nouns.shown import Shown
from inventory.nouns.writer import Write, Writer, merge
from inventory.storage.conflicts import refuse_as_422, unknown_reference
from inventory.storage.deliveries import disconnect_camera, enabled_destinations, planned_delivery
from inventory.storage.queries.lists import Recorded
from inventory.storage.tables import Camera, Delivery, Destination, Facility, Thing
from vonggac.events.inventory import MediaTransport


class CameraResponse(Shown):
    """One camera."""

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
    vendor: Vendor | None
    model: str | None
    firmware: str | None
    firmware_released_on: date | None
    default_password_changed: bool | None
    cloud_access: bool | None
    certificate: str | None
    certificate_valid_until: date | None
    time_source: str | None
    sub_url: str | None
    recorder_id: UUID | None
    channel: int | None
    verified_on: date | None
    verified_by: str | None
    shared_device_reason: str | None
    has_secret: bool
    secret_changed_at: AwareDatetime | None


class CameraDelivery(BaseModel):
    """One delivery of the camera that is shown."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    destination_id: UUID
    enabled: bool
    url: str


class CameraWithDeliveries(CameraResponse):
    """A camera and its deliveries."""

    deliveries: list[CameraDelivery]


async def with_deliveries(session: AsyncSession, row: Mapping[str, Any], recorded: Recorded) -> Mapping[str, Any]:
    """Read the deliveries of a camera, on the day that was asked about."""
    deliveries = recorded.in_force(Delivery)
    query = select(deliveries).where(deliveries.c.camera_id == row["id"]).order_by(deliveries.c.id)
    return {"deliveries": (await session.execute(query)).mappings().all()}


def in_unit(cameras: FromClause, unit_id: UUID, recorded: Recorded) -> ColumnElement[bool]:
    """Whether the camera's facility is in a unit."""
    facilities = recorded(Facility)
    return cameras.c.facility_id.in_(select(facilities.c.id).where(facilities.c.unit_id == unit_id))


def delivered_to(cameras: FromClause, destination_id: UUID, recorded: Recorded) -> ColumnElement[bool]:
    """Whether the camera has a delivery to a destination."""
    deliveries = recorded.in_force(Delivery)
    return cameras.c.id.in_(select(deliveries.c.camera_id).where(deliveries.c.destination_id == destination_id))


class CameraWriter(Writer):
    """Credentials in an address are sealed; a login stays at the address that it was given for."""

    async def make(self, writing: Write, kind: type[Thing], fields: BaseModel) -> Thing:
        """Without `destination_ids` the camera is delivered to every enabled destination."""
        given, transaction = cast("NewCamera", fields), writing.transaction
        device = _Device(given.vendor, given.channel)
        address = parse_address(writing, "url", given.url, device.parse)
        check_trust(given.tls, address.url)
        facility = await transaction.session.get_one(Facility, given.facility_id)
        values = given.model_dump(exclude={"url", "sub_url", "destination_ids", "probe_timeout_s"})
        values["sub_url"] = _sub_url(writing, given.sub_url, device)
        camera = Camera(
            **values,
            url=address.url,
            probe_timeout_s=given.timeout_s,
            **secret_of(writing, address, others=device_origins(values["expected"])),
        )
        await transaction.add_thing(camera)
        for destination in await _destinations(transaction.session, given.destination_ids):
            await transaction.add_thing(planned_delivery(camera, facility.code, destination))
        return camera

    async def change(self, writing: Write, thing: Thing, fields: type[BaseModel], patch: Mapping[str, Any]) -> None:
        """Change the camera; a `url` with credentials replaces the secret, a `url` without leaves it."""
        camera = cast("Camera", thing)
        device = _Device(patch.get("vendor", camera.vendor), patch.get("channel", camera.channel))
        address = parse_address(writing, "url", patch["url"], device.parse) if "url" in patch else None
        refuse_to_move(camera, address)
        values = _patched(camera, patch, address)
        if "sub_url" in patch:
            values["sub_url"] = _sub_url(writing, patch["sub_url"], device)
        secret = secret_of(writing, address, others=device_origins(values["expected"]))
        await writing.transaction.change_thing(camera, values | secret)

    async def remove(self, writing: Write, thing: Thing) -> None:
        """Its deliveries go with it."""
        await disconnect_camera(writing.transaction, thing.id)
        await writing.transaction.remove_thing(thing)


@dataclass(frozen=True, slots=True)
class _Device:
    """Where a make plays its streams."""

    vendor: Vendor | None
    channel: int | None

    def parse(self, text: str) -> Address:
        """Of the main stream. Raises ValueError."""
        return parse_camera_url(complete_url(text, self.vendor, self.channel))

    def parse_sub(self, text: str) -> Address:
        """Of the sub stream. Raises ValueError."""
        return parse_camera_url(complete_url(text, self.vendor, self.channel, Stream.SUB))


def _sub_url(writing: Write, text: str | None, device: _Device) -> str | None:
    """Parse the sub stream's address: it uses the login of the main one, so its address holds none."""
    if text is None:
        return None
    address = parse_address(writing, "sub_url", text, device.parse_sub)
    with refuse_as_422("sub_url"):
        check_no_login(address)
    return address.url


def _patched(camera: Camera, patch: Mapping[str, Any], address: Address | None) -> dict[str, Any]:
    stated = {name: value for name, value in patch.items() if name not in {"url", "sub_url", "facility_id"}}
    if "probe_interval_s" in patch and "probe_timeout_s" not in patch:
        stated["probe_timeout_s"] = fitting_timeout(camera.probe_timeout_s, patch["probe_interval_s"])
    fields = merge(CameraFields, camera, stated)
    if "url" in patch or "tls" in patch:
        check_trust(fields.tls, address.url if address is not None else camera.url)
    values = fields.model_dump() | {"probe_timeout_s": fields.timeout_s}
    if address is not None:
        values["url"] = address.url
    if "facility_id" in patch:
        values["facility_id"] = patch["facility_id"]
    return values


async def _destinations(session: AsyncSession, ids: tuple[UUID, ...] | None) -> Sequence[Destination]:
    if ids is None:
        return await enabled_destinations(session)
    found = (await session.scalars(select(Destination).where(Destination.id.in_(ids)))).all()
    if len(found) < len(set(ids)):
        raise unknown_reference("destination_ids", "destination")
    return found
