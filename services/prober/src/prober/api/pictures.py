"""A picture for a person who views it: what a centre gives back of a camera, or what the camera sends."""

from base64 import b64encode
from functools import partial
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from nats.errors import Error as NatsError
from pydantic import BaseModel, ConfigDict, Field

from prober.api.advice import AdviceResponse, CauseResponse, reason_for
from prober.api.bus import AWAY, LocalTime, answered_by_the_bus, now_of, seen_camera, stills_of
from prober.api.demands import Wanted, admit
from prober.probes.demands import registered
from prober.probes.viewing.rounds import LONGEST_S, Rounds
from prober.probes.viewing.still import NoStill, PictureOf, Still, StillResult
from prober.probes.viewing.stills import Stills
from vonggac.auth import Caller, Principal, guarded_router
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.events.prober import DemandKind
from vonggac.http import ProblemError
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/pictures", tags=["pictures"])

WIDEST = 1920
MOST_TILES = 100


class PictureRequest(BaseModel):
    """Whose picture: of one delivery what its centre gives back, of a camera alone what it sends."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"camera_id": "3f2b1c7e-5a0d-4c8e-9b1a-2d6f0e4a7c31"}]}
    )

    camera_id: UUID
    delivery_id: UUID | None = Field(default=None, description="One of the camera's; left out: the camera's own.")
    width: Annotated[int, Field(strict=True, ge=160, le=WIDEST)] = Field(
        default=960, description="Pixels, at most; the picture is never enlarged."
    )


class NoPicture(BaseModel):
    """Why there is no picture."""

    cause: CauseResponse | None = Field(description="`unreachable`: as of cameras.")
    detail: str | None
    advice: AdviceResponse | None

    @classmethod
    def of(cls, caller: Principal, reason: NoStill) -> "NoPicture":
        cause, detail = reason_for(caller, reason.cause, reason.detail)
        return cls(cause=cause, detail=detail, advice=AdviceResponse.on(cause))


class PictureResponse(BaseModel):
    """One picture, and whose it is. `of`, `jpeg` and what describes it are null where there is none."""

    camera_id: UUID
    delivery_id: UUID | None
    of: PictureOf | None = Field(
        description="`centre`: it was given back. `camera`: the camera sends it, which proves nothing of a centre."
    )
    jpeg: str | None = Field(description="JPEG, base64.", json_schema_extra={"contentEncoding": "base64"})
    width: int | None
    height: int | None
    codec: str | None = Field(description="Of the stream: h264 or h265.")
    seen_at: LocalTime | None = Field(
        description="Of a centre's picture, when it came back; of a camera's, when its forwarder received it."
    )
    centre: NoPicture | None = Field(description="Why the centre gave nothing back; null: it did, or was not asked.")
    camera: NoPicture | None = Field(description="Why there is nothing of the camera; null: there is, or not asked.")


@router.post(
    "",
    summary="View a picture now",
    description="Of a delivery: its centre is played like at a read-back, and hung up on after one picture. A centre "
    "that gives nothing back: `centre` says why, and the picture is the camera's, which `of` says. The camera itself "
    "is never connected to: its forwarder has the keyframe. Needs the right `view`; each view is on record.",
    responses=problems(
        {
            404: "There is no such camera or delivery",
            409: "The delivery is disabled",
            429: "Too many on demand in the last hour",
            **AWAY,
        }
    ),
)
async def view_now(request: Request, caller: Caller, wanted: PictureRequest, response: Response) -> PictureResponse:
    camera = await seen_camera(request, caller, wanted.camera_id)
    if camera is None:
        msg = f"the inventory has no camera {wanted.camera_id}"
        raise ProblemError(HTTPStatus.NOT_FOUND, "camera_not_found", msg)
    delivery = find_delivery(camera, wanted.delivery_id) if wanted.delivery_id is not None else None
    stills = stills_of(request)
    response.headers["Cache-Control"] = "no-store"
    with answered_by_the_bus():
        await admit(request, caller, view_of(camera, delivery))
        return await fetch_picture(stills, caller, camera, delivery, wanted.width)


class TileRequest(BaseModel):
    """One picture of a stream."""

    model_config = ConfigDict(extra="forbid")

    camera_id: UUID
    delivery_id: UUID | None = Field(default=None, description="One of the camera's; left out: the camera's own.")


class StreamRequest(BaseModel):
    """Which pictures, how wide, and how often."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"tiles": [{"camera_id": "3f2b1c7e-5a0d-4c8e-9b1a-2d6f0e4a7c31"}]}]},
    )

    tiles: list[TileRequest] = Field(min_length=1, max_length=MOST_TILES)
    width: Annotated[int, Field(strict=True, ge=160, le=640)] = Field(default=320, description="Pixels, at most.")
    every_s: float = Field(default=15.0, ge=10, le=300, description="Seconds from round to round.")


