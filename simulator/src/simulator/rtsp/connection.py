"""A device's connections: the library's, with what broken devices do: answer late, stop reading, cut with RST."""

import asyncio
import socket
import struct
import time
from collections import deque

from vonggac.rtsp.server.connection import ServerConnection
from vonggac.rtsp.server.liveness import Patience
from vonggac.rtsp.wire.messages import Request

MAX_WAITING_REQUESTS = 64
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_SMALL_RECEIVE_BUFFER_BYTES = 16_384


class DeviceConnection(ServerConnection):
    """Base of camera and centre connections."""

    server_name = "Vong Gac simulator"

    def __init__(self, patience: Patience) -> None:
        super().__init__(patience)
        self._waiting: deque[Request] = deque()
        self._delay: asyncio.TimerHandle | None = None
        self._deaf = False
        self._receive_buffer_bytes: int | None = None
        """As it was before it was made small."""
        self._held: list[bytes] = []
        self._room_bytes = 0
        """That may still be read and held unseen."""
        self._throttle: Throttle | None = None

    @property
    def clock_offset_s(self) -> float:
        """Seconds by which the device's clock is ahead."""
        return 0.0

    @property
    def watches_silence(self) -> bool:
        """A device that does not read cannot know whether its client is alive."""
        return not self._deaf and self._throttle is None

    def date_s(self) -> float:
        return time.time() + self.clock_offset_s

    def delay_s(self, request: Request) -> float:
        """Seconds to wait before `request` is answered."""
        return 0.0

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._delay, self._throttle):
            if timer is not None:
                timer.cancel()
        self._waiting.clear()
        self._held.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            self._held.append(data)
            self._room_bytes -= len(data)
            if self._room_bytes <= 0:
                self._pause_if_deaf()
            return
        if self._throttle is not None:
            self._throttle.spend(len(data))
        super().data_received(data)

    def receive_request(self, request: Request) -> None:
        """Answer when it is due, in order."""
        if self._delay is not None or self._waiting:
            if len(self._waiting) >= MAX_WAITING_REQUESTS:
                self.transport.abort()
                return
            self._waiting.append(request)
            return
        self._serve(request)

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
        self.note_alive()
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

    def _pause_if_deaf(self) -> None:
        if self._deaf and not self.transport.is_closing():
            self.transport.pause_reading()

    def _shrink_receive_buffer(self) -> None:
        """Shrink the buffer: else the kernel takes megabytes before the sender notices that nobody reads."""
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

    def _serve(self, request: Request) -> None:
        delay_s = self.delay_s(request)
        if delay_s > 0:
            self._delay = self._loop.call_later(delay_s, self._serve_delayed, request)
        else:
            self.answer_request(request)

    def _serve_delayed(self, request: Request) -> None:
        self._delay = None
        self.answer_request(request)
        while self._waiting and self._delay is None:
            self._serve(self._waiting.popleft())


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
