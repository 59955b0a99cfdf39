"""`/v1/cameras`: the virtual cameras, their counters and their faults."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from simulator.api.refusals import refusals_as_answers
from simulator.cameras.camera import Camera
from simulator.config import AudioCodec, Auth, CameraConfig, Scene, VideoCodec
from simulator.devices.faults import CameraFault, FaultError
from simulator.simulator import Simulator
from vonggac.http import ProblemError

router = APIRouter(prefix="/v1/cameras", tags=["cameras"])


class CameraView(BaseModel):
    """A camera as the API shows it: no password, neither here nor in `url`."""

    id: str
    url: str
    host: str
    port: int
    path: str
    codec: VideoCodec
    width: int
    height: int
    fps: int
    bitrate_kbps: int
    gop_s: float
    audio: AudioCodec
    scene: Scene
    auth: Auth
    username: str
    tls: bool
    certificate_sha256: str | None
    max_sessions: int
    ready: bool
    fault: CameraFault | None
    connections: int
    sessions: int
    sessions_total: int
    reboots: int
    logins_failed: int
    login_locked: bool
    frames_dropped: int
    last_frame_at: datetime | None
    """When it sent its last frame to a session; None since it rebooted, until it sends one."""


class CameraList(BaseModel):
    """All cameras in the order of the configuration."""

    items: list[CameraView]


def _camera(camera_id: str, request: Request) -> Camera:
    simulator: Simulator = request.app.state.simulator
    camera = simulator.cameras.get(camera_id)
    if camera is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "camera_unknown",
            f"there is no camera {camera_id}; GET /v1/cameras lists them",
        )
    return camera


def _ready_camera(camera: Annotated[Camera, Depends(_camera)]) -> Camera:
    if not camera.ready:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "camera_not_ready",
            f"the clip of {camera.id} is being encoded; /readyz shows when it is ready",
        )
    return camera


type AnyCamera = Annotated[Camera, Depends(_camera)]
type ReadyCamera = Annotated[Camera, Depends(_ready_camera)]


@router.get("")
async def list_cameras(request: Request) -> CameraList:
    """All cameras with their real ports."""
    simulator: Simulator = request.app.state.simulator
    return CameraList(items=[view(camera) for camera in simulator.cameras.values()])


@router.post("", status_code=HTTPStatus.CREATED)
async def add_camera(request: Request, config: CameraConfig) -> CameraView:
    """Add a camera; the answer comes when it can be played. It gets a free port unless one is named."""
    simulator: Simulator = request.app.state.simulator
    with refusals_as_answers():
        return view(await simulator.add_camera(config))


@router.delete("/{camera_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_camera(camera: ReadyCamera, request: Request) -> None:
    """Cut its sessions and release its port."""
    simulator: Simulator = request.app.state.simulator
    await simulator.remove_camera(camera.id)


@router.get("/{camera_id}")
async def get_camera(camera: AnyCamera) -> CameraView:
    """One camera."""
    return view(camera)


@router.put("/{camera_id}/fault")
async def set_camera_fault(camera: ReadyCamera, fault: CameraFault) -> CameraView:
    """Set a fault, in place of any other; `close` has ended when this is answered."""
    try:
        await camera.set_fault(fault)
    except FaultError as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "fault_does_not_fit", str(error)) from None
    return view(camera)


@router.delete("/{camera_id}/fault")
async def clear_camera_fault(camera: ReadyCamera) -> CameraView:
    """Clear the fault."""
    await camera.clear_fault()
    return view(camera)


def _moment(unix_s: float | None) -> datetime | None:
    return None if unix_s is None else datetime.fromtimestamp(unix_s, UTC)


def view(camera: Camera) -> CameraView:
    """Show the camera as it is now."""
    config = camera.config
    return CameraView(
        id=camera.id,
        url=camera.url(),
        host=camera.host,
        port=camera.port,
        path=config.path,
        codec=config.codec,
        width=config.width,
        height=config.height,
        fps=config.fps,
        bitrate_kbps=config.bitrate_kbps,
        gop_s=config.gop_s,
        audio=config.audio,
        scene=config.scene,
        auth=config.auth,
        username=config.username,
        tls=config.tls,
        certificate_sha256=camera.certificate_sha256,
        max_sessions=config.max_sessions,
        ready=camera.ready,
        fault=camera.fault,
        connections=len(camera.connections),
        sessions=camera.sessions,
        sessions_total=camera.sessions_total,
        reboots=camera.reboots,
        logins_failed=camera.logins_failed,
        login_locked=camera.login_locked,
        frames_dropped=camera.frames_dropped,
        last_frame_at=_moment(camera.feed.sent_at) if camera.ready else None,
    )
