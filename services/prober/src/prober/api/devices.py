"""Which device is at a camera's address; `another_device` stays until somebody confirms the new one."""

from http import HTTPStatus
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, Field

from prober.api.bus import AWAY, LocalTime, answered_by_the_bus, bus_of, hides_camera, now_of
from prober.messaging import CameraStatuses
from prober.probes.camera.identity import ConfirmedDevices
from vonggac.auth import Caller, guarded_router
from vonggac.http import ProblemError
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/cameras/{camera_id}/device", tags=["devices"])


class DeviceResponse(BaseModel):
    """The device that is known at the address, and whether another one is there."""

    camera_id: UUID
    serial: str | None
    mac: str | None
    link_mac: str | None
    stream: str | None = Field(description="Codec, profile and size of its pictures.")
    changed_at: LocalTime | None = Field(description="Since when another device is there; null: none is.")
    change: str | None = Field(description="By what it differs.")
    confirmed_at: LocalTime | None = Field(description="When somebody confirmed the device last.")
    confirmed_by: str | None


@router.get(
    "",
    summary="Which device is at the camera's address",
    description="By serial number, MAC and stream, as far as a probe saw them; 404 before the first good probe.",
    responses=problems({404: "No device was seen at this camera's address", **AWAY}),
)
async def get_device(request: Request, caller: Caller, camera_id: UUID) -> DeviceResponse:
    return await _to_response(request, caller, camera_id)


@router.put(
    "",
    summary="Confirm the device at the camera's address",
    description="Whoever confirms has seen which camera is there: `another_device` ends with the next good probe, and "
    "what that sees is the known device from then on. Who confirmed and when is on record.",
    responses=problems({404: "No device was seen at this camera's address", **AWAY}),
)
async def confirm_device(request: Request, caller: Caller, camera_id: UUID) -> DeviceResponse:
    await _to_response(request, caller, camera_id)
    with answered_by_the_bus():
        await ConfirmedDevices(bus_of(request)).confirm(camera_id, by=caller.subject, at=now_of(request))
    return await _to_response(request, caller, camera_id)


async def _to_response(request: Request, caller: Caller, camera_id: UUID) -> DeviceResponse:
    with answered_by_the_bus():
        status = await CameraStatuses(bus_of(request)).get(camera_id)
        confirmed = await ConfirmedDevices(bus_of(request)).get(camera_id)
    if status is None or status.device is None or await hides_camera(request, caller, camera_id):
        msg = "no device was seen at this camera's address; probe it first (POST /v1/probes)"
        raise ProblemError(HTTPStatus.NOT_FOUND, "no_device", msg)
    return DeviceResponse(
        camera_id=camera_id,
        confirmed_at=confirmed.confirmed_at if confirmed is not None else None,
        confirmed_by=confirmed.confirmed_by if confirmed is not None else None,
        **{name: getattr(status.device, name) for name in DeviceResponse.model_fields.keys() & vars(status.device)},
    )
