"""What callers had probers do at addresses: admitted before it is done, and the record of it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from math import ceil
from typing import Annotated, Self
from uuid import UUID, uuid4

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from prober.api.bus import AWAY, LocalTime, answered_by_the_bus, bus_of, now_of
from prober.domain.limits.demands import Endpoint, TooMuchError
from prober.messaging import DEMANDS_SHOWN, Demands
from prober.probes.demands import DemandGate, registered
from prober.probes.onvif.targets import Target
from prober.probes.service import Process
from prober.settings import Settings
from vonggac.auth import Principal, guarded_router
from vonggac.events.prober import DemandKind, DemandV1
from vonggac.http import ProblemError
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.openapi import problems
from vonggac.net.allowed_networks import canonical_host, resolve
from vonggac.net.errors import MalformedError, PeerError
from vonggac.net.origin import Origin

router = guarded_router(prefix="/v1/demands", tags=["demands"])

RESOLVE_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done where. `targets` and `ports`: for the record, without credentials and paths.

    `address`: of a device, what its name was resolved to; it is counted, and nothing else may be connected to.
    """

    kind: DemandKind
    targets: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]
    ports: tuple[int, ...] = ()
    camera_id: UUID | None = None
    address: str | None = None

    @classmethod
    def of_camera(cls, kind: DemandKind, camera_id: UUID, target: str) -> Self:
        """Name a camera of the inventory as wanted, whatever its address is now: its probes have their own limits."""
        return cls(kind, (target,), (registered(camera_id),), camera_id=camera_id)

    @classmethod
    async def of_device(cls, request: Request, kind: DemandKind, host: str, port: int) -> Self:
        """Any address; names count as what they lead to, so that many names of one machine are one."""
        name = canonical_host(host)
        address = await _address_of(request, name, port)
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        counted = address or name
        return cls(kind, (shown,), (Endpoint(counted, port, _network(request, counted)),), address=address)

    @classmethod
    def of_scan(cls, request: Request, written: Sequence[str], ports: Sequence[int], targets: Sequence[Target]) -> Self:
        endpoints = (
            Endpoint(target.host, port, _network(request, target.host)) for target in targets for port in target.ports
        )
        return cls(DemandKind.SCAN, tuple(written), tuple(endpoints), tuple(ports))


async def admit(request: Request, caller: Principal, wanted: Wanted) -> None:
    """Count, log and record. Raises ProblemError 429 when a limit is reached, 503 when NATS stores no record."""
    gate: DemandGate = request.app.state.demands
    process: Process = request.app.state.process
    demand = DemandV1(
        id=uuid4(),
        kind=wanted.kind,
        caller=caller.subject,
        roles=tuple(sorted(role.value for role in caller.roles)),
        targets=wanted.targets,
        ports=wanted.ports,
        camera_id=wanted.camera_id,
        endpoints=len(wanted.endpoints),
        demanded_at=now_of(request),
        worker_id=process.worker_id,
    )
    try:
        with answered_by_the_bus():
            await gate.admit(bus_of(request), demand, wanted.endpoints)
    except TooMuchError as error:
        headers = {"Retry-After": str(max(1, ceil(error.after_s)))}
        raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "demand_limit", str(error), headers=headers) from None


def shown_origin(url: str) -> str:
    """Where an address leads, without credentials and path."""
    try:
        return str(Origin.of(url))
    except MalformedError:
        return "(no address)"


async def _address_of(request: Request, name: str, port: int) -> str | None:
    """Resolve to the first allowed address, else the first; None without: counted by name, and the probe says why."""
    settings: Settings = request.app.state.settings
    for allowed in (settings.allowed, None):
        with suppress(PeerError):
            return await resolve(name, port, allowed, timeout_s=RESOLVE_WITHIN_S)
    return None


def _network(request: Request, address: str) -> str:
    process: Process = request.app.state.process
    return process.gate.network_of(address, None)


class DemandResponse(BaseModel):
    """Who had what done where."""

    id: UUID
    kind: DemandKind
    caller: str = Field(description="Subject of the caller's token.")
    roles: tuple[str, ...]
    targets: tuple[str, ...] = Field(description="Without credentials and paths.")
    ports: tuple[int, ...] = Field(description="Of a scan, at addresses that name none.")
    camera_id: UUID | None
    endpoints: int = Field(description="Addresses times ports.")
    refused: str | None = Field(description="The limit that forbade it (caller, network, ports); null: it was done.")
    demanded_at: LocalTime
    worker_id: str


KEYS: dict[str, Key[DemandV1]] = {
    "demanded_at": Key(lambda demand: demand.demanded_at, datetime),
    "id": Key(lambda demand: str(demand.id)),
    "caller": Key(lambda demand: demand.caller),
    "endpoints": Key(lambda demand: demand.endpoints, int),
}
DEMANDS = Listing(DemandResponse, keys=KEYS, id_key="id", default_sort="-demanded_at")


@router.get(
    "",
    summary="What callers had probers do at addresses",
    description=f"Probes, scans, read-backs and views on demand, newest first: the last {DEMANDS_SHOWN:,} of 400 days. "
    "Of a caller's refusals one a minute is recorded, of his probes of one camera of the inventory one an hour, of his "
    "views each.",
    response_model=None,
    responses={**DEMANDS.responses, **problems(AWAY)},
)
async def list_demands(
    request: Request,
    paging: Annotated[PageQuery[DemandV1, DemandResponse], Depends(DEMANDS)],
    caller: Annotated[str | None, Query(max_length=200, description="Only of this subject.")] = None,
    kind: Annotated[DemandKind | None, Query(description="Only of this kind.")] = None,
) -> Response:
    with answered_by_the_bus():
        demands = await Demands(bus_of(request)).latest()
    fitting = [one for one in demands if caller in (None, one.caller) and kind in (None, one.kind)]
    page = paging.cut(fitting)
    return paging.answer(page, [DemandResponse.model_validate(one.model_dump()) for one in page.rows])
