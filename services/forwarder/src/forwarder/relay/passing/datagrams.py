"""UDP of a passed session: its datagrams come from the worker that the centre has asked. Its holder hands them on in
the passage, on channels that no centre chooses."""

import asyncio
from collections.abc import Callable, Iterable

from forwarder.relay.passing.evidence import Report
from vonggac.media.rtcp import ReportBlock
from vonggac.media.rtp import interleave
from vonggac.net.errors import MalformedError
from vonggac.rtsp.server.udp import UdpPortsError, UdpTrack
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, Deframer, MediaBatch
from vonggac.rtsp.wire.messages import Request
from vonggac.rtsp.wire.transport import parse_transports
from vonggac.telemetry import get_logger

log = get_logger(__name__)

UDP_OF_FRONT = "Vonggac-Udp"
"""Field of a SETUP that is passed on: the front's ports, and the channels of the passage for them."""
FIRST_CHANNEL = 224
MOST_TRACKS = 8
MOST_WAITING_BYTES = 1 << 20
"""Beyond, datagrams are dropped, as a network drops them."""


class FrontDatagrams:
    """What the worker in front does: it has the sockets."""

    def __init__(self, centre: asyncio.Transport, ports: range, on_report: Callable[[Report], None]) -> None:
        self._centre, self._ports, self._on_report = centre, ports, on_report
        self._tracks: list[UdpTrack] = []
        self._deframer = Deframer()

    @property
    def is_open(self) -> bool:
        return bool(self._tracks)

    def open_track(self, request: Request) -> str | None:
        """Open sockets for a SETUP that asks for UDP alone: the field for the holder; None where none are wanted."""
        try:
            asked = parse_transports(request.headers.get("Transport") or "")
        except MalformedError:
            return None
        client_port = next((each.client_port for each in asked if each.client_port is not None and each.unicast), None)
        if client_port is None or any(each.over_tcp for each in asked) or len(self._tracks) == MOST_TRACKS:
            return None
        local, peer = (self._centre.get_extra_info(name)[0] for name in ("sockname", "peername"))
        channel = FIRST_CHANNEL + 2 * len(self._tracks)
        try:
            track = UdpTrack(local, (peer, *client_port), None, lambda: self._report(channel), ports=self._ports)
        except UdpPortsError as error:
            log.warning("udp_ports_missing", reason=str(error))
            return None
        self._tracks.append(track)
        return f"{track.server_ports[0]}-{track.server_ports[1]};{channel}"

    def split(self, data: bytes) -> bytes:
        """Send the datagrams of what the holder sent; return what goes over the connection. Raises PeerError."""
        rest = bytearray()
        for item in self._deframer.feed(data):
            if not isinstance(item, MediaBatch):
                rest += item.encode()
                continue
            for channel, start, end in item.frames:
                number, is_report = divmod(channel - FIRST_CHANNEL, 2)
                if not 0 <= number < len(self._tracks):
                    rest += item.data[start:end]
                elif is_report:
                    self._tracks[number].send_report(item.data[start + FRAME_HEADER_BYTES : end])
                else:
                    self._tracks[number].send_packets((item.data[start + FRAME_HEADER_BYTES : end],))
        return bytes(rest)

    def close(self) -> None:
        """Release the sockets."""
        for track in self._tracks:
            track.close()
        self._tracks.clear()

    def _report(self, channel: int) -> None:
        block = self._tracks[(channel - FIRST_CHANNEL) // 2].reported or ReportBlock(0)
        self._on_report(Report(channel, block.ssrc, block.fraction_lost, block.highest_sequence))


class PassedUdpTrack:
    """What the holder has in the place of its own sockets (`UdpTrack`)."""

    def __init__(self, transport: asyncio.Transport, field: str, ssrc: int | None) -> None:
        """`field`: of the front. Raises ValueError."""
        ports, _, channel = field.partition(";")
        first, _, second = ports.partition("-")
        self.server_ports = int(first), int(second)
        self.channel = int(channel)
        self.reported: ReportBlock | None = None
        self._transport, self._ssrc = transport, ssrc
        self.dropped = 0

    def send_packets(self, packets: Iterable[bytes]) -> None:
        for packet in packets:
            self._send(self.channel, packet)

    def send_report(self, report: bytes) -> None:
        self._send(self.channel + 1, report)

    def note_report(self, report: Report) -> None:
        """Note what the centre reports to have; a report of another source, or of none yet, counts for nothing."""
        if report.ssrc and self._ssrc in (None, report.ssrc):
            self.reported = ReportBlock(
                report.ssrc, fraction_lost=report.fraction_lost, highest_sequence=report.highest_sequence
            )

    def close(self) -> None:
        """Close nothing: the sockets are the front's."""

    def _send(self, channel: int, packet: bytes) -> None:
        if self._transport.is_closing() or self._transport.get_write_buffer_size() > MOST_WAITING_BYTES:
            self.dropped += 1
        else:
            self._transport.write(interleave(channel, packet))
