"""RTP and RTCP over UDP for a player: media comes as interleaved frames.

So its receiver (a probe, the relay) need not know the transport.
"""

import asyncio
import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from vonggac.events.causes import Cause
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import PeerError
from vonggac.rtsp.client.connection import RtspConnection
from vonggac.rtsp.client.udp_track import UdpTrack, literal_address
from vonggac.rtsp.wire.framing import MediaBatch
from vonggac.rtsp.wire.tracks import Track
from vonggac.rtsp.wire.transport import Transport, another_transport

_PAIR_ATTEMPTS = 64


@dataclass(frozen=True, slots=True)
class UdpOptions:
    """How a player uses UDP.

    `ports`: which local ports may be used (a firewall's opening), None: any. `hole_punching`: send a packet to the
    camera's ports first, so that a NAT or firewall on our side passes its media. `first_media_s`: how long
    `udp_then_tcp` waits for media before it tries TCP.
    """

    ports: range | None = None
    hole_punching: bool = True
    first_media_s: float = 2.0
    reorder_packets: int = 64
    reorder_wait_s: float = 0.05

    def __post_init__(self) -> None:
        if self.ports is not None and not (self.ports and 1024 <= min(self.ports) <= max(self.ports) <= 65535):
            msg = "ports must be a range within 1024 to 65535"
            raise ValueError(msg)


class ReceptionStats(NamedTuple):
    """Statistics of UDP, of all tracks together."""

    packets: int
    """RTP packets that counted: without doubled ones."""
    lost: int
    reordered: int
    late: int
    """Packets that came too late, or twice: dropped."""
    foreign: int
    """Datagrams from another address than the camera's: dropped unread."""
    malformed: int


class UdpReception:
    """The sockets of one player. Call `stop` at the end; nothing is read before `start`."""

    def __init__(self, connection: RtspConnection, options: UdpOptions, allowed: AllowedNetworks | None) -> None:
        self._connection = connection
        self._options = options
        self._allowed = allowed
        self._local = str(connection.transport.get_extra_info("sockname")[0])
        self._peer = str(connection.transport.get_extra_info("peername")[0])
        self._ssrc = secrets.randbits(32)
        self._cname = secrets.token_hex(8)
        self._tracks: list[UdpTrack] = []
        self._timer: asyncio.TimerHandle | None = None
        self.first_media: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done with the first packet."""

    def open_track(self, track: Track) -> Transport:
        """Bind the ports of a track; returns the transport to request.

        Raises PeerError internal_error when there is no free pair of ports.
        """
        options = self._options
        rtp, rtcp = bind_pair(self._local, options.ports)
        self._tracks.append(
            UdpTrack(
                (rtp, rtcp),
                track,
                self._deliver,
                self._count_junk,
                reorder_packets=options.reorder_packets,
                reorder_wait_s=options.reorder_wait_s,
            )
        )
        return Transport("RTP/AVP", client_port=(rtp.getsockname()[1], rtcp.getsockname()[1]))

    def set_transport(self, answered: Transport) -> None:
        """Use the answer to the latest track's SETUP. Raises PeerError transport_unsupported."""
        if answered.over_tcp or not answered.unicast:
            raise another_transport("UDP", answered)
        source = literal_address(answered.source)
        address = self._peer
        if source is not None and (self._allowed is None or self._allowed.allow(source)):
            address = source
        ports = answered.server_port
        if ports is not None and self._allowed is not None:
            # Reports go to no port where no device can be, whatever the camera says.
            ports = ports if all(self._allowed.allow(address, port) for port in ports) else None
        self._tracks[-1].expect({self._peer, address}, address, ports)

    def start(self, report_interval_s: float | None) -> None:
        """Start reading, open our own firewall, and report every `report_interval_s` (None: never)."""
        for track in self._tracks:
            track.start()
            if self._options.hole_punching:
                track.punch(self._ssrc, self._cname)
        if report_interval_s is not None:
            self._report_in(report_interval_s)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for track in self._tracks:
            track.close()
        if not self.first_media.done():
            self.first_media.cancel()

    @property
    def stats(self) -> ReceptionStats:
        counts = [track.counts for track in self._tracks]
        return ReceptionStats(*(sum(column) for column in zip(*counts, strict=True)))

    def _deliver(self, batch: MediaBatch) -> None:
        if self._connection.closed:
            return
        try:
            self._connection.deliver_media(batch)
        except Exception as error:
            # As on the connection itself: a callback that fails ends the session, and the loop reports it.
            self._connection.fail(PeerError(Cause.INTERNAL_ERROR, f"a callback raised {type(error).__name__}"))
            raise
        if not self.first_media.done():
            self.first_media.set_result(None)

    def _count_junk(self, datagrams: int) -> None:
        """Datagrams that hold no packet of this camera."""
        try:
            self._connection.rates.count_frames(datagrams, 0)
        except PeerError as error:
            self._connection.fail(error)

    def _report_in(self, interval_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(interval_s, self._report, interval_s)

    def _report(self, interval_s: float) -> None:
        for track in self._tracks:
            if self._options.hole_punching and not track.heard:
                track.punch(self._ssrc, self._cname)
            else:
                track.report(self._ssrc, self._cname)
        self._report_in(interval_s)


def bind_pair(local: str, ports: range | None) -> tuple[socket.socket, socket.socket]:
    """Sockets on an even port and the next one (RFC 3550 §11). Raises PeerError internal_error."""
    for wanted in _even_ports(ports):
        first = _bind(local, wanted)
        if first is None:
            continue
        port = first.getsockname()[1]
        second = _bind(local, port ^ 1)
        if second is not None:
            return (first, second) if port % 2 == 0 else (second, first)
        first.close()
    raise PeerError(Cause.INTERNAL_ERROR, "there is no free pair of UDP ports")


def _even_ports(ports: range | None) -> Iterable[int]:
    """Ports to try: 0 leaves the choice to the system."""
    if ports is None:
        return [0] * _PAIR_ATTEMPTS
    even = [port for port in ports if port % 2 == 0 and port + 1 in ports]
    begin = secrets.randbelow(len(even)) if even else 0
    return even[begin:] + even[:begin]


def _bind(local: str, port: int) -> socket.socket | None:
    bound = socket.socket(socket.AF_INET6 if ":" in local else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.setblocking(False)
        bound.bind((local, port))
    except OSError:
        bound.close()
        return None
    return bound
