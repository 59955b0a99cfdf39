"""/v1/destinations/{id}/…: what the engineer of a centre that pulls types in, and another password."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Context, Reason, RequestContext, WriteContext
from inventory.api.nouns.derived import Row, answer_derived, read_item
from inventory.domain.devices.serving import LONGEST_OVERLAP
from inventory.domain.fields import Fields
from inventory.exporting.csv_text import CsvFormat, csv_pieces
from inventory.importing.columns import Column, Kind
from inventory.nouns.devices.serving import NOT_SERVED, rotate_password
from inventory.nouns.writer import Write
from inventory.storage.queries.lists import Recorded
from inventory.storage.tables import Camera, Delivery, Destination, Facility
from vonggac.auth import Caller, guarded_router
from vonggac.events.inventory import DestinationMode, ServedTls, ServedTransport
from vonggac.http import ProblemError
from vonggac.http.idempotency import KeptAnswer
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/destinations", tags=["destinations"])
SETTING = "VONGGAC_INVENTORY_SERVED_ADDRESSES"
_NO_STORE = {"Cache-Control": "no-store"}
_HEADINGS = {
    "camera_code": "Mã camera",
    "camera_name": "Tên camera",
    "facility_code": "Mã cơ sở",
    "facility_name": "Tên cơ sở",
    "address": "Địa chỉ lấy hình",
    "plain_address": "Địa chỉ không TLS",
    "transports": "Cách truyền hình",
    "user_name": "Tài khoản",
    "enabled": "Đang dùng",
}


class Rotation(Fields):
    """How long the old password goes on working."""

    overlap_hours: int = Field(
        default=24,
        ge=0,
        le=LONGEST_OVERLAP // timedelta(hours=1),
        description="Hours in which the old password works beside the new one; 0: it ends at once.",
    )


class Rotated(BaseModel):
    """The login of a centre that pulls."""

    account: str
    password: str | None = Field(
        default=None, description="In this answer alone: not in a repetition of it, and nowhere else."
    )
    previous_until: AwareDatetime | None = Field(description="Until when the old password works too.")


class ServedAddress(BaseModel):
    """What the centre's engineer types in for one camera."""

    camera_id: UUID
    camera_code: str
    camera_name: str
    facility_code: str
    facility_name: str
    address: str = Field(examples=["rtsps://giam-sat.quangtri.example:322/bo-y-te/QT-01-C1"])
    plain_address: str | None = Field(description="The same without TLS, where the centre may use it.")
    transports: list[ServedTransport]
    user_name: str
    enabled: bool = Field(description="Camera, delivery and destination are switched on.")


class Form(StrEnum):
    """As what the addresses are answered."""

    JSON = "json"
    CSV = "csv"


ADDRESSES = Listing[ServedAddress, ServedAddress](
    ServedAddress,
    keys={"camera_code": Key(lambda one: one.camera_code), "camera_id": Key(lambda one: one.camera_id, UUID)},
    id_key="camera_id",
    default_sort="camera_code",
)


def with_password(response: Response, password: str | None) -> Response:
    """Add to the answer a password that the kept one has not; without one, leave it unchanged."""
    if password is None:
        return response
    body = json.loads(bytes(response.body)) | {"password": password}
    headers = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(content, response.status_code, headers | _NO_STORE, "application/json")


@router.post(
    "/{thing_id}/rotate",
    summary="Give a centre that pulls a new password",
    response_model=Rotated,
    responses=problems({409: "The centre is pushed to."}),
)
async def rotate_destination_password(
    thing_id: UUID, context: WriteContext, caller: Caller, body: Rotation | None = None, reason: Reason = None
) -> Response:
    """Shown once. The old one works for some hours more, so that the centre changes over without a gap."""
    password: str | None = None
    overlap = timedelta(hours=(body or Rotation()).overlap_hours)

    async def work(writing: Write) -> Destination:
        nonlocal password
        destination = await writing.transaction.get_thing(Destination, thing_id)
        password = await rotate_password(writing, destination, overlap)
        return destination

    async def answer(_session: AsyncSession, destination: Destination) -> KeptAnswer:
        shown = Rotated(account=destination.account or "", previous_until=destination.previous_secret_until)
        return KeptAnswer(HTTPStatus.OK, {"ETag": destination.etag}, shown.model_dump_json().encode())

    return with_password(await context.write(caller, work, answer, reason=reason), password)


