"""Asking a network for cameras: a person starts it, reads what was found, and takes it into the inventory."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from prober.api.bus import AWAY, LocalTime, answered_by_the_bus, bus_of, now_of, onvif_logins_of
from prober.api.demands import Wanted, admit
from prober.probes.onvif.csv_export import CameraCandidate, cameras_csv, candidates
from prober.probes.onvif.model import OnvifFinding
from prober.probes.onvif.scan import Scanner, ScanPlan, TooManyScansError
from prober.probes.onvif.scan_store import ScanHead, ScanRecords, ScanState
from prober.probes.onvif.targets import MAX_ADDRESSES, Target, WrongAddressesError, expand
from vonggac.auth import Caller, Credentials, guarded_router
from vonggac.bus.declared import topology
from vonggac.http import FieldError, ProblemError
from vonggac.http.openapi import problems

router = guarded_router(
    prefix="/v1/scans",
    tags=["scans"],
)

LOST_AFTER_S = 15.0
_CODE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
type Port = Annotated[int, Field(strict=True, ge=1, le=65535)]


class ScanRequest(BaseModel):
    """What to ask, and the login to ask with (none: only what devices give anybody)."""

    model_config = ConfigDict(extra="forbid")

    addresses: list[Annotated[str, Field(max_length=100)]] = Field(
        min_length=1,
        max_length=MAX_ADDRESSES,
        description="IP addresses, `ip:port`, or networks in CIDR; 256 addresses in total.",
        examples=[["10.20.1.0/24", "10.20.2.15:8899"]],
    )
    ports: list[Port] = Field(
        default=[80, 8080, 8000], min_length=1, max_length=8, description="Ports asked at addresses without one."
    )
    username: str | None = Field(default=None, min_length=1, max_length=64)
    password: SecretStr | None = Field(default=None, max_length=128, description="Kept in memory until the scan ends.")
    timeout_s: float = Field(
        default=10.0, strict=True, ge=1, le=60, description="Seconds one device may take to answer everything."
    )

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.username is None) != (self.password is None):
            msg = "username and password belong together: give both or none"
            raise ValueError(msg)
        return self

    @property
    def credentials(self) -> Credentials | None:
        if self.username is None or self.password is None:
            return None
        return Credentials(self.username, self.password.get_secret_value())


class ScanStatus(BaseModel):
    """How far a scan is."""

    id: UUID
    state: ScanState = Field(description="`lost`: the prober that ran it died; start the scan again.")
    total: int = Field(description="Addresses to ask.")
    scanned: int = Field(description="Addresses that were asked.")
    found: int = Field(description="Addresses at which a device speaks ONVIF.")
    started_at: LocalTime
    updated_at: LocalTime
    expires_at: LocalTime = Field(description="Until then what was found can be read.")

    @classmethod
    def of(cls, head: ScanHead, findings: list[OnvifFinding], now: datetime) -> "ScanStatus":
        silent = now - head.updated_at > timedelta(seconds=LOST_AFTER_S)
        return cls(
            id=head.id,
            state=ScanState.LOST if head.state is ScanState.RUNNING and silent else head.state,
            total=head.total,
            scanned=len(findings),
            found=sum(finding.onvif for finding in findings),
            started_at=head.started_at,
            updated_at=head.updated_at,
            expires_at=head.started_at + timedelta(seconds=topology.SCANS_KEPT_S),
        )


class ScannedAddress(OnvifFinding):
    """What was found at one address, or why nothing was, with the cameras that could be taken into the inventory."""

    cameras: list[CameraCandidate]

    @classmethod
    def of(cls, finding: OnvifFinding) -> "ScannedAddress":
        return cls(**dict(finding), cameras=candidates(finding))


class Scan(ScanStatus):
    """A scan with what was found so far, in the order of the addresses."""

    results: list[ScannedAddress]


_NOT_FOUND = {404: "There is no such scan, or it has expired"}


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    summary="Ask addresses for cameras by ONVIF",
    description="Runs beside the answer; follow it at `Location`. Addresses outside the prober's allowed networks are "
    "not connected to and reported as `address_not_allowed`. At most one login is tried at each device, and none where "
    "it failed twice lately.",
    responses={
        202: {
            "headers": {"Location": {"description": "Where the scan can be followed.", "schema": {"type": "string"}}}
        },
        **problems({429: "Too many scans run here already, or too much was asked in the last hour", **AWAY}),
    },
)
async def start_scan(request: Request, response: Response, caller: Caller, wanted: ScanRequest) -> ScanStatus:
    plan = ScanPlan(_targets(wanted), wanted.credentials, wanted.timeout_s)
    await admit(request, caller, Wanted.of_scan(request, wanted.addresses, wanted.ports, plan.targets))
    try:
        with answered_by_the_bus():
            head = await _scanner(request).start(bus_of(request), plan, onvif_logins_of(request))
    except TooManyScansError:
        msg = "this prober runs as many scans as it may; stop one, or try again in a minute"
        raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "too_many_scans", msg, headers={"Retry-After": "60"}) from None
    response.headers["Location"] = f"{router.prefix}/{head.id}"
    return ScanStatus.of(head, [], now_of(request))


@router.get(
    "/{scan_id}",
    summary="How far a scan is and what it found",
    description="Kept for an hour. Credentials are in none of it.",
    responses=problems({**_NOT_FOUND, **AWAY}),
)
async def get_scan(request: Request, scan_id: UUID) -> Scan:
    head, findings = await _load_scan(request, scan_id)
    status = ScanStatus.of(head, findings, now_of(request))
    return Scan(**dict(status), results=[ScannedAddress.of(finding) for finding in findings])


@router.get(
    "/{scan_id}/cameras.csv",
    summary="What a scan found, as a file for inventory's camera import",
    description="UTF-8 with a byte order mark, so that Excel reads it. Fill in the facility code (or give it here), "
    "`username` and `password`, take out what is not wanted, and send it to inventory.",
    response_class=Response,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}, "example": "\ufeffcode,name,url\r\n"}}},
        **problems({**_NOT_FOUND, **AWAY}),
    },
)
async def get_cameras_csv(
    request: Request,
    scan_id: UUID,
    facility_code: Annotated[str | None, Query(pattern=_CODE, description="Facility of all these cameras.")] = None,
) -> Response:
    _, findings = await _load_scan(request, scan_id)
    body = cameras_csv(findings, facility_code=facility_code or "")
    headers = {"Content-Disposition": f'attachment; filename="scan-{scan_id}.csv"'}
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


@router.delete(
    "/{scan_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Stop a scan",
    description="At once when it runs in the process that answers, within two seconds when in another. What it found "
    "can be read until it expires.",
    responses=problems({**_NOT_FOUND, **AWAY}),
)
async def stop_scan(request: Request, scan_id: UUID) -> None:
    with answered_by_the_bus():
        records = ScanRecords(bus_of(request))
        if await records.head(scan_id) is None:
            raise _no_scan(scan_id)
        await records.request_stop(scan_id)
    _scanner(request).cancel(scan_id)


def _targets(wanted: ScanRequest) -> tuple[Target, ...]:
    try:
        return expand(wanted.addresses, wanted.ports)
    except WrongAddressesError as error:
        errors = [FieldError(field=f"addresses.{index}", message=message) for index, message in error.mistakes]
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "Nothing was asked: put the addresses right.", errors
        ) from None


async def _load_scan(request: Request, scan_id: UUID) -> tuple[ScanHead, list[OnvifFinding]]:
    with answered_by_the_bus():
        records = ScanRecords(bus_of(request))
        head = await records.head(scan_id)
        if head is None:
            raise _no_scan(scan_id)
        return head, await records.findings(scan_id)


def _no_scan(scan_id: UUID) -> ProblemError:
    msg = f"there is no scan {scan_id}; scans are kept for an hour"
    return ProblemError(HTTPStatus.NOT_FOUND, "scan_not_found", msg)


def _scanner(request: Request) -> Scanner:
    scanner: Scanner = request.app.state.scanner
    return scanner
