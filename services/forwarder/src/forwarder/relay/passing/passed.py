"""A centre that another worker passed on: what the holder of the camera does."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from forwarder.domain.serving.tickets import MAX_LINE_BYTES, Passed, TicketError, TicketReader
from forwarder.relay.passing.evidence import Evidence, FrameError, Kind, Report, read_frames
from vonggac.telemetry import get_logger

log = get_logger(__name__)

TICKET_WITHIN_S = 3.0


class PassedTransport(asyncio.Transport):
    """The way to the worker in front, as if it were the centre's own socket: with the centre's address."""

    def __init__(self, inner: asyncio.Transport, passed: Passed) -> None:
        super().__init__({"peername": (passed.peer, 0)})
        self._inner = inner
        self.written = 0
        """Bytes in all."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "peername":
            return super().get_extra_info(name, default)
        return self._inner.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += len(data)
        self._inner.write(data)

    def is_closing(self) -> bool:
        return self._inner.is_closing()

    def is_reading(self) -> bool:
        return self._inner.is_reading()

    def pause_reading(self) -> None:
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        self._inner.resume_reading()

    def close(self) -> None:
        self._inner.close()

    def abort(self) -> None:
        self._inner.abort()

    def get_write_buffer_size(self) -> int:
        return self._inner.get_write_buffer_size()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._inner.set_write_buffer_limits(high, low)


class ReceivedEvidence:
    """The newest evidence of the worker in front."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.newest = Evidence(0, 0, 0.0, 0.0, doubtful=False)
        self._came_s = self._loop.time()

    @property
    def age_s(self) -> float:
        return self._loop.time() - self._came_s

    def keep(self, evidence: Evidence) -> None:
        self.newest, self._came_s = evidence, self._loop.time()


class PassedAcknowledgement:
    """What the centre's own socket acknowledged, as the worker in front says; read as `TcpAcknowledgement` is."""

    def __init__(self, evidence: ReceivedEvidence, transport: PassedTransport) -> None:
        """`transport` has written nothing of the session's media so far."""
        self._evidence, self._transport = evidence, transport
        self._before = transport.written
        self._sure = 0
        self.taken = 0
        self.unread_for_s = self.ack_age_s = 0.0
        self.doubtful = False
        self.sign = None

    def acknowledged(self, written: int, *, buffered: int, others: int) -> int:
        """As of `TcpAcknowledgement`: of `written` media bytes, those that are certainly acknowledged."""
        newest = self._evidence.newest
        self._sure = max(self._sure, self._media_of(newest.acknowledged, written, buffered, others))
        self.taken = max(self.taken, self._media_of(newest.taken, written, buffered, others))
        self.unread_for_s, self.doubtful = newest.unread_for_s, newest.doubtful
        self.ack_age_s = newest.ack_age_s + self._evidence.age_s
        return self._sure

    def acknowledged_at_end(self, written: int, *, others: int) -> int:
        """Count as `acknowledged` does, for a connection that has just ended."""
        return self.acknowledged(written, buffered=1, others=others)

    def _media_of(self, total: int, written: int, buffered: int, others: int) -> int:
        """Of the media, what lies within `total` bytes of all. Where nothing else waits, the rest is media too."""
        if buffered == 0 and total >= self._transport.written:
            return written
        return min(written, max(0, total - self._before - others))


class CentreBehind(Protocol):
    """The connection of a centre, as `asyncio.Protocol` has it, wherever its bytes come from."""

    has_left: bool
    """Whether the centre has left. Where nothing says so, the worker in front has ended."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None: ...

    def connection_lost(self, exc: Exception | None) -> None: ...

    def data_received(self, data: bytes) -> None: ...

    def pause_writing(self) -> None: ...

    def close_soon(self) -> None:
        """End it in order, with a goodbye to who plays."""

    def note_report(self, report: Report) -> None:
        """Note what the centre reports to have of media over UDP."""


type NewCentre = Callable[[Passed, PassedTransport, ReceivedEvidence], CentreBehind]


class PassedConnection(asyncio.Protocol):
    """One connection of a worker in front: its ticket, and then a centre's connection in frames."""

    _inner: asyncio.Transport

    def __init__(self, tickets: TicketReader, unix_s: Callable[[], float], new_centre: NewCentre) -> None:
        self._tickets, self._unix_s, self._new_centre = tickets, unix_s, new_centre
        self._loop = asyncio.get_running_loop()
        self._data = bytearray()
        self._centre: CentreBehind | None = None
        self._evidence = ReceivedEvidence()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have this interface without being its subclasses.
        self._inner = transport  # type: ignore[assignment]
        self._timer = self._loop.call_later(TICKET_WITHIN_S, self._inner.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._centre is not None:
            self._centre.connection_lost(exc)

    def pause_writing(self) -> None:
        if self._centre is not None:
            self._centre.pause_writing()

    def data_received(self, data: bytes) -> None:
        self._data += data
        try:
            if self._centre is None:
                self._read_ticket()
            if self._centre is not None:
                self._read_frames(self._centre)
        except (TicketError, FrameError) as error:
            log.warning("passage_refused", reason=str(error))
            self._inner.abort()

    def _read_ticket(self) -> None:
        line, newline, rest = self._data.partition(b"\n")
        if len(line) > MAX_LINE_BYTES:
            raise TicketError("no ticket")
        if not newline:
            return
        passed = self._tickets.read_ticket(bytes(line), self._unix_s())
        assert self._timer is not None, "set when the connection was made"
        self._timer.cancel()
        self._data = bytearray(rest)
        transport = PassedTransport(self._inner, passed)
        self._centre = self._new_centre(passed, transport, self._evidence)
        self._centre.connection_made(transport)

    def _read_frames(self, centre: CentreBehind) -> None:
        for kind, body in read_frames(self._data):
            if kind is Kind.EVIDENCE:
                self._evidence.keep(Evidence.decode(body))
            elif kind is Kind.REPORT:
                centre.note_report(Report.decode(body))
            elif kind is Kind.LEFT:
                centre.has_left = True
                self._inner.close()
            elif kind is Kind.STOPPING:
                centre.close_soon()
            elif not self._inner.is_closing():
                centre.data_received(body)