@router.get(
    "/{thing_id}/addresses",
    summary="What a centre that pulls types in",
    responses={
        **ADDRESSES.responses,
        200: {**ADDRESSES.responses.get(200, {}), "description": "The addresses."},
        **problems({409: "The centre is pushed to, or no public address is set."}),
    },
    response_model=None,
)
async def list_served_addresses(
    thing_id: UUID,
    context: Context,
    page: Annotated[PageQuery[ServedAddress, ServedAddress], Depends(ADDRESSES)],
    form: Annotated[Form, Query(alias="format", description="json: a page; csv: all of them.")] = Form.JSON,
    dialect: Annotated[CsvFormat, Query(description="Of a CSV: rfc4180 or excel-vi.")] = CsvFormat.RFC4180,
) -> Response:
    """List a row per camera that the caller sees: address, transports and user name, never the password."""

    async def read(session: AsyncSession, recorded: Recorded) -> Sequence[ServedAddress]:
        destination = await read_item(session, Destination, recorded, thing_id)
        bases = _bases(destination, context)
        return [_to_response(row, destination, bases) for row in await _cameras(session, recorded, thing_id)]

    if form is Form.JSON:
        return await answer_derived(context, page, (None, None), read, shown=lambda one: one)
    async with context.read_transaction() as session:
        rows = await read(session, context.recorded(None))
    kinds = {"enabled": Kind.YES_NO}
    columns = [Column(name=name, heading=_HEADINGS[name], kind=kinds.get(name, Kind.TEXT)) for name in _HEADINGS]
    pieces = [piece async for piece in csv_pieces(columns, _as_cells(rows), dialect)]
    headers = {"Content-Disposition": 'attachment; filename="addresses.csv"'}
    return Response("".join(pieces), media_type="text/csv; charset=utf-8", headers=headers)


async def _as_cells(rows: Sequence[ServedAddress]) -> AsyncIterator[Mapping[str, Any]]:
    for row in sorted(rows, key=lambda one: one.camera_code):
        yield {**dict(row), "transports": " ".join(row.transports)}


def _bases(destination: Row, context: RequestContext) -> tuple[str, str | None]:
    """Find the address before the path, and the one without TLS. Raises ProblemError 409 naming what is not set."""
    if destination["mode"] is not DestinationMode.SERVE:
        raise ProblemError(HTTPStatus.CONFLICT, "not_served", NOT_SERVED)
    tls = ServedTls(destination["serving"]["tls"])
    known = {address.partition("://")[0]: address for address in context.services.served_addresses}
    usable = {
        ServedTls.REQUIRED: [known.get("rtsps")],
        ServedTls.OFFERED: [known.get("rtsps"), known.get("rtsp")],
        ServedTls.NONE: [known.get("rtsp")],
    }[tls]
    first = next((each for each in usable if each is not None), None)
    if first is None:
        scheme = "rtsp" if tls is ServedTls.NONE else "rtsps"
        msg = f"{SETTING} names no {scheme}:// address: set it to where centres reach the forwarders"
        raise ProblemError(HTTPStatus.CONFLICT, "no_public_address", msg)
    return first, known.get("rtsp") if tls is not ServedTls.REQUIRED else None


def _to_response(row: Any, destination: Row, bases: tuple[str, str | None]) -> ServedAddress:
    path = f"/{destination['code']}/{row.camera_code}"
    address, plain = bases
    return ServedAddress(
        **{name: row._mapping[name] for name in _STATED},
        address=f"{address}{path}",
        plain_address=f"{plain}{path}" if plain is not None else None,
        transports=destination["serving"]["transports"],
        user_name=destination["account"],
        enabled=row.enabled and destination["enabled"],
    )


_STATED = ("camera_id", "camera_code", "camera_name", "facility_code", "facility_name")


async def _cameras(session: AsyncSession, recorded: Recorded, destination_id: UUID) -> Sequence[Any]:
    deliveries, cameras, facilities = map(recorded, (Delivery, Camera, Facility))
    query = (
        select(
            cameras.c.id.label("camera_id"),
            cameras.c.code.label("camera_code"),
            cameras.c.name.label("camera_name"),
            facilities.c.code.label("facility_code"),
            facilities.c.name.label("facility_name"),
            (deliveries.c.enabled & cameras.c.enabled).label("enabled"),
        )
        .join(cameras, cameras.c.id == deliveries.c.camera_id)
        .join(facilities, facilities.c.id == cameras.c.facility_id)
        .where(deliveries.c.destination_id == destination_id)
    )
    return (await session.execute(query)).all()
