"""A virtual camera: its clip, its live feed, its sessions and its fault."""

import itertools
import random
import ssl
from typing import Unpack

from simulator.cameras.feed import Feed, Gaps
from simulator.cameras.session import CameraSession
from simulator.cameras.staging import REDESCRIBED, Staging
from simulator.clips.library import ClipLibrary
from simulator.config import CameraConfig
from simulator.devices.device import Device, PortState
from simulator.devices.faults import CameraFault, CameraFaultName, CameraFaultParameters, FaultError
from simulator.packets import PreparedTrack
from simulator.rtsp.login import Lockout
from vonggac.telemetry import get_logger
from vonggac.testing.certificates import Authority, ServerCertificate

log = get_logger(__name__)

_PORT: dict[CameraFaultName, PortState] = {CameraFaultName.OFF: "dead", CameraFaultName.REFUSE: "refused"}
_SILENT = frozenset((CameraFaultName.OFF, CameraFaultName.BLACK_HOLE, CameraFaultName.STALL, CameraFaultName.NO_MEDIA))
_BIT_FOR_BIT = (
    (CameraFaultName.FREEZE, "coded"),
    (CameraFaultName.LOOP, None),
    (CameraFaultName.CODEC_UNSUPPORTED, "mjpeg"),
    (CameraFaultName.CODEC_UNSUPPORTED, "mpeg4"),
)
_REBOOTS = frozenset((CameraFaultName.OFF, CameraFaultName.REFUSE))
_ENDS_SESSIONS = frozenset((CameraFaultName.AUTH, CameraFaultName.NOT_FOUND))
_WRONG_HOST = "camera.invalid"


