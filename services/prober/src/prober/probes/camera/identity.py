"""Asking a camera by ONVIF who it is and what time it has, where the survey noted its address."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from nats.errors import Error as NatsError
from pydantic import AwareDatetime, BaseModel, ValidationError

from prober.domain.device import compare_device, signs_of
from prober.domain.findings import StreamSeen
from prober.domain.security import add_signs
from prober.probes.onvif import clock_drift
from prober.probes.onvif.logins import OnvifLogins
from vonggac.auth import Credentials
from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.events import Cause
from vonggac.events.inventory import ExpectedDevice
from vonggac.events.prober import CameraObservedV1, DeviceSigns, Verdict
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.telemetry import get_logger, redact

log = get_logger(__name__)
MAX_DETAIL = 500
DEVICES_KEPT = 20_000
"""In memory."""

_NEIGHBOURS = Path("/proc/net/arp")
_COMPLETE = 0x2
MOST_S = 5.0
LEAST_S = 0.5
"""With less time left the device is not asked in this probe."""


@dataclass(frozen=True, slots=True)
class IdentityPlan:
    """Which device to ask, and with which login. Without `facts_wanted` only its clock, which needs no login."""

    address: str
    facts_wanted: bool
    logins: OnvifLogins
    credentials: Credentials | None
    allowed_networks: AllowedNetworks


def is_due(expected: ExpectedDevice | None, asked_at: datetime | None, *, every_s: float, now: datetime) -> bool:
    """Whether the device is to be asked in this probe."""
    if expected is None or expected.onvif_address is None:
        return False
    return asked_at is None or now - asked_at >= timedelta(seconds=every_s)


async def ask_device(plan: IdentityPlan, seen: StreamSeen, *, deadline_s: float) -> StreamSeen:
    """Complete what was seen by serial number, MAC and clock. At most one login; never raises for a device."""
    try:
        if plan.facts_wanted:
            return await _facts(plan, seen, deadline_s)
        drift = await clock_drift(
            plan.address,
            deadline_s=deadline_s,
            allowed_networks=plan.allowed_networks,
            clock=plan.logins.clock,
        )
    except ValueError as error:
        return replace(seen, device_unknown=f"the ONVIF address {error}")
    return _with_clock(seen, drift) if isinstance(drift, float) else replace(seen, clock_unknown=f"ONVIF: {drift}")


async def _facts(plan: IdentityPlan, seen: StreamSeen, deadline_s: float) -> StreamSeen:
    finding = await plan.logins.probe_device(
        plan.address, plan.credentials, deadline_s=deadline_s, allowed_networks=plan.allowed_networks
    )
    if finding.clock is not None:
        seen = _with_clock(seen, finding.clock.drift_s)
    why = f"ONVIF: {finding.cause}" if finding.cause is not None else "the device does not say"
    return replace(
        seen,
        serial=finding.device.serial_number,
        mac=finding.device.mac,
        device_unknown=why,
        device_asks_login=finding.asks_login,
        firmware=finding.device.firmware,
        device_answered=seen.device_answered or finding.onvif,
    )


def _with_clock(seen: StreamSeen, drift_s: float) -> StreamSeen:
    """Put the device's own clock before the sender report, which some cameras count from their start."""
    return replace(seen, media=seen.media.model_copy(update={"clock_drift_s": drift_s}), device_answered=True)


def neighbour_mac(host: str, table: Path = _NEIGHBOURS) -> str | None:
    """Find the MAC of an IPv4 address on a link of this machine; None of any other. Blocks for a moment."""
    try:
        rows = [line.split() for line in table.read_text("ascii", "replace").splitlines()[1:]]
    except OSError:
        return None
    return next((row[3] for row in rows if len(row) > 3 and row[0] == host and int(row[2], 16) & _COMPLETE), None)


class ConfirmedDevice(BaseModel):
    """Somebody confirmed the device at a camera's address."""

    confirmed_at: AwareDatetime
    confirmed_by: str


class ConfirmedDevices:
    """The devices at cameras' addresses, and which of them people confirmed: kept beside the approved pictures."""

    def __init__(self, bus: Bus) -> None:
        self._bucket = Bucket(bus, topology.PICTURE_REFERENCES)
        self._seen: dict[UUID, DeviceSigns] = {}
        """By this process: for a probe after which NATS did not give the last observation."""

    async def get(self, camera_id: UUID) -> ConfirmedDevice | None:
        """Get the device that was confirmed last. Raises NatsError or TimeoutError when NATS is away."""
        value = await self._bucket.get(_device_key(camera_id))
        try:
            return ConfirmedDevice.model_validate_json(value) if value else None
        except ValidationError:
            log.warning("confirmed_device_malformed", camera_id=str(camera_id))
            return None

    async def confirmed_at(self, camera_id: UUID) -> datetime | None:
        """When it was confirmed last; None too while NATS does not answer: then the finding stays."""
        try:
            confirmed = await self.get(camera_id)
        except (NatsError, TimeoutError, OSError):
            return None
        return confirmed.confirmed_at if confirmed is not None else None

    async def add_device(
        self,
        fact: CameraObservedV1,
        seen: StreamSeen | None,
        expected: ExpectedDevice | None,
        before: CameraObservedV1 | None,
    ) -> CameraObservedV1:
        """Add to the fact the device that is known at the address, and what shows of its security; `before`: the last
        one, of whichever revision."""
        fact = fact.model_copy(update={"security": add_signs(fact, seen, before)})
        known = before.device if before is not None else self._seen.get(fact.camera_id)
        if known is not None and known.changed_at is not None:
            confirmed_at = await self.confirmed_at(fact.camera_id)
            known = None if confirmed_at is not None and confirmed_at >= known.changed_at else known
        if seen is None or fact.verdict is not Verdict.UP:
            return fact.model_copy(update={"device": known})
        device = compare_device(known, signs_of(seen), expected, fact.observed_at)
        self._seen.pop(fact.camera_id, None)
        self._seen[fact.camera_id] = device
        if len(self._seen) > DEVICES_KEPT:
            self._seen.pop(next(iter(self._seen)))
        if device.changed_at is None:
            return fact.model_copy(update={"device": device})
        since = f"another device since {device.changed_at:%Y-%m-%d %H:%M:%S} UTC: {device.change}"
        # Its serial number, where ONVIF has it, shows whether it is another one: asked for in the next deep probe.
        stood = known is not None and known.changed_at is not None
        found = {
            "device": device,
            "identity_at": fact.identity_at if stood else None,
            "findings": (*fact.findings, Cause.ANOTHER_DEVICE),
            "detail": redact("; ".join(part for part in (fact.detail, since) if part))[:MAX_DETAIL],
        }
        return fact.model_copy(update=found)

    async def confirm(self, camera_id: UUID, *, by: str, at: datetime) -> ConfirmedDevice:
        """On record. Raises as `get` does."""
        confirmed = ConfirmedDevice(confirmed_at=at, confirmed_by=by)
        await self._bucket.put(_device_key(camera_id), confirmed.model_dump_json().encode())
        return confirmed


def _device_key(camera_id: UUID) -> str:
    return f"{camera_id}.device"
