"""A centre's connection that is passed to the holder of its camera: what the worker in front does.

The holder's bytes go to the centre as they are, as fast as the centre reads and no faster. What the centre's own socket
has acknowledged goes to the holder, whose socket knows this worker alone.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Protocol

from forwarder.relay.destinations.send_buffer import SendBuffer
from forwarder.relay.destinations.tcp_ack import TcpAcknowledgement
from forwarder.relay.passing.datagrams import UDP_OF_FRONT, FrontDatagrams
from forwarder.relay.passing.evidence import MAX_FRAME_BYTES, Evidence, Kind, Report, encode_frame
from forwarder.relay.passing.fleet import Address
from vonggac.net.errors import PeerError
from vonggac.rtsp.wire.messages import Headers, Request
from vonggac.telemetry import get_logger

log = get_logger(__name__)

MOST_WAITING_BYTES = 256 << 10
"""For a centre that reads slowly; beyond, the holder is read no further and its own bounds hold."""
EVIDENCE_S = 0.5
CONNECT_WITHIN_S = 3.0
GOODBYE_WITHIN_S = 2.0
"""For the holder's last words, when this worker stops."""
_OURS = frozenset({"authorization", "content-length", UDP_OF_FRONT.lower()})
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Centre(Protocol):
    """The centre's connection, as its passage needs it."""

    transport: asyncio.Transport

    def close_soon(self) -> None: ...


class Passage(asyncio.Protocol):
    """From the request that is passed on first to the end of either side."""

    def __init__(
        self,
        centre: Centre,
        address: Address,
        ticket: bytes,
        on_unanswered: Callable[[], None],
        udp_ports: range | None = None,
    ) -> None:
        """`on_unanswered`: the holder was not reached, or ended without a word: nothing was passed to the centre.

        `udp_ports`: from which media may go out; None where the centre may not have UDP.
        """
        self._centre, self._address, self._on_unanswered = centre, address, on_unanswered
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiting = bytearray(ticket)
        """Before the holder is connected."""
        self._datagrams = (
            FrontDatagrams(centre.transport, udp_ports, self._send_report) if udp_ports is not None else None
        )
        self._passed = 0
        self._ended = False
        self._stop_timer: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._acknowledgement = TcpAcknowledgement(centre.transport)
        self._send_buffer = SendBuffer(centre.transport)
        centre.transport.set_write_buffer_limits(high=MOST_WAITING_BYTES, low=MOST_WAITING_BYTES // 4)
        self._connecting = self._loop.create_task(self._connect(), name="passage")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have this interface without being its subclasses.
        self._transport = transport  # type: ignore[assignment]
        assert self._transport is not None
        self._transport.write(bytes(self._waiting))
        self._waiting.clear()
        self._timer = self._loop.call_later(EVIDENCE_S, self._send_evidence)

    def data_received(self, data: bytes) -> None:
        if not self._centre.transport.is_closing():
            if self._datagrams is not None and self._datagrams.is_open:
                data = self._split(self._datagrams, data)
            self._passed += len(data)
            self._centre.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timers()
        if self._datagrams is not None:
            self._datagrams.close()
        if self._ended:
            return
        self._ended = True
        if not self._passed:
            self._on_unanswered()
        elif exc is None:
            # What the holder wrote last, a goodbye perhaps, still goes out.
            self._centre.close_soon()
        else:
            reset_connection(self._centre.transport)

    def send_request(self, request: Request) -> None:
        """Send a request of the centre, without its login: that is judged here."""
        fields = Headers([(name, value) for name, value in request.headers if name.lower() not in _OURS])
        udp = self._datagrams.open_track(request) if self._datagrams is not None and request.method == "SETUP" else None
        if udp is not None:
            fields.add_field(UDP_OF_FRONT, udp)
        self.send_from_centre(Request(request.method, request.uri, fields, request.body).encode())

    def send_from_centre(self, data: bytes) -> None:
        """Send what the centre sent."""
        for at in range(0, len(data), MAX_FRAME_BYTES):
            self.send_frame(Kind.FROM_CENTRE, data[at : at + MAX_FRAME_BYTES])

    def send_frame(self, kind: Kind, body: bytes = b"") -> None:
        """To the holder, or to its place until it is connected."""
        frame = encode_frame(kind, body)
        if self._transport is None:
            self._waiting += frame
        elif not self._transport.is_closing():
            self._transport.write(frame)

    def pause(self) -> None:
        """Read nothing more of the holder: the centre reads too slowly."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read the holder again: the centre reads again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def end_by_the_holder(self) -> bool:
        """Have the holder end the session (RTCP BYE): this worker stops. False when it is not there any more."""
        if self._ended or self._transport is None or self._transport.is_closing():
            return False
        if self._stop_timer is None:
            self.send_frame(Kind.STOPPING)
            self._stop_timer = self._loop.call_later(GOODBYE_WITHIN_S, reset_connection, self._centre.transport)
        return True

    def end(self, *, centre_left: bool) -> None:
        """End with the centre's connection: send the holder what it had taken by then, and whether it has left."""
        self._cancel_timers()
        if self._ended:
            return
        self._ended = True
        if self._datagrams is not None:
            self._datagrams.close()
        if self._transport is None:
            self._connecting.cancel()
            return
        acknowledgement = self._acknowledgement
        acknowledged = acknowledgement.acknowledged_at_end(self._passed, others=0)
        last = Evidence(acknowledged, acknowledged, 0.0, acknowledgement.ack_age_s, doubtful=False)
        self.send_frame(Kind.EVIDENCE, last.encode())
        if centre_left:
            self.send_frame(Kind.LEFT)
        self._transport.close()

    def _cancel_timers(self) -> None:
        for timer in (self._timer, self._stop_timer):
            if timer is not None:
                timer.cancel()

    def _split(self, datagrams: FrontDatagrams, data: bytes) -> bytes:
        try:
            return datagrams.split(data)
        except PeerError as error:
            log.warning("holder_spoke_nonsense", error=error.message)
            self._centre.close_soon()
            return b""

    def _send_report(self, report: Report) -> None:
        self.send_frame(Kind.REPORT, report.encode())

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                await self._loop.create_connection(lambda: self, *self._address)
        except (OSError, TimeoutError) as error:
            log.warning("holder_unreached", holder=f"{self._address[0]}:{self._address[1]}", error=type(error).__name__)
            if not self._ended:
                self._ended = True
                self._on_unanswered()

    def _send_evidence(self) -> None:
        self._timer = self._loop.call_later(EVIDENCE_S, self._send_evidence)
        acknowledgement, transport = self._acknowledgement, self._centre.transport
        if transport.is_closing():
            return
        self._send_buffer.fit(self._passed, self._loop.time())
        acknowledged = acknowledgement.acknowledged(self._passed, buffered=transport.get_write_buffer_size(), others=0)
        evidence = Evidence(
            acknowledged,
            acknowledgement.taken,
            acknowledgement.unread_for_s,
            acknowledgement.ack_age_s,
            acknowledgement.doubtful,
        )
        self.send_frame(Kind.EVIDENCE, evidence.encode())


def reset_connection(transport: asyncio.Transport) -> None:
    """End a connection at once, whatever still waits in it."""
    sock = transport.get_extra_info("socket")
    if sock is not None and not transport.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