class Camera(Device[CameraSession]):
    """Made by the Simulator. In a test: `url`, `set_fault`, `clear_fault` and the counters."""

    def __init__(
        self,
        config: CameraConfig,
        number: int,
        library: ClipLibrary,
        authority: Authority,
        *,
        host: str,
        advertised_host: str | None = None,
    ) -> None:
        """Create the camera; `number` is drawn into the picture unless the configuration names another."""
        super().__init__(config, authority, host=host, advertised_host=advertised_host)
        self.config = config
        self.fault: CameraFault | None = None
        self.reboots = 0
        self.sessions_total = 0
        self.frames_dropped = 0
        self.lockout: Lockout | None = None
        """Locks logins out after wrong ones, while that fault is set."""
        self._wrong_tls: ServerCertificate | None = None
        self._staging = Staging(config, number if config.number is None else config.number, library)
        self._random = random.Random()
        self._serials = itertools.count()
        self._tracks: list[PreparedTrack] = []
        self._feed: Feed | None = None

    @property
    def feed(self) -> Feed:
        """Sends media to sessions; a new one after each reboot."""
        assert self._feed is not None, "the camera is not ready"
        return self._feed

    @property
    def ready(self) -> bool:
        return self._feed is not None

    @property
    def sessions(self) -> int:
        """Sessions set up now."""
        return sum(connection.is_set_up for connection in self.connections)

    def url(self, *, with_credentials: bool = False) -> str:
        """Build the stream's address; `with_credentials` puts the right login into it."""
        return self.rtsp_url(self.config.path, with_credentials=with_credentials)

    def new_connection(self) -> CameraSession:
        return CameraSession(self)

    async def start(self) -> None:
        """Prepare the clip, then open the port as the configuration's fault (if any) demands."""
        self._tracks = await self._staging.tracks(None)
        self._boot()
        if self.config.fault is None:
            await self.set_port("open")
        else:
            await self._change(self.config.fault)

    async def close(self) -> None:
        if self._feed is not None:
            self._feed.stop()
        await super().close()

    async def set_fault(
        self, fault: CameraFault | CameraFaultName | str, **parameters: Unpack[CameraFaultParameters]
    ) -> None:
        """Set a fault, in place of any other. Raises ValueError for a wrong one.

        `close` ends at once: `fault` is None afterwards.
        """
        if not isinstance(fault, CameraFault):
            fault = CameraFault(fault=CameraFaultName(fault), **parameters)
        await self._change(fault)

    async def clear_fault(self) -> None:
        """Clear the fault. A camera that was off or closed has rebooted."""
        await self._change(None)

    def has_fault(self, *names: CameraFaultName) -> bool:
        return self.fault is not None and self.fault.fault in names

    @property
    def tls_context(self) -> ssl.SSLContext | None:
        if not self.has_fault(CameraFaultName.TLS):
            return super().tls_context
        return self._wrong_tls.server_context if self._wrong_tls is not None else None

    def fault_if(self, name: CameraFaultName) -> CameraFault | None:
        """Return the current fault if it is `name`."""
        return self.fault if self.fault is not None and self.fault.fault is name else None

    @property
    def login_locked(self) -> bool:
        """Whether every login is denied after too many wrong ones."""
        return self.lockout is not None and self.lockout.locked

    @property
    def clock_offset_s(self) -> float:
        """Seconds by which the camera's clock is ahead."""
        drifting = self.fault_if(CameraFaultName.CLOCK_DRIFT)
        return drifting.offset_s if drifting is not None else 0.0

    @property
    def is_silent(self) -> bool:
        """Whether no session gets media."""
        return self.fault is not None and self.fault.fault in _SILENT

    async def _change(self, fault: CameraFault | None) -> None:
        async with self._changing:
            self._require_fit(fault)
            tracks = await self._staging.tracks(fault)
            name = fault.fault if fault is not None else None
            before = self.fault.fault if self.fault is not None else None
            self.fault = fault
            redescribed = name in REDESCRIBED or before in REDESCRIBED
            if tracks[0] is not self._tracks[0]:
                self._tracks = tracks
                if not redescribed:
                    self.feed.show_pictures(tracks[0])
            if before in _REBOOTS or name is CameraFaultName.CLOSE or redescribed:
                self._reboot(before)
            self._apply_fault()
            await self.set_port("open" if name is None else _PORT.get(name, "open"))
            self._act_on_sessions(name)
            if name is CameraFaultName.CLOSE:
                self.fault = None
            log.info("camera_fault_set", camera=self.id, fault=name, before=before)

    def _require_fit(self, fault: CameraFault | None) -> None:
        if fault is None:
            return
        if fault.fault is CameraFaultName.TLS and not self.config.tls:
            msg = f"fault: {self.id} is not served over TLS; set tls in its configuration"
            raise FaultError(msg)
        if fault.fault is CameraFaultName.AUTH_LOCKOUT and self.config.auth == "none":
            msg = f"fault: {self.id} asks for no login; set auth in its configuration"
            raise FaultError(msg)

    def _apply_fault(self) -> None:
        """Apply the fault to the feed, the login and the certificate."""
        fault, feed = self.fault, self.feed
        feed.inter_only = self.has_fault(CameraFaultName.NO_KEYFRAME)
        feed.distinct = fault is None or (fault.fault, fault.chosen_kind) not in _BIT_FOR_BIT
        lossy = self.fault_if(CameraFaultName.PACKET_LOSS)
        feed.uplink.loss = lossy.percent / 100 if lossy is not None else 0.0
        shaky = self.fault_if(CameraFaultName.JITTER)
        feed.uplink.jitter_s = shaky.jitter_ms / 1000 if shaky is not None else 0.0
        gaps = self.fault_if(CameraFaultName.GAPS)
        feed.gaps = Gaps(feed.now(), gaps.every_s, gaps.for_s, gaps.chosen_kind == "loss") if gaps is not None else None
        feed.clock_offset_s = self.clock_offset_s
        locking = self.fault_if(CameraFaultName.AUTH_LOCKOUT)
        self.lockout = Lockout(locking.logins, locking.for_s) if locking is not None else None
        untrusted = self.fault_if(CameraFaultName.TLS)
        self._wrong_tls = self._wrong_certificate(untrusted.chosen_kind) if untrusted is not None else None

    def _wrong_certificate(self, kind: str | None) -> ServerCertificate | None:
        """None is plain TCP."""
        if kind == "plain":
            return None
        if kind == "untrusted":
            return Authority().issue(self.host)
        if kind == "expired":
            return self.authority.issue(self.host, expired=True)
        return self.authority.issue(_WRONG_HOST)

    def _act_on_sessions(self, name: CameraFaultName | None) -> None:
        if name is CameraFaultName.REFUSE:
            self.reset_connections()
        elif name in _ENDS_SESSIONS:
            self.close_connections()
        deaf = name in (CameraFaultName.OFF, CameraFaultName.BLACK_HOLE)
        for connection in tuple(self.connections):
            if deaf:
                connection.stop_reading()
            else:
                connection.resume_reading()
            connection.follow_feed()

    def _reboot(self, before: CameraFaultName | None) -> None:
        """Sessions end (a dead device's are reset), and RTP begins anew: SSRC, sequence, timestamp."""
        if before in _REBOOTS:
            self.reset_connections()
        else:
            self.close_connections()
        self.reboots += 1
        self._boot()

    def _boot(self) -> None:
        if self._feed is not None:
            self._feed.stop()
        self._feed = Feed(
            self._tracks,
            starts_with_keyframe=self.config.starts_with_keyframe,
            randomness=self._random,
            serials=self._serials,
        )
