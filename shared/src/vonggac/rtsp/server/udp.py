"""RTP and RTCP over UDP for one track of one session."""

import asyncio
import secrets
import socket
from collections.abc import Callable, Iterable

from vonggac.media.rtcp import ReceiverReport, ReportBlock, SenderReport, parse_rtcp
from vonggac.net.errors import MalformedError

_ATTEMPTS = 64
_MAX_DATAGRAM_BYTES = 2_048


class UdpPortsError(OSError):
    """No pair of ports is free."""


class UdpTrack:
    """An even port for RTP and the next one for RTCP, which send to one client and hear that one alone.

    A full socket drops the packet, as a network does.
    """

    def __init__(
        self,
        host: str,
        client: tuple[str, int, int],
        ssrc: int | None,
        on_receiver_report: Callable[[], None],
        *,
        ports: range | None = None,
    ) -> None:
        """`client` is its address with RTP and RTCP port; `ports`: those to send from, None for any.

        `on_receiver_report` is called for reports of that address that speak of `ssrc` (None: of any), or of no source
        yet. Raises UdpPortsError.
        """
        self.reported: ReportBlock | None = None
        """What the client has of this source, by its last report."""
        self._ssrc = ssrc
        self._on_receiver_report = on_receiver_report
        self._loop = asyncio.get_running_loop()
        address, rtp_port, rtcp_port = client
        self._address = address
        self._rtp_target, self._rtcp_target = (address, rtp_port), (address, rtcp_port)
        self._rtp, self._rtcp = _port_pair(host, ports)
        for sock in (self._rtp, self._rtcp):
            sock.setblocking(False)
            self._loop.add_reader(sock.fileno(), self._drain, sock)
        self.dropped = 0

    @property
    def server_ports(self) -> tuple[int, int]:
        return self._rtp.getsockname()[1], self._rtcp.getsockname()[1]

    def send_packets(self, packets: Iterable[bytes]) -> None:
        for packet in packets:
            self._send(self._rtp, packet, self._rtp_target)

    def send_report(self, report: bytes) -> None:
        self._send(self._rtcp, report, self._rtcp_target)

    def close(self) -> None:
        for sock in (self._rtp, self._rtcp):
            self._loop.remove_reader(sock.fileno())
            sock.close()

    def _send(self, sock: socket.socket, packet: bytes, target: tuple[str, int]) -> None:
        try:
            sock.sendto(packet, target)
        except OSError:
            # Full, or an ICMP error of an earlier packet (nobody listens): a server ignores both.
            self.dropped += 1

    def _drain(self, sock: socket.socket) -> None:
        try:
            datagram, sender = sock.recvfrom(_MAX_DATAGRAM_BYTES)
        except OSError:
            return
        if sock is self._rtcp and sender[0] == self._address and self._is_report(datagram):
            self._on_receiver_report()

    def _is_report(self, datagram: bytes) -> bool:
        try:
            packets = parse_rtcp(datagram)
        except MalformedError:
            return False
        of_source = False
        for packet in packets:
            if not isinstance(packet, ReceiverReport | SenderReport):
                continue
            blocks = [block for block in packet.blocks if self._ssrc in (None, block.ssrc)]
            if blocks:
                self.reported = blocks[0]
            of_source |= bool(blocks) or (isinstance(packet, ReceiverReport) and not packet.blocks)
        return of_source


def _port_pair(host: str, ports: range | None) -> tuple[socket.socket, socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for wanted in _candidates(ports):
        rtp = socket.socket(family, socket.SOCK_DGRAM)
        rtcp = socket.socket(family, socket.SOCK_DGRAM)
        try:
            rtp.bind((host, wanted))
            port = rtp.getsockname()[1]
            if port % 2 == 0:
                rtcp.bind((host, port + 1))
                return rtp, rtcp
        except OSError:
            pass
        rtp.close()
        rtcp.close()
    msg = "no free pair of UDP ports"
    raise UdpPortsError(msg)


def _candidates(ports: range | None) -> Iterable[int]:
    """Ports for RTP, in the order to try: 0 is any; of a range each even one, from a random one on."""
    if ports is None:
        return [0] * _ATTEMPTS
    even = range(ports.start + ports.start % 2, ports.stop - 1, 2)
    first = secrets.randbelow(len(even)) if even else 0
    return [*even[first:], *even[:first]]
