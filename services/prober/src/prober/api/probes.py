"""Probe a camera now, and wait for the verdict."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from http import HTTPStatus
from math import ceil
from typing import Annotated, Self
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from prober.api.advice import AdviceResponse
from prober.api.bus import AWAY, LocalTime, now_of, observer_of, seen_camera
from prober.api.demands import Wanted, admit, shown_origin
from prober.probes.camera.observer import Early, Observation, Observer
from prober.probes.camera.prober import NotNow
from prober.probes.camera.target import Target
from prober.probes.limits import OnDemandLimit, OnDemandLimitError
from prober.probes.onvif.targets import Endpoint
from vonggac.auth import Caller, Credentials, Principal, demand_province, guarded_router
from vonggac.events import Cause
from vonggac.events.prober import DemandKind, Media, ProbeKind, Step, Verdict
from vonggac.http import FieldError, ProblemError
from vonggac.http.openapi import problems
from vonggac.net.address_secrets import random_parameters, secret_parameters
from vonggac.net.allowed_networks import only_at
from vonggac.net.errors import PeerError
from vonggac.net.url import RtspUrl
from vonggac.telemetry import redact

router = guarded_router(prefix="/v1/probes", tags=["probes"])


class ProbeRequest(BaseModel):
    """A camera of the inventory, or an address that is not there yet."""

    model_config = ConfigDict(extra="forbid")

    camera_id: UUID | None = None
    url: Annotated[str, StringConstraints(strip_whitespace=True)] | None = Field(
        default=None,
        max_length=2048,
        description="rtsp:// address without credentials; {username} and {password} may stand in path or query.",
        examples=["rtsp://10.20.1.5/Streaming/Channels/101"],
    )
    username: str | None = Field(default=None, min_length=1, max_length=64, description="Only with `url`.")
    password: SecretStr | None = Field(default=None, max_length=128, description="Kept in memory until the verdict.")
    timeout_s: float = Field(
        default=10.0, strict=True, ge=1, le=30, description="Only with `url`: seconds the probe may take."
    )

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.camera_id is None) == (self.url is None):
            msg = "give either camera_id or url"
            raise ValueError(msg)
        if (self.username is None) != (self.password is None):
            msg = "username and password belong together: give both or none"
            raise ValueError(msg)
        if self.camera_id is not None and self.username is not None:
            msg = "a camera of the inventory is probed with the login that is stored for it"
            raise ValueError(msg)
        return self

    @property
    def credentials(self) -> Credentials | None:
        if self.username is None or self.password is None:
            return None
        return Credentials(self.username, self.password.get_secret_value())


class ProbeVerdict(BaseModel):
    """The result of the probe; it holds no credential."""

    camera_id: UUID | None
    observed_at: LocalTime
    verdict: Verdict
    cause: Cause | None
    detail: str | None
    advice: AdviceResponse | None
    findings: tuple[Cause, ...]
    not_checked: dict[str, str] = Field(description="Checks (by their cause) that could not be made, and why.")
    kind: ProbeKind
    duration_ms: float
    steps: tuple[Step, ...]
    media: Media | None
    log: list[str] = Field(description="Step by step, for people.")


@router.post(
    "",
    summary="Probe a camera now and wait for the verdict",
    description="A deep probe. Of a camera of the inventory it is an observation like any other (history, reports). "
    "Allowed networks and the rest after failed logins hold here too.",
    responses=problems(
        {
            404: "There is no such camera",
            409: "It rests after failed logins, is disabled, or is probed now",
            429: "Too many on demand, now or in the last hour, or the site's network is busy",
            **AWAY,
        }
    ),
)
async def probe_now(request: Request, caller: Caller, wanted: ProbeRequest) -> ProbeVerdict:
    limit: OnDemandLimit = request.app.state.on_demand_limit
    if wanted.url is not None:
        demand_province(request, caller, "nobody knows whose an address is that is no camera of the inventory")
    observer = observer_of(request)
    try:
        if wanted.camera_id is not None:
            with limit.within(str(wanted.camera_id)):
                return await _probe_camera(request, caller, observer, wanted.camera_id)
        assert wanted.url is not None, "validated"
        device = _device(wanted.url)
        with limit.within(str(device)):
            demand = await Wanted.of_device(request, DemandKind.PROBE, device.host, device.port)
            await admit(request, caller, demand)
            with only_at(device.host, device.port, demand.address):
                return await _probe_address(observer, wanted.url, wanted, partial(now_of, request))
    except OnDemandLimitError as error:
        raise _later(HTTPStatus.TOO_MANY_REQUESTS, "on_demand_limit", str(error), error.after_s) from None


async def observe_now(request: Request, caller: Principal, observer: Observer, camera_id: UUID) -> Observation:
    """One probe of a camera of the inventory. Raises ProblemError when it cannot be made now."""
    camera = await seen_camera(request, caller, camera_id)
    if camera is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "camera_not_found", f"the inventory has no camera {camera_id}")
    if not camera.enabled:
        raise ProblemError(HTTPStatus.CONFLICT, "camera_disabled", "the camera is disabled: enable it in the inventory")
    if not camera.in_service:
        msg = f"the facility of the camera is {camera.facility_status}: change that in the inventory"
        raise ProblemError(HTTPStatus.CONFLICT, "facility_not_in_service", msg)
    if observer.is_probing(camera_id):
        raise _later(HTTPStatus.CONFLICT, "being_probed", "the camera is being probed now", camera.probe_timeout_s)
    await admit(request, caller, Wanted.of_camera(DemandKind.PROBE, camera_id, shown_origin(camera.url)))
    outcome = await observer.observe(camera, on_demand=True)
    if isinstance(outcome, Early):
        msg = "two logins failed at this camera; another try now could lock its account. Correct the login instead"
        raise _later(HTTPStatus.CONFLICT, "login_resting", msg, outcome.by_s)
    if isinstance(outcome, NotNow):
        raise _busy(outcome)
    return outcome


async def _probe_camera(request: Request, caller: Principal, observer: Observer, camera_id: UUID) -> ProbeVerdict:
    fact = (await observe_now(request, caller, observer, camera_id)).fact
    return ProbeVerdict(
        **{name: getattr(fact, name) for name in ProbeVerdict.model_fields if hasattr(fact, name)},
        advice=AdviceResponse.on(fact.cause),
        log=_log(fact.steps, fact.verdict, fact.cause, fact.detail),
    )


async def _probe_address(
    observer: Observer, url: str, wanted: ProbeRequest, now: Callable[[], datetime]
) -> ProbeVerdict:
    result = await observer.prober.probe_address(Target(url, wanted.credentials, wanted.timeout_s))
    if isinstance(result, NotNow):
        raise _busy(result)
    judgement = result.judgement
    detail = redact(judgement.detail) if judgement.detail else None
    return ProbeVerdict(
        camera_id=None,
        observed_at=now(),
        verdict=judgement.verdict,
        cause=judgement.cause,
        detail=detail,
        advice=AdviceResponse.on(judgement.cause),
        findings=judgement.findings,
        not_checked={cause.value: reason for cause, reason in judgement.not_checked.items()},
        kind=result.kind,
        duration_ms=round(result.duration_s * 1000, 1),
        steps=result.steps,
        media=result.media,
        log=_log(result.steps, judgement.verdict, judgement.cause, detail),
    )


def _device(url: str) -> Endpoint:
    """Parse a device's address. Raises ProblemError for what is no address, and for one with a login in it."""
    try:
        parsed = RtspUrl.parse(url)
    except PeerError as error:
        raise _invalid(error.message) from None
    if parsed.credentials is not None:
        raise _invalid("holds a login: give username and password in their own fields, so that no log shows them")
    for name, value in secret_parameters(parsed.target):
        if value and value not in {"{username}", "{password}"}:
            raise _invalid(f"holds a secret in '{name}=': give it in `password`, and write {{password}} here")
    for name, _ in random_parameters(parsed.target):
        raise _invalid(f"holds what looks like a key in '{name}=': give it in `password`, and write {{password}} here")
    return Endpoint(parsed.host, parsed.port)


def _log(steps: tuple[Step, ...], verdict: Verdict, cause: Cause | None, detail: str | None) -> list[str]:
    lines = [f"{step.name}: {step.duration_ms:g} ms" for step in steps]
    reason = ", ".join(part for part in (cause.value if cause else None, detail) if part)
    return [*lines, f"verdict: {verdict.value}" + (f" ({reason})" if reason else "")]


def _invalid(message: str) -> ProblemError:
    errors = [FieldError(field="url", message=message)]
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "Nothing was probed: put the url right.", errors)


def _busy(outcome: NotNow) -> ProblemError:
    msg = (
        "as many probes as allowed are going on at this site's network, its login is being tried, or another prober "
        "probes the camera now; ask again"
    )
    return _later(HTTPStatus.TOO_MANY_REQUESTS, "site_busy", msg, outcome.delay_s)


def _later(status: HTTPStatus, code: str, message: str, after_s: float) -> ProblemError:
    return ProblemError(status, code, message, headers={"Retry-After": str(max(1, ceil(after_s)))})
