"""The kernel's send buffer of one session, sized to the stream.

Left to itself the kernel lets it grow to megabytes (tcp_wmem), and a destination that does not read fills it: memory
of this host, or of this pod, that no buffer bound of ours counts.
"""

import asyncio
import socket
from typing import Protocol

FIRST_BYTES = 128 << 10
STREAM_S = 0.4
"""The buffer holds so many seconds of the stream, and the kernel doubles it for its own use: a round trip of that
length is no brake."""
MAX_BYTES = 1 << 20
MEASURE_S = 1.0
_GROWTH = 1.25
"""Do not set it anew for less."""


class SendBuffer:
    """Grows with the stream's rate; the system's bound (net.core.wmem_max) holds."""

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._socket: _Socket = transport.get_extra_info("socket")
        self.size_bytes = 0
        self._mark: tuple[float, int] | None = None
        self._set(FIRST_BYTES)

    def fit(self, written: int, now_s: float) -> None:
        """Size it to the rate at which `written` (media bytes in all) grows; call about once a second."""
        if self._mark is None:
            # What was written at the beginning may be a kept group of pictures: a burst, no rate.
            self._mark = (now_s, written)
            return
        since_s, before = self._mark
        if now_s - since_s < MEASURE_S:
            return
        self._mark = (now_s, written)
        wanted = min(int((written - before) / (now_s - since_s) * STREAM_S), MAX_BYTES)
        if wanted > self.size_bytes * _GROWTH:
            self._set(wanted)

    def _set(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size_bytes)
        except OSError:
            # The connection is gone; the session ends by itself.
            return


class _Socket(Protocol):
    """The part of a socket that is needed; also what uvloop gives for a transport's socket."""

    def setsockopt(self, level: int, option: int, value: int, /) -> None: ...
