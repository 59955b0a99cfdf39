"""The picture of each camera that a person approved; `scene_changed` compares with it."""

from http import HTTPStatus
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, Field

from prober.api.bus import AWAY, LocalTime, answered_by_the_bus, bus_of, hides_camera
from prober.probes.camera.picture_store import PictureRefusedError, Reference, References
from vonggac.auth import Caller, guarded_router
from vonggac.http import ProblemError
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/cameras/{camera_id}/reference", tags=["references"])


class ReferenceResponse(BaseModel):
    """Who approved which picture. The picture itself is not shown: it is a thumbnail for comparing only."""

    camera_id: UUID
    taken_at: LocalTime = Field(description="When the approved picture was seen.")
    approved_at: LocalTime
    approved_by: str

    @classmethod
    def of(cls, camera_id: UUID, reference: Reference) -> "ReferenceResponse":
        return cls(
            camera_id=camera_id,
            taken_at=reference.taken_at,
            approved_at=reference.approved_at,
            approved_by=reference.approved_by,
        )


@router.get(
    "",
    summary="Which picture is the camera's reference",
    description="Who approved it and when; 404 where nobody has.",
    responses=problems({404: "No picture was approved", **AWAY}),
)
async def get_reference(request: Request, caller: Caller, camera_id: UUID) -> ReferenceResponse:
    with answered_by_the_bus():
        reference = await References(bus_of(request)).get(camera_id)
    if reference is None or await hides_camera(request, caller, camera_id):
        raise ProblemError(HTTPStatus.NOT_FOUND, "no_reference", "no picture of this camera was approved")
    return ReferenceResponse.of(camera_id, reference)


@router.put(
    "",
    summary="Approve the camera's present picture as its reference",
    description="The picture of the last deep probe is taken. View it before (at the camera or a centre): from now on "
    "whatever differs from it in structure is `scene_changed`.",
    responses=problems({409: "No picture of this camera was seen lately, or the last one was bad", **AWAY}),
)
async def approve_reference(request: Request, camera_id: UUID, caller: Caller) -> ReferenceResponse:
    if await hides_camera(request, caller, camera_id):
        raise _no_picture()
    try:
        with answered_by_the_bus():
            reference = await References(bus_of(request)).approve(camera_id, by=caller.subject)
    except PictureRefusedError as error:
        msg = f"{error}. Put the camera right and probe it again (POST /v1/probes), then approve its picture"
        raise ProblemError(HTTPStatus.CONFLICT, "picture_not_good", msg) from None
    if reference is None:
        raise _no_picture()
    return ReferenceResponse.of(camera_id, reference)


@router.delete(
    "",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Forget the camera's reference",
    description="From now on `scene_changed` is not checked at this camera. No reference is no mistake.",
    responses=problems(AWAY),
)
async def forget_reference(request: Request, caller: Caller, camera_id: UUID) -> None:
    if await hides_camera(request, caller, camera_id):
        return
    with answered_by_the_bus():
        await References(bus_of(request)).remove(camera_id)


def _no_picture() -> ProblemError:
    msg = "no picture of this camera was seen within a day; probe it first (POST /v1/probes)"
    return ProblemError(HTTPStatus.CONFLICT, "no_picture", msg)
