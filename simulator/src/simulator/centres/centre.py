"""A virtual monitoring centre: gets streams by ANNOUNCE and RECORD or pulls them, counts them, plays them back."""

import asyncio
from collections.abc import Callable
from typing import Unpack

from simulator.centres.kept import KeptPulling
from simulator.centres.puller import Puller
from simulator.centres.session import CentreSession
from simulator.centres.statistics import StreamStatistics
from simulator.centres.stream import Stream
from simulator.config import CentreConfig
from simulator.devices.device import Device, PortState
from simulator.devices.faults import CentreFault, CentreFaultName, CentreFaultParameters
from vonggac.telemetry import get_logger
from vonggac.testing.certificates import Authority

log = get_logger(__name__)

MAX_STREAMS = 10_000
_POLL_S = 0.01
_PORT: dict[CentreFaultName, PortState] = {
    CentreFaultName.OFF: "dead",
    CentreFaultName.REFUSE: "refused",
    CentreFaultName.RESTART: "refused",
}
_CLOSES_PORT = frozenset((CentreFaultName.REFUSE, CentreFaultName.RESTART))
_DEAF = frozenset((CentreFaultName.OFF, CentreFaultName.BLACK_HOLE))


class Centre(Device[CentreSession]):
    """Made by the Simulator. In a test: `url`, `stream_url`, `streams`, `wait_for`, `set_fault`, `clear_fault`."""

    def __init__(
        self,
        config: CentreConfig,
        authority: Authority,
        *,
        host: str,
        advertised_host: str | None = None,
        kept: KeptPulling | None = None,
    ) -> None:
        super().__init__(config, authority, host=host, advertised_host=advertised_host)
        self.config = config
        self.puller = Puller(self, config.pulling, kept)
        self.fault: CentreFault | None = None
        self._streams: dict[str, Stream] = {}
        self._return_timer: asyncio.TimerHandle | None = None
        self._returning: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """`rtsp://host:port`: a stream's address is this and its path."""
        return self.rtsp_url("", with_credentials=False)

    def stream_url(self, path: str, *, with_credentials: bool = False) -> str:
        """Where to publish or play the stream with this key; `path` with or without a leading slash."""
        return self.rtsp_url(f"/{path.lstrip('/')}", with_credentials=with_credentials)

    @property
    def streams(self) -> dict[str, StreamStatistics]:
        """The counts until now, by path without its leading slash."""
        return {path: stream.statistics() for path, stream in self._streams.items()}

    async def wait_for(
        self, path: str, condition: Callable[[StreamStatistics], bool], *, timeout_s: float = 10.0
    ) -> StreamStatistics:
        """Wait until the statistics of `path` fulfil `condition`, and return them. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while True:
                stream = self._streams.get(path.lstrip("/"))
                if stream is not None and condition(statistics := stream.statistics()):
                    return statistics
                await asyncio.sleep(_POLL_S)

    def reset_statistics(self) -> None:
        """Drop ended sessions and streams, and count the current ones from zero."""
        self._streams = {path: stream for path, stream in self._streams.items() if stream.live}
        for stream in self._streams.values():
            stream.reset_statistics()

    def played_stream(self, path: str) -> Stream | None:
        """Find what viewers of `path` (no leading slash) get; None for a path without any publisher so far."""
        wrong = self._fault_if(CentreFaultName.WRONG_PICTURE)
        if wrong is None:
            return self._streams.get(path)
        if wrong.path is not None:
            return self._streams.get(wrong.path.strip("/"))
        return next(
            (self._streams[other] for other in sorted(self._streams) if other != path and self._streams[other].live),
            None,
        )

    def make_stream(self, path: str) -> Stream | None:
        """Find or make the stream at `path`; None when there are too many."""
        stream = self._streams.get(path)
        if stream is None and len(self._streams) < MAX_STREAMS:
            stream = self._streams[path] = Stream(path, self.config.gop_cache_bytes, self.config.kept_s)
            stream.set_playback(self.fault)
        return stream

    def new_connection(self) -> CentreSession:
        return CentreSession(self)

    async def start(self) -> None:
        """Open the port as the configuration's fault (if any) demands."""
        if self.config.fault is None:
            await self.set_port("open")
        else:
            await self._change(self.config.fault)
        self.puller.start(self.fault)

    async def close(self) -> None:
        async with self._changing:
            self._plan_return(None)
        if self._returning is not None:
            await self._returning
        await self.puller.close()
        await super().close()

    async def set_fault(
        self, fault: CentreFault | CentreFaultName | str, **parameters: Unpack[CentreFaultParameters]
    ) -> None:
        """Set a fault, in place of any other. Raises ValueError for an unknown one, FaultError for one that needs media
        of more seconds than this centre keeps.

        `close` ends at once, `restart` after its time: `fault` is None afterwards.
        """
        if not isinstance(fault, CentreFault):
            fault = CentreFault(fault=CentreFaultName(fault), **parameters)
        self.config.require_kept(fault)
        await self._change(fault)

    async def clear_fault(self) -> None:
        """Clear the fault. Sessions of a centre that was off are reset, those of a black hole are read again."""
        await self._change(None)

    def has_fault(self, *names: CentreFaultName) -> bool:
        return self.fault is not None and self.fault.fault in names

    def apply_fault_to(self, connection: CentreSession) -> None:
        """Read from a connection as the fault demands."""
        if self.fault is not None and self.fault.fault in _DEAF:
            connection.stop_reading()
        elif self.fault is not None and self.fault.fault is CentreFaultName.SLOW_READER:
            connection.throttle(self.fault.bytes_per_s)
        elif self.fault is not None and self.fault.fault is CentreFaultName.BUFFER and connection.publication:
            connection.hold_back(self.fault.buffer_bytes)
        else:
            connection.resume_reading()

    def _fault_if(self, name: CentreFaultName) -> CentreFault | None:
        return self.fault if self.fault is not None and self.fault.fault is name else None

    async def _change(self, fault: CentreFault | None) -> None:
        async with self._changing:
            await self._apply(fault)

    async def _apply(self, fault: CentreFault | None) -> None:
        name = fault.fault if fault is not None else None
        before = self.fault.fault if self.fault is not None else None
        self.fault = fault
        if name in _CLOSES_PORT or before is CentreFaultName.OFF:
            self.reset_connections()
        elif name in (CentreFaultName.AUTH, CentreFaultName.CLOSE):
            self.close_connections()
        elif CentreFaultName.WRONG_PICTURE in (name, before):
            self._close_viewers()
        for stream in self._streams.values():
            stream.set_playback(fault)
        await self.set_port("open" if name is None else _PORT.get(name, "open"))
        for connection in tuple(self.connections):
            self.apply_fault_to(connection)
        self.puller.apply_fault(fault, before=before)
        self._plan_return(fault)
        if name is CentreFaultName.CLOSE:
            self.fault = None
        log.info("centre_fault_set", centre=self.id, fault=name, before=before)

    def _plan_return(self, fault: CentreFault | None) -> None:
        if self._return_timer is not None:
            self._return_timer.cancel()
            self._return_timer = None
        if fault is not None and fault.fault is CentreFaultName.RESTART:
            self._return_timer = asyncio.get_running_loop().call_later(fault.for_s, self._begin_return, fault)

    def _begin_return(self, fault: CentreFault) -> None:
        self._returning = asyncio.create_task(self._return(fault))

    async def _return(self, fault: CentreFault) -> None:
        async with self._changing:
            # Another fault may have been set while this one waited for the lock.
            if self.fault is fault:
                await self._apply(None)

    def _close_viewers(self) -> None:
        """Close the sessions that play: the description has changed."""
        for connection in tuple(self.connections):
            if connection.is_viewing:
                connection.transport.close()
