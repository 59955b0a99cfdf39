"""A virtual camera: its clip, its live feed, its sessions and its fault."""

import random
from typing import Unpack

from simulator.config import CameraConfig
from simulator.device import Device, PortState
from simulator.faults import CameraFault, CameraFaultName, CameraFaultParameters
from simulator.feed import Feed
from simulator.library import ClipLibrary
from simulator.packets import PreparedTrack
from simulator.rtsp.camera_session import CameraSession
from simulator.staging import Staging
from vonggac.telemetry import get_logger

log = get_logger(__name__)

_PORT: dict[CameraFaultName, PortState] = {CameraFaultName.OFF: "dead", CameraFaultName.REFUSE: "refused"}
_SILENT = frozenset((CameraFaultName.OFF, CameraFaultName.BLACK_HOLE, CameraFaultName.STALL, CameraFaultName.NO_MEDIA))
_REBOOTS = frozenset((CameraFaultName.OFF, CameraFaultName.REFUSE))
_ENDS_SESSIONS = frozenset((CameraFaultName.AUTH, CameraFaultName.NOT_FOUND))
_GARBAGE = random.Random(1742).randbytes(1 << 16)


class Camera(Device[CameraSession]):
    """Made by the Simulator. In a test: `url`, `set_fault`, `clear_fault` and the counters."""

    def __init__(
        self,
        config: CameraConfig,
        number: int,
        library: ClipLibrary,
        *,
        host: str,
        advertised_host: str | None = None,
    ) -> None:
        """`number` is drawn into the picture unless the configuration names another."""
        super().__init__(config, host, advertised_host)
        self.config = config
        self.fault: CameraFault | None = None
        self.reboots = 0
        self.sessions_total = 0
        self.frames_dropped = 0
        self._staging = Staging(config, number if config.number is None else config.number, library)
        self._random = random.Random()
        self._tracks: list[PreparedTrack] = []
        self._feed: Feed | None = None

    @property
    def feed(self) -> Feed:
        """What sessions are sent; another one after a reboot."""
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
        """The stream's address, with the right login inside if asked for."""
        return self.rtsp_url(self.config.path, with_credentials=with_credentials)

    def new_connection(self) -> CameraSession:
        return CameraSession(self)

    async def start(self) -> None:
        """Prepare the clip, then answer as the configuration's fault (if any) demands."""
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
        """Let a fault act from now on, in place of any other. Raises ValueError for a wrong one.

        `close` is over as soon as it is done: `fault` is None afterwards.
        """
        if not isinstance(fault, CameraFault):
            fault = CameraFault(fault=CameraFaultName(fault), **parameters)
        await self._change(fault)

    async def clear_fault(self) -> None:
        """Be well again. A camera that was off or closed has been rebooted meanwhile."""
        await self._change(None)

    def has_fault(self, *names: CameraFaultName) -> bool:
        return self.fault is not None and self.fault.fault in names

    @property
    def is_silent(self) -> bool:
        """Whether no session gets media."""
        return self.fault is not None and self.fault.fault in _SILENT

    def garbage(self, size: int) -> bytes:
        """`size` (at most 64 KiB) bytes that mean nothing."""
        begin = self._random.randrange(len(_GARBAGE) - min(size, len(_GARBAGE)) + 1)
        return _GARBAGE[begin : begin + size]

    async def _change(self, fault: CameraFault | None) -> None:
        async with self._changing:
            tracks = await self._staging.tracks(fault)
            name = fault.fault if fault is not None else None
            before = self.fault.fault if self.fault is not None else None
            self.fault = fault
            if tracks[0] is not self._tracks[0]:
                self._tracks = tracks
                self.feed.show(tracks[0])
            if before in _REBOOTS or name is CameraFaultName.CLOSE:
                self._reboot(before)
            self._spoil_feed()
            await self.set_port("open" if name is None else _PORT.get(name, "open"))
            self._act_on_sessions(name)
            if name is CameraFaultName.CLOSE:
                self.fault = None
            log.info("camera_fault_set", camera=self.id, fault=name, before=before)

    def _spoil_feed(self) -> None:
        """Let the feed do what the fault demands of it."""
        fault = self.fault
        self.feed.inter_only = self.has_fault(CameraFaultName.NO_KEYFRAME)
        self.feed.distinct = fault is None or (fault.fault, fault.chosen_kind) != (CameraFaultName.FREEZE, "coded")

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
        self._feed = Feed(self._tracks, starts_with_keyframe=self.config.starts_with_keyframe, randomness=self._random)
