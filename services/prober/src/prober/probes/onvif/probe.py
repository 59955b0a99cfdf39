"""One probe of one address by ONVIF: who the device is, what it streams, and how far its clock is off."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from prober.probes.onvif import soap
from prober.probes.onvif.client import Device, Http
from prober.probes.onvif.clock import clock_remarks, read_clock, signing_offset
from prober.probes.onvif.model import (
    MAX_PROFILES,
    ClockReading,
    DeviceFacts,
    FaultError,
    MediaProfile,
    OnvifCause,
    OnvifError,
    OnvifFinding,
    Remark,
)
from prober.probes.onvif.parse import (
    CleanUrl,
    clean_http_url,
    clean_stream_url,
    device_facts,
    mac_of,
    media_address,
    profile_of,
    profiles_in,
    service_address,
    uri_of,
)
from prober.probes.onvif.targets import Endpoint
from vonggac.auth import Credentials
from vonggac.bus import ServerClock
from vonggac.net.allowed_networks import AllowedNetworks, resolve
from vonggac.net.errors import PeerError
from vonggac.telemetry import get_logger

log = get_logger(__name__)

DEVICE_PATH = "/onvif/device_service"
"""Fixed by the ONVIF Core Specification, 5.1.1."""


async def probe_device(
    address: str,
    credentials: Credentials | None,
    *,
    deadline_s: float,
    allowed_networks: AllowedNetworks,
    clock: ServerClock,
) -> OnvifFinding:
    """Ask `address` (`host` or `host:port`, port 80) for everything; what was answered in time is in the finding.

    At most one failed login. Never raises for what a device does; raises ValueError for an address that is none.
    """
    probe = _DeviceProbe(Endpoint.parse(address), credentials, allowed_networks, clock)
    return await probe.within(deadline_s, everything=True)


async def clock_drift(
    address: str,
    *,
    deadline_s: float,
    allowed_networks: AllowedNetworks,
    clock: ServerClock,
    credentials: Credentials | None = None,
) -> float | OnvifCause:
    """Device's UTC minus ours in seconds, good to a second, or why it is not known. As `probe_device` otherwise.

    Needs no login at devices that follow ONVIF; `credentials` are sent only to one that asks for them.
    """
    probe = _DeviceProbe(Endpoint.parse(address), credentials, allowed_networks, clock)
    finding = await probe.within(deadline_s, everything=False)
    if finding.clock is not None:
        return finding.clock.drift_s
    return finding.cause or OnvifCause.NO_CLOCK


@dataclass
class _DeviceProbe:
    """Gathers facts as they come, so that a deadline in the middle leaves what is known."""

    asked: Endpoint
    credentials: Credentials | None
    allowed_networks: AllowedNetworks
    our_clock: ServerClock
    onvif: bool = False
    clock: ClockReading | None = None
    asks_login: bool | None = None
    device: DeviceFacts = field(default_factory=DeviceFacts)
    profiles: list[MediaProfile] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    own_hosts: frozenset[str] = frozenset()

    async def within(self, deadline_s: float, *, everything: bool) -> OnvifFinding:
        started = time.monotonic()
        cause, detail = await self._outcome(deadline_s, everything=everything)
        return OnvifFinding(
            address=self.asked.host,
            port=self.asked.port,
            onvif=self.onvif,
            cause=cause,
            detail=detail,
            duration_s=round(time.monotonic() - started, 3),
            clock=self.clock,
            asks_login=self.asks_login,
            device=self.device,
            profiles=tuple(self.profiles),
            remarks=tuple(dict.fromkeys(self.remarks)),
            unanswered=tuple(dict.fromkeys(self.unanswered)),
        )

    async def _outcome(self, deadline_s: float, *, everything: bool) -> tuple[OnvifCause | None, str | None]:
        try:
            operations = await soap.load()
            async with asyncio.timeout(deadline_s):
                ip = await resolve(self.asked.host, self.asked.port, self.allowed_networks, timeout_s=deadline_s)
                self.own_hosts = frozenset({self.asked.host.lower(), ip})
                async with Http(ip, self.allowed_networks) as http:
                    await self._ask_device(Device(http, operations, self.credentials), everything=everything)
        except TimeoutError:
            return OnvifCause.TIMEOUT, f"the device did not answer all within {deadline_s:g} s"
        except PeerError as error:
            return OnvifCause(error.cause.value), error.message
        except OnvifError as error:
            # Whoever asks for a login in SOAP or by Digest at the fixed path is taken for a device.
            self.onvif = self.onvif or error.cause is OnvifCause.AUTH_FAILED
            if error.cause is OnvifCause.AUTH_FAILED and self.asks_login is None:
                self.asks_login = True
            return error.cause, error.message
        except Exception as error:
            log.error("onvif_probe_failed", address=self.asked.host, exc_info=error)
            return OnvifCause.INTERNAL_ERROR, f"the prober made a mistake ({type(error).__name__}), see its log"
        return None, None

    async def _ask_device(self, device: Device, *, everything: bool) -> None:
        await self._ask_clock(device)
        if not everything:
            return
        info = await self._try(device, self.asked.port, DEVICE_PATH, soap.DEVICE, "GetDeviceInformation")
        self.asks_login = device.wants_login if info is not None else None
        self.device = device_facts(info)
        media = await self._find_media(device)
        if media is None:
            self.remarks.append(Remark.NO_MEDIA_SERVICE)
        else:
            await self._ask_profiles(device, *media)
        interfaces = await self._try(device, self.asked.port, DEVICE_PATH, soap.DEVICE, "GetNetworkInterfaces")
        self.device = self.device.model_copy(update={"mac": mac_of(interfaces, self.own_hosts)})

    async def _ask_clock(self, device: Device) -> None:
        asked_at = self.our_clock.now()
        try:
            answer = await device.call(self.asked.port, DEVICE_PATH, soap.DEVICE, "GetSystemDateAndTime")
        except FaultError as fault:
            answer = None
            self.unanswered.append(fault.operation)
        self.onvif = True
        if isinstance(answer, Mapping):
            self.clock = read_clock(answer, asked_at=asked_at, answered_at=self.our_clock.now())
        self.remarks += clock_remarks(self.clock)
        # A login is dated from this machine's own clock.
        device.clock_offset = signing_offset(self.clock) + timedelta(seconds=self.our_clock.correction_s)

    async def _find_media(self, device: Device) -> tuple[int, str] | None:
        """Port and path of the media service: GetServices, and GetCapabilities at devices without it."""
        port, wanted = self.asked.port, soap.NAMESPACES[soap.MEDIA]
        services = await self._try(device, port, DEVICE_PATH, soap.DEVICE, "GetServices", IncludeCapability=False)
        xaddr = media_address(services, wanted)
        if xaddr is None:
            known = await self._try(device, port, DEVICE_PATH, soap.DEVICE, "GetCapabilities", Category="All")
            xaddr = media_address(known, wanted)
        return service_address(xaddr, port=port, own_hosts=self.own_hosts) if xaddr is not None else None

    async def _ask_profiles(self, device: Device, port: int, path: str) -> None:
        answered = await self._try(device, port, path, soap.MEDIA, "GetProfiles")
        profiles = profiles_in(answered)
        if len(profiles) > MAX_PROFILES:
            self.remarks.append(Remark.PROFILES_LEFT_OUT)
        for raw in profiles[:MAX_PROFILES]:
            profile = profile_of(raw)
            if profile is not None:
                self.profiles.append(await self._with_addresses(device, port, path, profile))

    async def _with_addresses(self, device: Device, port: int, path: str, profile: MediaProfile) -> MediaProfile:
        setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
        token = profile.token
        stream = await self._try(device, port, path, soap.MEDIA, "GetStreamUri", StreamSetup=setup, ProfileToken=token)
        snapshot = await self._try(device, port, path, soap.MEDIA, "GetSnapshotUri", ProfileToken=token)
        rtsp = clean_stream_url(uri_of(stream), host=self.asked.host, credentials=self.credentials)
        http = clean_http_url(uri_of(snapshot), credentials=self.credentials)
        return profile.model_copy(update={"stream_url": self._noted(rtsp), "snapshot_url": self._noted(http)})

    def _noted(self, cleaned: CleanUrl) -> str | None:
        if cleaned.named_host is not None and cleaned.named_host.lower() not in self.own_hosts:
            self.remarks.append(Remark.OTHER_HOST)
        if cleaned.had_secret:
            self.remarks.append(Remark.SECRET_IN_URL)
        return cleaned.url

    async def _try(self, device: Device, port: int, path: str, service: str, operation: str, **parameters: Any) -> Any:
        """Call an operation; None when the device does not know it (or answers it with a web page)."""
        try:
            return await device.call(port, path, service, operation, **parameters)
        except FaultError:
            self.unanswered.append(operation)
        except OnvifError as error:
            if error.cause is not OnvifCause.NOT_ONVIF:
                raise
            self.unanswered.append(operation)
        return None
