"""Connections are bounded in number and in patience: who says nothing gives way to who does.

uvicorn waits for the head of a request, for its body and for a reader of its answer without an end, and its own
`limit_concurrency` counts silent connections against everybody: whoever opens them shuts the others out.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from uvicorn.protocols.http.h11_impl import H11Protocol

from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)
LOGGED_EVERY_S = 60.0
_FULL = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 5\r\nconnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Bounds of an API."""

    connections: int = 512
    """At a time; the one that has been idle longest gives way to a new one."""
    header_s: float = 10.0
    """Seconds for the head of a request, from its first byte or from the connection's begin."""
    idle_s: float = 30.0
    """Seconds without a byte of a body that is waited for, or without anybody reading an answer."""


class BoundedProtocol(H11Protocol):
    """One connection of an API."""

    limits = ConnectionLimits()
    _logged_at = -LOGGED_EVERY_S

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        self.idle_since = self.loop.time()
        self._unread_since: asyncio.TimerHandle | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._waits_for_head = False
        if len(self.connections) > self.limits.connections and not self._make_room():
            transport.write(_FULL)
            transport.close()
            return
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._deadline, self._unread_since):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_idle:
            self._expect_head()
        elif self.cycle.more_body:
            self._expect_body()
        else:
            self._expect_nothing()

    def send_400_response(self, msg: str) -> None:
        """Of bytes that are no HTTP; in the middle of a body, whoever answers the request learns that nobody waits."""
        cycle = self.cycle
        if not self._is_idle:
            cycle.disconnected = True
            cycle.message_event.set()
            self.flow.resume_writing()
            if cycle.response_started:
                self._end()
                return
        super().send_400_response(msg)

    def on_response_complete(self) -> None:
        self.idle_since = self.loop.time()
        # uvicorn's keep-alive time begins.
        self._expect_nothing()
        super().on_response_complete()
        if not self._is_idle and self.cycle.more_body:
            # Of a request that came with the one before.
            self._expect_body()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_since = self.loop.call_later(self.limits.idle_s, self._end)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread_since is not None:
            self._unread_since.cancel()
            self._unread_since = None

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _expect_head(self) -> None:
        if not self._waits_for_head:
            # The time is for the whole head: a byte now and then does not prolong it.
            self._wait(self.limits.header_s, self._end)
            self._waits_for_head = True

    def _expect_body(self) -> None:
        self._wait(self.limits.idle_s, self._end_unless_paused)

    def _expect_nothing(self) -> None:
        self._waits_for_head = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _wait(self, seconds: float, ended: Callable[[], None]) -> None:
        self._expect_nothing()
        self._deadline = self.loop.call_later(seconds, ended)

    def _end_unless_paused(self) -> None:
        if self.flow.read_paused:
            # We are the slow one.
            self._expect_body()
        else:
            self._end()

    def _end(self) -> None:
        self.transport.abort()

    def _make_room(self) -> bool:
        """Close the connection that has been idle longest; False when each has a request in progress."""
        now = self.loop.time()
        if now - BoundedProtocol._logged_at >= LOGGED_EVERY_S:
            BoundedProtocol._logged_at = now
            log.warning("connections_full", most=self.limits.connections)
        idle = [
            each
            for each in self.connections
            if isinstance(each, BoundedProtocol) and each is not self and each._is_idle
        ]
        if not idle:
            return False
        longest = min(idle, key=lambda each: each.idle_since)
        self.connections.discard(longest)
        longest.transport.abort()
        return True


def protocol_within(limits: ConnectionLimits) -> type[BoundedProtocol]:
    """Make the protocol for uvicorn's `http` with these limits."""
    return type("BoundedProtocol", (BoundedProtocol,), {"limits": limits})
