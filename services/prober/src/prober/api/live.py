"""Live pictures for a person who views them: what a centre gives back of a camera's delivery, as fragmented MP4."""

import asyncio
from http import HTTPStatus
from uuid import UUID

from fastapi import Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict
from starlette.types import Receive, Scope, Send

from prober.api.advice import Coarse, reason_for
from prober.api.bus import AWAY, answered_by_the_bus, lives_of, now_of, seen_camera
from prober.api.demands import Wanted, admit
from prober.api.pictures import find_delivery, target_of
from prober.probes.viewing.live import LiveView, NoRoomError
from prober.probes.viewing.still import NoStill
from vonggac.auth import Caller, Principal, guarded_router
from vonggac.events import Cause
from vonggac.events.advice import ADVICE
from vonggac.events.prober import DemandKind
from vonggac.http import ProblemError
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/pictures", tags=["pictures"])

LONGEST_S = 300.0
"""Then whoever still views asks anew: that is on record again."""
SLACK_S = 5.0
"""For who reads so slowly that the end itself waits to be sent."""


class LiveRequest(BaseModel):
    """Of which delivery."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "camera_id": "3f2b1c7e-5a0d-4c8e-9b1a-2d6f0e4a7c31",
                    "delivery_id": "7a1d0c52-93e4-4a6b-8f0e-5b2c9d7e1f64",
                }
            ]
        },
    )

    camera_id: UUID
    delivery_id: UUID


class LiveResponse(StreamingResponse):
    """Leaves the view whatever ends the answer, also before its first byte."""

    def __init__(self, view: LiveView, lasts_s: float) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(view.viewer.read(lasts_s=lasts_s), media_type=view.media_type, headers=headers)
        self._view, self._lasts_s = view, lasts_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._lasts_s + SLACK_S):
                await super().__call__(scope, receive, send)
        finally:
            self._view.leave()


@router.post(
    "/live",
    summary="View live pictures of a centre",
    description="What the delivery's centre gives back, as fragmented MP4 of H.264 (`Content-Type` names the codec), "
    "passed on as it came. The centre is played once however many view it; the camera is never connected to. It ends "
    f"after {LONGEST_S / 60:.0f} minutes, with the token, or when nothing comes. Needs the right `view`; each view is "
    "on record.",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"video/mp4": {"schema": {"type": "string", "format": "binary"}}}, "description": "Pictures."},
        **problems(
            {
                404: "There is no such camera or delivery",
                409: "The delivery is disabled (`delivery_disabled`), its centre gives nothing back "
                "(`not_given_back`), or not H.264 (`live_codec`): `POST /v1/pictures` has a still picture",
                429: "Too many on demand in the last hour, or too many viewers now",
                502: "The centre does not play it now (`centre_failed`)",
                **AWAY,
            }
        ),
    },
)
async def view_live(request: Request, caller: Caller, wanted: LiveRequest) -> LiveResponse:
    camera = await seen_camera(request, caller, wanted.camera_id)
    if camera is None:
        msg = f"the inventory has no camera {wanted.camera_id}"
        raise ProblemError(HTTPStatus.NOT_FOUND, "camera_not_found", msg)
    delivery = find_delivery(camera, wanted.delivery_id)
    lives = lives_of(request)
    if not lives.has_room(delivery.id):
        raise _no_room()
    target = f"{target_of(camera, delivery)}, live"
    with answered_by_the_bus():
        await admit(request, caller, Wanted.of_camera(DemandKind.VIEW, camera.id, target))
    try:
        view = await lives.join(delivery)
    except NoRoomError:
        raise _no_room() from None
    if isinstance(view, NoStill):
        raise _problem_of(caller, view, given_back=delivery.read_back_url is not None)
    left_s = (caller.expires_at - now_of(request)).total_seconds() if caller.expires_at is not None else LONGEST_S
    return LiveResponse(view, min(LONGEST_S, left_s))


def _no_room() -> ProblemError:
    msg = "as many people view live pictures as this prober bears, of this delivery or of all"
    return ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "live_viewers", msg, headers={"Retry-After": "30"})


def _problem_of(caller: Principal, why: NoStill, *, given_back: bool) -> ProblemError:
    cause, detail = reason_for(caller, why.cause, why.detail)
    if not given_back:
        return ProblemError(HTTPStatus.CONFLICT, "not_given_back", why.detail)
    if cause is Cause.CODEC_UNSUPPORTED:
        return ProblemError(HTTPStatus.CONFLICT, "live_codec", f"{why.detail}: view a still picture instead")
    said = detail or "it is not reached"
    advice = ADVICE[cause].vi if isinstance(cause, Cause) else None
    vi = "trung tâm không trả lại hình lúc này" + (f": {advice}" if advice else "")
    if isinstance(cause, Coarse):
        vi = "không kết nối được tới trung tâm"
    return ProblemError(
        HTTPStatus.BAD_GATEWAY, "centre_failed", f"the centre plays nothing back now: {said}", detail_vi=vi
    )
