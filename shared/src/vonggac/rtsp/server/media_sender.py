"""The tracks of one session as ways out: interleaved on its connection, or over UDP."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from vonggac.media.rtcp import ReportBlock
from vonggac.media.rtp import interleave
from vonggac.rtsp.server.transport_policy import to_answer
from vonggac.rtsp.server.udp import UdpPortsError, UdpTrack
from vonggac.rtsp.wire.transport import Transport
from vonggac.telemetry import get_logger

log = get_logger(__name__)

MAX_WRITE_BUFFER_BYTES = 1 << 20
"""A slow reader's media beyond this is dropped, until a keyframe finds room."""


class DatagramTrack(Protocol):
    """One track over UDP (`UdpTrack`), wherever its sockets are."""

    @property
    def server_ports(self) -> tuple[int, int]: ...

    reported: ReportBlock | None

    def send_packets(self, packets: Iterable[bytes]) -> None: ...

    def send_report(self, report: bytes) -> None: ...

    def close(self) -> None: ...


type OpenUdp = Callable[[int | None], DatagramTrack | None]
"""By the sender (SSRC) of the track; None where nothing can be sent over UDP."""


class MediaSender:
    """Sends what it is given, bounded: a client that does not read costs `MAX_WRITE_BUFFER_BYTES` and one frame."""

    def __init__(
        self,
        transport: asyncio.Transport,
        on_receiver_report: Callable[[], None],
        *,
        udp_ports: range | None = None,
        open_udp: OpenUdp | None = None,
    ) -> None:
        """`transport` is the RTSP connection, which carries interleaved media; `udp_ports`: where to send from.

        `open_udp`: opens what sends, where that is not a socket of this process.
        """
        self._open_elsewhere = open_udp
        self._transport = transport
        self._udp_ports = udp_ports
        self._on_receiver_report = on_receiver_report
        self._channels: dict[int, tuple[int, int]] = {}
        self._udp: dict[int, DatagramTrack] = {}
        self._skipping: set[int] = set()

    def open_track(self, index: int, offers: Iterable[Transport], ssrc: int | None) -> Transport | None:
        """Open the first of `offers` that can be opened and return the answer to SETUP; None when none can."""
        for offer in offers:
            if offer.interleaved is not None:
                self._close_udp(index)
                self._channels[index] = offer.interleaved
                return to_answer(offer, ssrc=ssrc)
            udp = self._open_udp(offer.client_port, ssrc)
            if udp is not None:
                self._close_udp(index)
                self._channels.pop(index, None)
                self._udp[index] = udp
                return to_answer(replace(offer, server_port=udp.server_ports), ssrc=ssrc)
        return None

    def channels_of(self, index: int) -> tuple[int, int] | None:
        """Find the track's interleaved channels, for RTP and RTCP."""
        return self._channels.get(index)

    def udp_of(self, index: int) -> DatagramTrack | None:
        return self._udp.get(index)

    def has_room(self, index: int, *, keyframe: bool) -> bool:
        """Whether the track's next frame may be written: after a gap it begins again with a keyframe."""
        if self._transport.get_write_buffer_size() > MAX_WRITE_BUFFER_BYTES:
            self._skipping.add(index)
        elif index in self._skipping and keyframe:
            self._skipping.discard(index)
        return index not in self._skipping

    def send_report(self, index: int, report: bytes) -> None:
        """Send one RTCP packet on the track, if it is open."""
        udp, channels = self._udp.get(index), self._channels.get(index)
        if udp is not None:
            udp.send_report(report)
        elif channels is not None and index not in self._skipping:
            self._transport.write(interleave(channels[1], report))

    def close(self) -> None:
        """Release all tracks; others may be opened afterwards."""
        for index in tuple(self._udp):
            self._close_udp(index)
        self._channels.clear()
        self._skipping.clear()

    def _close_udp(self, index: int) -> None:
        if (before := self._udp.pop(index, None)) is not None:
            before.close()

    def _open_udp(self, client_port: tuple[int, int] | None, ssrc: int | None) -> DatagramTrack | None:
        if client_port is None:
            return None
        if self._open_elsewhere is not None:
            return self._open_elsewhere(ssrc)
        local, peer = (self._transport.get_extra_info(name)[0] for name in ("sockname", "peername"))
        try:
            return UdpTrack(local, (peer, *client_port), ssrc, self._on_receiver_report, ports=self._udp_ports)
        except UdpPortsError as error:
            log.warning("udp_ports_missing", reason=str(error))
            return None
