"""Asking a camera by ONVIF who it is and what time it has, where the survey noted its address."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from prober.domain.findings import StreamSeen
from prober.probes.onvif import clock_drift
from prober.probes.onvif.logins import OnvifLogins
from vonggac.auth import Credentials
from vonggac.events.inventory import ExpectedDevice
from vonggac.net.allowed_networks import AllowedNetworks

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
    """What was seen, completed by serial number, MAC and clock. At most one login; never raises for a device."""
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
        device_answered=seen.device_answered or finding.onvif,
    )


def _with_clock(seen: StreamSeen, drift_s: float) -> StreamSeen:
    """The device's own answer goes before the sender report, which some cameras count from their start."""
    return replace(seen, media=seen.media.model_copy(update={"clock_drift_s": drift_s}), device_answered=True)
