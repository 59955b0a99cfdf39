"""TLS of centres before it is there: bounded by number and by time, so that half-open ones cost nobody else."""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable

from vonggac.net.iterations import Share
from vonggac.rtsp.server.liveness import HANDSHAKE_S

MOST_HANDSHAKES = 128
"""At the same time. Beyond, the oldest of the address that has most of them ends."""
BEGUN_AT_ONCE = 4
"""In an iteration of the event loop: signing takes 0.1 ms with a key of P-256, 0.7 ms with one of RSA 2048."""
SHORTEST_S = 0.1


class Handshakes:
    """Those of one worker that are on their way."""

    def __init__(self, most: int = MOST_HANDSHAKES) -> None:
        self._most = most
        self._by_peer: dict[str, dict[TlsArrival, None]] = {}
        self.beginning = Share(BEGUN_AT_ONCE)
        self.count = 0
        self.turned_away = 0

    def begin(self, arrival: "TlsArrival") -> None:
        """One more has begun; ends another one where that is too many."""
        self._by_peer.setdefault(arrival.peer, {})[arrival] = None
        self.count += 1
        if self.count > self._most:
            self.turned_away += 1
            of_one = max(self._by_peer.values(), key=len)
            oldest = next(iter(of_one))
            self.end(oldest)
            oldest.abort()

    def end(self, arrival: "TlsArrival") -> None:
        """Remove a handshake that is through, or over; harmless when it was ended before."""
        of_peer = self._by_peer.get(arrival.peer, {})
        if arrival not in of_peer:
            return
        del of_peer[arrival]
        self.count -= 1
        if not of_peer:
            del self._by_peer[arrival.peer]

    def end_all(self) -> None:
        """Nobody is taken in any more."""
        for arrival in [arrival for of_peer in self._by_peer.values() for arrival in of_peer]:
            self.end(arrival)
            arrival.abort()


class TlsArrival(asyncio.Protocol):
    """A connection whose TLS is not there yet. It gives its socket to the centre's connection, which begins with TLS.

    A server with a context of its own says nothing of a connection before its handshake is over: nobody could end it.
    """

    def __init__(
        self, handshakes: Handshakes, context: ssl.SSLContext, new_centre: Callable[[], asyncio.Protocol]
    ) -> None:
        self._handshakes, self._context, self._new_centre = handshakes, context, new_centre
        self.peer = ""
        self._shaking: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.peer = str((transport.get_extra_info("peername") or ("",))[0])
        sock = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        # Of this descriptor alone: nothing was read of it, and nothing is said to the centre.
        transport.abort()  # type: ignore[attr-defined]
        self._shaking = asyncio.get_running_loop().create_task(self._shake(sock), name="tls-handshake")
        self._handshakes.begin(self)

    def abort(self) -> None:
        """End it at once."""
        if self._shaking is not None:
            self._shaking.cancel()

    async def _shake(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + HANDSHAKE_S
        try:
            async with asyncio.timeout_at(until):
                await self._wait_to_begin(loop, sock)
            await loop.connect_accepted_socket(
                self._new_centre, sock, ssl=self._context, ssl_handshake_timeout=max(until - loop.time(), SHORTEST_S)
            )
        except OSError:
            # No TLS, of another age, or none within the time: a port scanner does no more. Nobody waits for an answer.
            sock.close()
        except asyncio.CancelledError:
            sock.close()
            raise
        finally:
            self._handshakes.end(self)

    async def _wait_to_begin(self, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        """Until the peer's first bytes are there, and the others that begin now leave room for one more."""
        begun = loop.create_future()

        def begin() -> None:
            if not begun.done() and self._handshakes.beginning.use_one():
                begun.set_result(None)

        loop.add_reader(sock, begin)
        try:
            await begun
        finally:
            loop.remove_reader(sock)
