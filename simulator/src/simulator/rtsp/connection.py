"""One client's TCP connection to a device: requests in, replies out in order, with a limit on reading."""

import asyncio
import secrets
import socket
import struct
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import formatdate
from typing import cast

from vonggac.net.errors import PeerError
from vonggac.rtsp.wire.framing import Deframer, MediaBatch
from vonggac.rtsp.wire.messages import Headers, Request, Response
from vonggac.telemetry import get_logger

log = get_logger(__name__)

MAX_WAITING_REQUESTS = 64
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_SMALL_RECEIVE_BUFFER_BYTES = 16_384
REASONS = {
    200: "OK",
    400: "Bad Request",
    302: "Moved Temporarily",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    415: "Unsupported Media Type",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer. `then` runs right after the answer was written; `close` ends the connection after it."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    then: Callable[[], None] | None = None
    close: bool = False


class ServerConnection(asyncio.Protocol, ABC):
    """Base of camera and centre connections. Subclasses answer requests and receive media."""

    transport: asyncio.Transport

    def __init__(self, timeout_s: float) -> None:
        """A client that sends nothing for `timeout_s` is disconnected."""
        self._loop = asyncio.get_running_loop()
        self._deframer = Deframer()
        self._waiting: deque[Request] = deque()
        self._delay: asyncio.TimerHandle | None = None
        self._deaf = False
        self._receive_buffer_bytes: int | None = None
        """As it was before it was made small."""
        self._held: list[bytes] = []
        self._room_bytes = 0
        """That may still be read and held unseen."""
        self._own_requests = 0
        self._throttle: Throttle | None = None
        self._timeout_s = timeout_s
        self._alive_timer: asyncio.TimerHandle | None = None
        self.last_heard = self._loop.time()
        self.session_id = secrets.token_hex(8)

    @abstractmethod
    def reply_to(self, request: Request) -> Reply | None:
        """Answer one request; None answers nothing."""

    @abstractmethod
    def connected(self) -> None:
        """The connection is open."""

    @abstractmethod
    def disconnected(self) -> None:
        """The connection has ended."""

    def on_media(self, batch: MediaBatch) -> None:
        """Interleaved frames from the client; without an override they only keep the session alive."""

    @property
    def clock_offset_s(self) -> float:
        """Seconds by which the device's clock is ahead."""
        return 0.0

    def delay_s(self, request: Request) -> float:
        """Seconds to wait before `request` is answered."""
        return 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have this interface without being its subclasses.
        self.transport = cast(asyncio.Transport, transport)
        self._alive_timer = self._loop.call_later(self._timeout_s, self._check_alive)
        self.connected()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._delay, self._throttle, self._alive_timer):
            if timer is not None:
                timer.cancel()
        self._waiting.clear()
        self._held.clear()
        self.disconnected()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            self._held.append(data)
            self._room_bytes -= len(data)
            if self._room_bytes <= 0:
                self._pause_if_deaf()
            return
        self.last_heard = self._loop.time()
        if self._throttle is not None:
            self._throttle.spend(len(data))
        try:
            items = self._deframer.feed(data)
        except PeerError as error:
            log.info("client_spoke_nonsense", reason=error.message)
            self.transport.close()
            return
        for item in items:
            if isinstance(item, MediaBatch):
                self.on_media(item)
            elif isinstance(item, Request):
                self._enqueue(item)

    def send_request(self, method: str, uri: str, headers: Iterable[tuple[str, str]]) -> None:
        """Send a request of the device; its answer is ignored."""
        self._own_requests += 1
        fields = Headers([("CSeq", str(self._own_requests)), *headers])
        self.transport.write(Request(method, uri, fields, b"").encode())

    def stop_reading(self) -> None:
        """Read nothing more from the client: its bytes fill the kernel until the window is closed."""
        self.hold_back(0)

    def hold_back(self, most_bytes: int) -> None:
        """Answer nothing more; hold up to `most_bytes` that come unseen, then read no more, as `stop_reading`."""
        if self._deaf:
            return
        self._deaf, self._room_bytes = True, most_bytes
        self._shrink_receive_buffer()
        if most_bytes > 0:
            return
        # A loop may begin to read only after connection_made, and would undo a pause made in it.
        self._loop.call_soon(self._pause_if_deaf)

    def resume_reading(self) -> None:
        """Undo `stop_reading` and `throttle`; bytes that waited are read now."""
        if self._throttle is not None:
            self._throttle.cancel()
            self._throttle = None
        elif not self._deaf:
            return
        self._deaf = False
        self._widen_receive_buffer()
        self.last_heard = self._loop.time()
        held, self._held = self._held, []
        for data in held:
            self.data_received(data)
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def throttle(self, bytes_per_s: int) -> None:
        """Read only so many bytes a second."""
        self.resume_reading()
        self._shrink_receive_buffer()
        self._throttle = Throttle(self.transport, bytes_per_s)

    def reset(self) -> None:
        """Cut the connection with RST, as a device that lost power does on the next packet."""
        sock = self.transport.get_extra_info("socket")
        if sock is not None and not self.transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.transport.abort()

    def _check_alive(self) -> None:
        silent_s = self._loop.time() - self.last_heard
        # A device that does not read cannot know whether its client is alive.
        if silent_s >= self._timeout_s and not self._deaf and self._throttle is None:
            self.transport.close()
            return
        self._alive_timer = self._loop.call_later(max(0.1, self._timeout_s - silent_s), self._check_alive)

    def _pause_if_deaf(self) -> None:
        if self._deaf and not self.transport.is_closing():
            self.transport.pause_reading()

    def _shrink_receive_buffer(self) -> None:
        """The kernel would otherwise accept megabytes before the sender notices that nobody reads."""
        sock = self.transport.get_extra_info("socket")
        if sock is not None and self._receive_buffer_bytes is None:
            # The kernel reports twice the size that was set.
            self._receive_buffer_bytes = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_RECEIVE_BUFFER_BYTES)

    def _widen_receive_buffer(self) -> None:
        """With a small buffer media would come slowly, by the sender's ever rarer probes of a closed window."""
        sock = self.transport.get_extra_info("socket")
        if sock is not None and self._receive_buffer_bytes is not None and not self.transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer_bytes)
        self._receive_buffer_bytes = None

    def _enqueue(self, request: Request) -> None:
        if self._delay is not None or self._waiting:
            if len(self._waiting) >= MAX_WAITING_REQUESTS:
                self.transport.abort()
                return
            self._waiting.append(request)
            return
        self._serve(request)

    def _serve(self, request: Request) -> None:
        delay_s = self.delay_s(request)
        if delay_s > 0:
            self._delay = self._loop.call_later(delay_s, self._serve_delayed, request)
        else:
            self._answer(request)

    def _serve_delayed(self, request: Request) -> None:
        self._delay = None
        self._answer(request)
        while self._waiting and self._delay is None:
            self._serve(self._waiting.popleft())

    def _answer(self, request: Request) -> None:
        if self.transport.is_closing():
            return
        reply = self.reply_to(request)
        if reply is None:
            return
        cseq = request.headers.get("CSeq")
        headers = Headers([("CSeq", cseq)] if cseq is not None else [])
        headers.add_field("Date", formatdate(time.time() + self.clock_offset_s, usegmt=True))
        headers.add_field("Server", "Vong Gac simulator")
        for name, value in reply.headers:
            headers.add_field(name, value)
        self.transport.write(Response(reply.status, REASONS[reply.status], headers, reply.body).encode())
        if reply.then is not None:
            reply.then()
        if reply.close:
            self.transport.close()


class Throttle:
    """Pauses a transport whenever more was read than its rate allows so far."""

    def __init__(self, transport: asyncio.Transport, bytes_per_s: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._bytes_per_s = bytes_per_s
        self._timer: asyncio.TimerHandle | None = None

    def spend(self, count: int) -> None:
        """`count` bytes were read: pause for as long as they should have taken."""
        if self._timer is not None:
            return
        self._transport.pause_reading()
        self._timer = self._loop.call_later(count / self._bytes_per_s, self._resume)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _resume(self) -> None:
        self._timer = None
        if not self._transport.is_closing():
            self._transport.resume_reading()
