"""`/v1/centres`: the virtual monitoring centres, what they received, and their faults."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from simulator.api.refusals import refusals_as_answers
from simulator.centres.centre import Centre
from simulator.centres.pull import PullState
from simulator.centres.statistics import StreamStatistics
from simulator.config import Auth, CentreConfig, PulledAddresses
from simulator.devices.faults import CentreFault
from simulator.simulator import Simulator
from vonggac.events.causes import Cause
from vonggac.http import ProblemError

router = APIRouter(prefix="/v1/centres", tags=["centres"])


class CentreView(BaseModel):
    """A centre as the API shows it: no password, neither here nor in `url`."""

    id: str
    url: str
    host: str
    port: int
    auth: Auth
    username: str
    tls: bool
    certificate_sha256: str | None
    fault: CentreFault | None
    connections: int
    streams: int
    live_streams: int
    logins_failed: int


class PullView(BaseModel):
    """One stream that a centre pulls."""

    path: str
    url: str
    state: PullState
    cause: Cause | None = Field(description="Why the last session ended or did not begin; None while it plays.")
    attempts: int


class PullingView(BaseModel):
    """What a centre pulls, by path; the password is never shown."""

    username: str
    items: list[PullView]


class PullingLogin(BaseModel):
    """As whom a centre pulls."""

    model_config = ConfigDict(extra="forbid")

    username: str = Field(min_length=1, max_length=256)
    password: SecretStr = Field(max_length=256)


class PullingAddresses(BaseModel):
    """RTSP address by the path that its stream has at the centre; these and no others."""

    model_config = ConfigDict(extra="forbid")

    addresses: PulledAddresses


class CentreList(BaseModel):
    """All centres in the order of the configuration."""

    items: list[CentreView]


class StreamList(BaseModel):
    """All streams published to the centre since its start or the last reset, by path."""

    items: list[StreamStatistics]


def _centre(centre_id: str, request: Request) -> Centre:
    simulator: Simulator = request.app.state.simulator
    centre = simulator.centres.get(centre_id)
    if centre is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "centre_unknown",
            f"there is no centre {centre_id}; GET /v1/centres lists them",
        )
    return centre


type AnyCentre = Annotated[Centre, Depends(_centre)]


@router.get("")
async def list_centres(request: Request) -> CentreList:
    """All centres with their real ports."""
    simulator: Simulator = request.app.state.simulator
    return CentreList(items=[view(centre) for centre in simulator.centres.values()])


@router.post("", status_code=HTTPStatus.CREATED)
async def add_centre(request: Request, config: CentreConfig) -> CentreView:
    """Add a centre; the answer comes when it can be reached. It gets a free port unless one is named."""
    simulator: Simulator = request.app.state.simulator
    with refusals_as_answers():
        return view(await simulator.add_centre(config))


@router.delete("/{centre_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_centre(centre: AnyCentre, request: Request) -> None:
    """Cut its sessions and release its port."""
    simulator: Simulator = request.app.state.simulator
    await simulator.remove_centre(centre.id)


@router.get("/{centre_id}")
async def get_centre(centre: AnyCentre) -> CentreView:
    """One centre."""
    return view(centre)


@router.get("/{centre_id}/streams")
async def list_streams(centre: AnyCentre) -> StreamList:
    """List what the centre received, by stream."""
    streams = centre.streams
    return StreamList(items=[streams[path] for path in sorted(streams)])


@router.post("/{centre_id}/statistics/reset")
async def reset_statistics(centre: AnyCentre) -> StreamList:
    """Drop ended sessions and count the current ones from zero."""
    centre.reset_statistics()
    return await list_streams(centre)


@router.put("/{centre_id}/fault")
async def set_centre_fault(centre: AnyCentre, fault: CentreFault) -> CentreView:
    """Set a fault, in place of any other; `close` has ended when this is answered."""
    with refusals_as_answers():
        await centre.set_fault(fault)
    return view(centre)


@router.delete("/{centre_id}/fault")
async def clear_centre_fault(centre: AnyCentre) -> CentreView:
    """Clear the fault."""
    await centre.clear_fault()
    return view(centre)


@router.get("/{centre_id}/pulling")
async def get_pulling(centre: AnyCentre) -> PullingView:
    """Show what the centre pulls, and how each session stands."""
    pulls = centre.puller.pulls
    shown = [
        PullView(path=path, url=str(one.url), state=one.state, cause=one.cause, attempts=one.attempts)
        for path, one in sorted(pulls.items())
    ]
    return PullingView(username=centre.puller.config.username, items=shown)


@router.put("/{centre_id}/pulling/login")
async def set_pulling_login(centre: AnyCentre, login: PullingLogin) -> PullingView:
    """Log in so from now on. Sessions end and begin anew."""
    await centre.puller.set_login(login.username, login.password.get_secret_value())
    return await get_pulling(centre)


@router.put("/{centre_id}/pulling/addresses")
async def set_pulling_addresses(centre: AnyCentre, wanted: PullingAddresses) -> PullingView:
    """Pull these addresses and no others. Those that stay as they are play on."""
    await centre.puller.set_addresses(wanted.addresses)
    return await get_pulling(centre)


def view(centre: Centre) -> CentreView:
    """Show the centre as it is now."""
    streams = centre.streams.values()
    return CentreView(
        id=centre.id,
        url=centre.url,
        host=centre.host,
        port=centre.port,
        auth=centre.config.auth,
        username=centre.config.username,
        tls=centre.config.tls,
        certificate_sha256=centre.certificate_sha256,
        fault=centre.fault,
        connections=len(centre.connections),
        streams=len(streams),
        live_streams=sum(stream.live for stream in streams),
        logins_failed=centre.logins_failed,
    )
