"""/v1/destinations: the monitoring centres (R09, R10)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, TypedDict
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, ConfigDict, Field, with_config
from sqlalchemy import select

from inventory.api.context import (
    Adder,
    Changer,
    Context,
    Reader,
    Remover,
    RequestContext,
    SecretWriter,
    Shown,
    check_trust,
    merged,
    refuse_as_422,
)
from inventory.api.devices.secrets import (
    LOGIN,
    READ_BACK_LOGIN,
    Secret,
    refuse_to_move,
    remove_secret,
    secret_of,
    write_secret,
)
from inventory.api.pages import DEFAULT_LIMIT, Cursor, Limit, PageOf, Search, as_page
from inventory.domain.devices.addresses import DESTINATION_SCHEMES_SHOWN, Address, parse_url_template
from inventory.domain.devices.destination import DestinationFields, check_provable
from inventory.domain.devices.trust import Trust
from inventory.domain.fields import Code, Name
from inventory.storage.deliveries import connect_all_cameras, disconnect_all_cameras
from inventory.storage.lists import fetch_page, matches_search
from inventory.storage.references import refuse_while_referred
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Camera, Delivery, Destination
from vonggac.auth import Principal
from vonggac.events.inventory import DestinationRole, RequiredProof

router = APIRouter(prefix="/v1/destinations", tags=["destinations"])
_TEMPLATES = {"url_template": LOGIN, "read_back_url_template": READ_BACK_LOGIN}
"""Fields that hold an address, each with the columns of the login that may be in it."""


class NewDestination(DestinationFields):
    """A destination to add."""

    url_template: str = Field(
        description=f"Address ({DESTINATION_SCHEMES_SHOWN}) with {{camera_code}} or {{camera_id}}, perhaps "
        "{facility_code}; user:password@ is split off and sealed."
    )
    read_back_url_template: str | None = Field(
        default=None,
        description="Address where the centre plays the stream back, with the same placeholders (often the same as "
        "url_template); null: the centre plays nothing back, so nothing can be verified there. user:password@ becomes "
        "the read-back secret.",
    )
    connect_all_cameras: bool = Field(default=False, description="Create a delivery to it for every camera.")


@with_config(ConfigDict(extra="forbid"))
class DestinationPatch(TypedDict, total=False):
    code: Code
    name: Name
    role: DestinationRole
    url_template: str
    read_back_url_template: str | None
    required_proof: RequiredProof
    enabled: bool
    tls: Trust | None
    enhanced_rtmp: bool


class DestinationShown(Shown):
    code: str
    name: str
    role: DestinationRole
    url_template: str
    read_back_url_template: str | None
    required_proof: RequiredProof
    enabled: bool
    tls: Trust | None
    enhanced_rtmp: bool
    has_secret: bool
    secret_changed_at: AwareDatetime | None
    has_read_back_secret: bool = Field(
        description="Without one, the login for publishing reads back at the same scheme, host and port, and no login "
        "anywhere else."
    )
    read_back_secret_changed_at: AwareDatetime | None


@router.post("", status_code=HTTPStatus.CREATED, summary="Add a destination")
async def add_destination(body: NewDestination, context: Context, caller: Adder) -> DestinationShown:
    """Cameras added later are connected to every enabled destination by default."""
    addresses = _addresses(context, body.model_dump(include=set(_TEMPLATES)))
    _check(body, addresses["url_template"], addresses["read_back_url_template"])
    async with context.write_transaction(caller) as transaction:
        fields = body.model_dump(exclude={*_TEMPLATES, "connect_all_cameras"})
        destination = Destination(**fields, **_columns(context, transaction, caller, addresses))
        await transaction.add_thing(destination)
        if body.connect_all_cameras:
            await connect_all_cameras(transaction, destination)
    return context.answer_with(DestinationShown, destination)


@router.get("", summary="List destinations by code")
async def list_destinations(
    context: Context,
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
        query = query.where(matches_search(Destination.search, q))
    if code is not None:
        query = query.where(Destination.code == code)
    if role is not None:
        query = query.where(Destination.role == role)
    if enabled is not None:
        query = query.where(Destination.enabled == enabled)
    async with context.read_transaction() as session:
        return as_page(DestinationShown, await fetch_page(session, query, Destination.code, cursor=cursor, limit=limit))


@router.get("/{destination_id}", summary="One destination")
async def get_destination(destination_id: UUID, context: Context, _caller: Reader) -> DestinationShown:
    """The ETag is its revision."""
    return await context.read_thing(DestinationShown, Destination, destination_id)


@router.patch("/{destination_id}", summary="Change a destination")
async def change_destination(
    destination_id: UUID, body: DestinationPatch, context: Context, caller: Changer
) -> DestinationShown:
    """Publishes every camera connected to it again.

    422 when there is a secret and a template without credentials leads to another scheme, host or port.
    """
    async with context.write_transaction(caller) as transaction:
        destination = await transaction.get_thing(Destination, destination_id)
        context.check_if_match(destination)
        addresses = _addresses(context, body)
        for name, columns in _TEMPLATES.items():
            refuse_to_move(destination, addresses.get(name), columns)
        patch = {name: value for name, value in body.items() if name not in _TEMPLATES}
        fields = merged(DestinationFields, destination, patch)
        _check(fields, *(addresses.get(name, getattr(destination, name)) for name in _TEMPLATES))
        await transaction.change_thing(
            destination, fields.model_dump() | _columns(context, transaction, caller, addresses)
        )
    return context.answer_with(DestinationShown, destination)


@router.delete("/{destination_id}", status_code=HTTPStatus.NO_CONTENT, summary="Remove a destination")
async def remove_destination(
    destination_id: UUID,
    context: Context,
    caller: Remover,
    disconnect_all_cameras_first: Annotated[
        bool, Query(alias="disconnect_all_cameras", description="Remove its deliveries too.")
    ] = False,
) -> None:
    """409 while cameras are connected to it, unless `disconnect_all_cameras=true`."""
    async with context.write_transaction(caller) as transaction:
        destination = await transaction.get_thing(Destination, destination_id)
        context.check_if_match(destination)
        if disconnect_all_cameras_first:
            await disconnect_all_cameras(transaction, destination)
        connected = select(Camera.code).join(Delivery, Delivery.camera_id == Camera.id)
        await refuse_while_referred(
            transaction.session, "cameras' deliveries", connected.where(Delivery.destination_id == destination_id)
        )
        await transaction.remove_thing(destination)


@router.put("/{destination_id}/secret", status_code=HTTPStatus.NO_CONTENT, summary="Write a destination's credentials")
async def write_destination_secret(destination_id: UUID, body: Secret, context: Context, caller: SecretWriter) -> None:
    """Seals them for the workers; nobody can read them back."""
    async with context.write_transaction(caller) as transaction:
        await write_secret(context, transaction, await transaction.get_thing(Destination, destination_id), body)


@router.delete(
    "/{destination_id}/secret", status_code=HTTPStatus.NO_CONTENT, summary="Remove a destination's credentials"
)
async def remove_destination_secret(destination_id: UUID, context: Context, caller: SecretWriter) -> None:
    """Forwarders then publish without credentials."""
    async with context.write_transaction(caller) as transaction:
        await remove_secret(context, transaction, await transaction.get_thing(Destination, destination_id))


@router.put(
    "/{destination_id}/read-back-secret",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Write the credentials for reading back",
)
async def write_read_back_secret(destination_id: UUID, body: Secret, context: Context, caller: SecretWriter) -> None:
    """For a centre whose playback takes another login than publishing. Sealed as well."""
    async with context.write_transaction(caller) as transaction:
        await write_secret(
            context, transaction, await transaction.get_thing(Destination, destination_id), body, READ_BACK_LOGIN
        )


@router.delete(
    "/{destination_id}/read-back-secret",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Remove the credentials for reading back",
)
async def remove_read_back_secret(destination_id: UUID, context: Context, caller: SecretWriter) -> None:
    """Probers then read back with the login for publishing, at its own scheme, host and port alone."""
    async with context.write_transaction(caller) as transaction:
        destination = await transaction.get_thing(Destination, destination_id)
        await remove_secret(context, transaction, destination, READ_BACK_LOGIN)


def _addresses(context: RequestContext, given: Mapping[str, Any]) -> dict[str, Address | None]:
    """The templates that are given, checked. Raises ProblemError 422."""
    return {
        name: context.parse_address(name, given[name], parse_url_template) if given[name] is not None else None
        for name in _TEMPLATES
        if name in given
    }


def _check(fields: DestinationFields, publish: Address | str | None, read_back: Address | str | None) -> None:
    """Rules between fields. Raises ProblemError 422."""
    urls = [address.url if isinstance(address, Address) else address for address in (publish, read_back)]
    check_trust(fields.tls, *urls)
    with refuse_as_422("read_back_url_template"):
        check_provable(fields.required_proof, urls[1])


def _columns(
    context: RequestContext, transaction: WriteTransaction, caller: Principal, addresses: Mapping[str, Address | None]
) -> dict[str, Any]:
    """The templates, and the credentials that were in them, as columns."""
    columns: dict[str, Any] = {}
    for name, address in addresses.items():
        columns[name] = address.url if address is not None else None
        columns |= secret_of(context, transaction, caller, address, _TEMPLATES[name])
    return columns