@router.post(
    "/stream",
    summary="View many pictures, in one stream",
    description=f"Up to {MOST_TILES} pictures a round, each as soon as it is there, as lines of JSON in the shape of "
    f"`POST /v1/pictures`. It ends after {LONGEST_S / 60:.0f} minutes, or with the token. One record names them all.",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}, "description": "A line a picture."},
        **problems(
            {
                404: "There is no such camera or delivery",
                409: "A delivery is disabled",
                429: "Too many on demand in the last hour, or too many streams now",
                **AWAY,
            }
        ),
    },
)
async def view_many(request: Request, caller: Caller, wanted: StreamRequest) -> StreamingResponse:
    rounds: Rounds = request.app.state.rounds
    stills = stills_of(request)
    tiles = [await _find_tile(request, caller, tile) for tile in wanted.tiles]
    if rounds.is_full:
        msg = "as many streams of pictures are open as this prober bears"
        raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "picture_streams", msg, headers={"Retry-After": "30"})
    targets = tuple(target_of(camera, delivery) for camera, delivery in tiles)
    endpoints = tuple(registered(camera.id) for camera, _ in tiles)
    with answered_by_the_bus():
        await admit(request, caller, Wanted(DemandKind.VIEW, targets, endpoints))

    async def fetch(camera: CameraV1, delivery: PlannedDelivery | None) -> bytes:
        try:
            found = await fetch_picture(stills, caller, camera, delivery, wanted.width)
        except (NatsError, TimeoutError, OSError):
            found = _no_picture(caller, camera, delivery, None, NoStill(None, "NATS does not answer"))
        return found.model_dump_json().encode() + b"\n"

    left_s = (caller.expires_at - now_of(request)).total_seconds() if caller.expires_at is not None else LONGEST_S
    lines = rounds.stream(
        [partial(fetch, camera, delivery) for camera, delivery in tiles], every_s=wanted.every_s, lasts_s=left_s
    )
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(lines, media_type="application/x-ndjson", headers=headers)


async def _find_tile(request: Request, caller: Principal, tile: TileRequest) -> tuple[CameraV1, PlannedDelivery | None]:
    camera = await seen_camera(request, caller, tile.camera_id)
    if camera is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "camera_not_found", f"the inventory has no camera {tile.camera_id}")
    return camera, find_delivery(camera, tile.delivery_id) if tile.delivery_id is not None else None


async def fetch_picture(
    stills: Stills, caller: Principal, camera: CameraV1, delivery: PlannedDelivery | None, width: int
) -> PictureResponse:
    """Fetch what the centre gives back; where it gives nothing, or none is asked for, what the camera sends.

    Raises NatsError, TimeoutError or OSError.
    """
    given = await stills.of_centre(camera, delivery, width) if delivery is not None else None
    sent = await stills.of_camera(camera, width) if not isinstance(given, Still) else None
    found = given if isinstance(given, Still) else sent
    if not isinstance(found, Still):
        return _no_picture(caller, camera, delivery, given, found)
    return PictureResponse(
        camera_id=camera.id,
        delivery_id=delivery.id if delivery is not None else None,
        of=found.of,
        jpeg=b64encode(found.jpeg).decode("ascii"),
        width=found.width,
        height=found.height,
        codec=found.codec,
        seen_at=found.seen_at,
        centre=_reason(caller, given),
        camera=None,
    )


def _no_picture(
    caller: Principal,
    camera: CameraV1,
    delivery: PlannedDelivery | None,
    given: StillResult | None,
    sent: StillResult | None,
) -> PictureResponse:
    return PictureResponse(
        camera_id=camera.id,
        delivery_id=delivery.id if delivery is not None else None,
        of=None,
        jpeg=None,
        width=None,
        height=None,
        codec=None,
        seen_at=None,
        centre=_reason(caller, given),
        camera=_reason(caller, sent),
    )


def _reason(caller: Principal, result: StillResult | None) -> NoPicture | None:
    return NoPicture.of(caller, result) if isinstance(result, NoStill) else None


def view_of(camera: CameraV1, delivery: PlannedDelivery | None) -> Wanted:
    """Build what is recorded of one view."""
    return Wanted.of_camera(DemandKind.VIEW, camera.id, target_of(camera, delivery))


def target_of(camera: CameraV1, delivery: PlannedDelivery | None) -> str:
    """Name the camera, and the delivery whose centre is asked."""
    return f"camera {camera.id}" + (f", delivery {delivery.id}" if delivery is not None else "")


def find_delivery(camera: CameraV1, delivery_id: UUID) -> PlannedDelivery:
    """Find a delivery of the camera that runs. Raises ProblemError."""
    delivery = next((each for each in camera.deliveries if each.id == delivery_id), None)
    if delivery is None:
        msg = f"the camera {camera.id} has no such delivery"
        raise ProblemError(HTTPStatus.NOT_FOUND, "delivery_not_found", msg)
    if delivery not in camera.forwarded:
        msg = "the camera or its delivery is disabled or without an agreed plan, or its facility closed"
        raise ProblemError(HTTPStatus.CONFLICT, "delivery_disabled", msg + ": change that in the inventory")
    return delivery
