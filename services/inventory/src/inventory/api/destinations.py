"""/v1/destinations: the monitoring centres (R09, R10)."""

from http import HTTPStatus
from typing import Annotated, TypedDict
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, ConfigDict, Field, with_config
from sqlalchemy import select

from inventory.api.edge import Adder, Changer, Edged, Reader, Remover, SecretWriter, Shown, invalid, merged
from inventory.api.pages import DEFAULT_LIMIT, Cursor, Limit, PageOf, Search, show_page
from inventory.api.secrets import Secret, remove_secret, secret_of, write_secret
from inventory.domain.addresses import Address, parse_url_template
from inventory.domain.destination import DestinationFields
from inventory.domain.fields import Code, Name
from inventory.storage.connecting import connect_all_cameras, disconnect_all_cameras
from inventory.storage.lists import matches, page
from inventory.storage.references import refuse_while_referred
from inventory.storage.tables import Camera, Delivery, Destination
from vonggac.events.inventory import DestinationRole, RequiredProof

router = APIRouter(prefix="/v1/destinations", tags=["destinations"])


class NewDestination(DestinationFields):
    """A destination to add."""

    url_template: str = Field(
        description="rtsp:// address with {camera_code} or {camera_id}, perhaps {facility_code}; user:password@ is "
        "split off and sealed."
    )
    connect_all_cameras: bool = Field(default=False, description="Make a delivery to it for every camera there is.")


@with_config(ConfigDict(extra="forbid"))
class DestinationPatch(TypedDict, total=False):
    code: Code
    name: Name
    role: DestinationRole
    url_template: str
    required_proof: RequiredProof
    enabled: bool


class DestinationShown(Shown):
    code: str
    name: str
    role: DestinationRole
    url_template: str
    required_proof: RequiredProof
    enabled: bool
    has_secret: bool
    secret_changed_at: AwareDatetime | None


@router.post("", status_code=HTTPStatus.CREATED, summary="Add a destination")
async def add_destination(body: NewDestination, edge: Edged, caller: Adder) -> DestinationShown:
    """Cameras added later are connected to every enabled destination by default."""
    address = _parse(body.url_template)
    async with edge.write(caller) as writing:
        fields = body.model_dump(exclude={"url_template", "connect_all_cameras"})
        secret = secret_of(edge, writing, caller, address)
        destination = Destination(**fields, url_template=address.url, **secret)
        await writing.add(destination)
        if body.connect_all_cameras:
            await connect_all_cameras(writing, destination)
    return edge.show(DestinationShown, destination)


@router.get("", summary="List destinations by code")
async def list_destinations(
    edge: Edged,
    _caller: Reader,
    q: Search = None,
    code: str | None = None,
    role: DestinationRole | None = None,
    enabled: bool | None = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> PageOf[DestinationShown]:
    """All filters must match."""
    query = select(Destination)
    if q is not None:
        query = query.where(matches(Destination.search, q))
    if code is not None:
        query = query.where(Destination.code == code)
    if role is not None:
        query = query.where(Destination.role == role)
    if enabled is not None:
        query = query.where(Destination.enabled == enabled)
    async with edge.read() as session:
        return show_page(DestinationShown, await page(session, query, Destination.code, cursor=cursor, limit=limit))


@router.get("/{destination_id}", summary="One destination")
async def get_destination(destination_id: UUID, edge: Edged, _caller: Reader) -> DestinationShown:
    """The ETag is its revision."""
    return await edge.shown(DestinationShown, Destination, destination_id)


@router.patch("/{destination_id}", summary="Change a destination")
async def change_destination(
    destination_id: UUID, body: DestinationPatch, edge: Edged, caller: Changer
) -> DestinationShown:
    """Every camera connected to it is published anew."""
    async with edge.write(caller) as writing:
        destination = await writing.get(Destination, destination_id)
        edge.check_match(destination)
        address = _parse(body["url_template"]) if "url_template" in body else None
        patch = {name: value for name, value in body.items() if name != "url_template"}
        values = merged(DestinationFields, destination, patch).model_dump()
        if address is not None:
            values["url_template"] = address.url
        await writing.change(destination, {**values, **secret_of(edge, writing, caller, address)})
    return edge.show(DestinationShown, destination)


@router.delete("/{destination_id}", status_code=HTTPStatus.NO_CONTENT, summary="Remove a destination")
async def remove_destination(
    destination_id: UUID,
    edge: Edged,
    caller: Remover,
    disconnect_all_cameras_first: Annotated[
        bool, Query(alias="disconnect_all_cameras", description="Remove its deliveries too.")
    ] = False,
) -> None:
    """409 while cameras are connected to it, unless `disconnect_all_cameras=true`."""
    async with edge.write(caller) as writing:
        destination = await writing.get(Destination, destination_id)
        edge.check_match(destination)
        if disconnect_all_cameras_first:
            await disconnect_all_cameras(writing, destination)
        connected = select(Camera.code).join(Delivery, Delivery.camera_id == Camera.id)
        await refuse_while_referred(
            writing.session, "cameras' deliveries", connected.where(Delivery.destination_id == destination_id)
        )
        await writing.remove(destination)


@router.put("/{destination_id}/secret", status_code=HTTPStatus.NO_CONTENT, summary="Write a destination's credentials")
async def write_destination_secret(destination_id: UUID, body: Secret, edge: Edged, caller: SecretWriter) -> None:
    """They are sealed for the workers and cannot be read back."""
    async with edge.write(caller) as writing:
        await write_secret(edge, writing, await writing.get(Destination, destination_id), body)


@router.delete(
    "/{destination_id}/secret", status_code=HTTPStatus.NO_CONTENT, summary="Forget a destination's credentials"
)
async def remove_destination_secret(destination_id: UUID, edge: Edged, caller: SecretWriter) -> None:
    """Publishing goes on without credentials."""
    async with edge.write(caller) as writing:
        await remove_secret(edge, writing, await writing.get(Destination, destination_id))


def _parse(url_template: str) -> Address:
    try:
        return parse_url_template(url_template)
    except ValueError as error:
        raise invalid("url_template", str(error)) from None
