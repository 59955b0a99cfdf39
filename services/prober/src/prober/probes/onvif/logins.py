"""ONVIF probes with a login, which count like those by RTSP: one try at a time, and a rest after two that failed.

They count by address and port of the ONVIF service, over all scans, cameras, probers and restarts.
"""

from dataclasses import dataclass

from prober.probes.onvif.model import OnvifCause, OnvifFinding
from prober.probes.onvif.probe import probe_device
from prober.probes.onvif.targets import Endpoint
from vonggac.auth import Credentials
from vonggac.bus import ServerClock
from vonggac.logins.attempt import Logins
from vonggac.net.allowed_networks import AllowedNetworks


@dataclass(frozen=True, slots=True)
class OnvifLogins:
    """Which login may be tried at which device."""

    logins: Logins
    clock: ServerClock
    """What devices' clocks are held against."""

    async def probe_device(
        self, address: str, credentials: Credentials | None, *, deadline_s: float, allowed_networks: AllowedNetworks
    ) -> OnvifFinding:
        """As `probe_device`; where the login rests or is being tried, without it: then for what it gives anybody.

        Raises ValueError for an address that is none.
        """
        if credentials is None:
            return await probe_device(
                address, None, deadline_s=deadline_s, allowed_networks=allowed_networks, clock=self.clock
            )
        login = self.logins.login_at(str(Endpoint.parse(address)), credentials)
        async with self.logins.attempt(login) as attempt:
            finding = await probe_device(
                address,
                credentials if attempt.granted else None,
                deadline_s=deadline_s,
                allowed_networks=allowed_networks,
                clock=self.clock,
            )
            refused = finding.cause is OnvifCause.AUTH_FAILED
            if attempt.granted:
                attempt.conclude(False if refused else True if finding.onvif and finding.cause is None else None)
        if attempt.granted or not refused:
            return finding
        others_try = "not tried: another probe tries this login here now"
        why = others_try if attempt.rest_s is None else attempt.why_not_tried
        return finding.model_copy(update={"detail": why})
