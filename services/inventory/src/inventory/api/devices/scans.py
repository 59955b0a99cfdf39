"""`POST /v1/facilities/{id}/scanned-cameras`: what a scan of the prober found is taken into the register."""

from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Reason, WriteContext
from inventory.api.nouns.bulk import do_each
from inventory.api.nouns.rules import make_thing
from inventory.domain.devices.camera import NewCamera
from inventory.domain.devices.sameness import Device, Devices
from inventory.domain.devices.scanned import FoundSource, ScanAcceptance, accepted
from inventory.nouns.devices.cameras import CameraResponse
from inventory.nouns.devices.declared import CAMERA
from inventory.nouns.devices.sameness import DEVICE, device_of, to_visible_code
from inventory.nouns.writer import Write
from inventory.storage.queries.sight import select_visible, sight_of
from inventory.storage.tables import Camera, Facility
from vonggac.auth import Caller, guarded_router
from vonggac.http.idempotency import KeptAnswer

_ON_RECORD = select(Camera.id, Camera.code, *DEVICE)

router = guarded_router(prefix="/v1/facilities", tags=["cameras"])


class KnownCamera(BaseModel):
    """A camera of the scan that is on record already."""

    code: str = Field(description="As the scan names it.")
    on_record: str = Field(description="Code of the camera that is the same device.")
    by: str = Field(description="By what it is known: url, sub_url, serial or mac.")


class AcceptedScan(BaseModel):
    """What became of a scan's cameras."""

    created: list[CameraResponse]
    known: list[KnownCamera] = Field(description="Left as they are on record.")


@router.post(
    "/{thing_id}/scanned-cameras",
    status_code=HTTPStatus.CREATED,
    summary="Take the cameras of a scan into the register",
    response_model=AcceptedScan,
)
async def accept_scan(
    thing_id: UUID, body: ScanAcceptance, context: WriteContext, caller: Caller, reason: Reason = None
) -> Response:
    """All new ones or none, by the rules of every camera; those that are on record already are named and stay.

    `scan` is the prober's answer as it was read. With a login it needs the right to write secrets.
    """

    async def work(writing: Write) -> tuple[list[UUID], list[KnownCamera]]:
        facility = await writing.transaction.get_thing(Facility, thing_id)
        session = writing.transaction.session
        on_record = {row.code: row for row in await session.execute(_ON_RECORD)}
        devices = Devices()
        for row in on_record.values():
            devices.add(device_of(*row))
        known: list[KnownCamera] = []
        new: list[dict[str, Any]] = []
        for source, fields in accepted(body, facility.code):
            same = devices.find_same(_device(source, fields))
            if same is None:
                new.append({**fields, "url": _with_login(source.url, body), "facility_id": facility.id})
            else:
                other = await to_visible_code(session, on_record[same.code])
                known.append(KnownCamera(code=source.code, on_record=other, by=same.field))
        made = await do_each(writing, new, lambda fields: _make(writing, fields, body))
        return [camera.id for camera in made], known

    async def answer(session: AsyncSession, done: tuple[list[UUID], list[KnownCamera]]) -> KeptAnswer:
        ids, known = done
        cameras = select_visible(Camera, None, sight_of(session))
        rows = (await session.execute(select(cameras).where(cameras.c.id.in_(ids)))).mappings().all()
        by_id = {row["id"]: CameraResponse.model_validate(row) for row in rows}
        shown = AcceptedScan.model_construct(created=[by_id[each] for each in ids], known=known)
        return KeptAnswer(HTTPStatus.CREATED, {}, shown.model_dump_json().encode())

    return await context.write(caller, work, answer, reason=reason)


async def _make(writing: Write, fields: dict[str, Any], body: ScanAcceptance) -> Any:
    return await make_thing(writing, CAMERA, NewCamera(**fields, destination_ids=body.destination_ids))


def _device(source: FoundSource, fields: dict[str, Any]) -> Device:
    expected = fields["expected"]
    return Device(UUID(int=0), source.code, source.url, expected.serial, expected.mac)


def _with_login(url: str, body: ScanAcceptance) -> str:
    """Put the login before the address's host, where `NewCamera` takes it from to be sealed."""
    if body.username is None or body.password is None:
        return url
    scheme, found, rest = url.partition("://")
    login = f"{quote(body.username, safe='')}:{quote(body.password.get_secret_value(), safe='')}@"
    return f"{scheme}{found}{login}{rest}" if found else url
