"""One RTSP connection of a client: passes media on as it comes, and answers requests.

Works the same on asyncio and uvloop. `data_received` is the relay's hot path.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Self

from vonggac.net.allowed_networks import AllowedNetworks, resolve
from vonggac.net.dial import connect_plain, connect_socket, cut, drop_unsent, loss, secure, writer_of
from vonggac.net.errors import PeerError
from vonggac.net.iterations import AT_ONCE, go_on_later
from vonggac.net.recognition import FIRST_BYTES
from vonggac.net.tls import TlsPolicy
from vonggac.net.url import Credentials
from vonggac.rtsp.client.request_exchange import RequestExchange
from vonggac.rtsp.client.server_requests import answer_to, end_announced_by
from vonggac.rtsp.wire.fast_path import FastPath, Write
from vonggac.rtsp.wire.framing import Deframer, MediaBatch
from vonggac.rtsp.wire.messages import Request, Response
from vonggac.rtsp.wire.rates import PeerRates

_LINGER_S = 0.75
"""Whatever the peer does, its connection is gone a second after it was given up."""

type OnMedia = Callable[[MediaBatch], None]
type OnLost = Callable[[PeerError | None], None]


class RtspConnection(asyncio.Protocol):
    """Made by `open`. Callbacks run in the event loop and must not block.

    `on_media` gets each batch synchronously, also before an answer that is still awaited. `on_lost` is called
    exactly once: with None after our own close or abort, else with the reason. `on_pause_writing` and
    `on_resume_writing` are called when the write buffer crosses its limits.
    """

    # Three per relayed camera: without slots each has a dict of its own.
    __slots__ = (
        "_abort_timer",
        "_bytes_received",
        "_deframer",
        "_fast_path",
        "_gone",
        "_loop",
        "_on_sample",
        "_short_way",
        "_write_paused",
        "closed",
        "control_bytes_sent",
        "error",
        "first_bytes",
        "on_lost",
        "on_media",
        "on_pause_writing",
        "on_resume_writing",
        "rates",
        "requests",
        "transport",
        "write_directly",
    )

    transport: asyncio.Transport
    write_directly: Write
    """`write_media` without the check: for a caller that stops writing at `on_lost` at the latest."""

    def __init__(
        self,
        *,
        credentials: Credentials | None = None,
        on_media: OnMedia | None = None,
        on_lost: OnLost | None = None,
    ) -> None:
        self.on_media = on_media
        self.on_lost = on_lost
        self.on_pause_writing: Callable[[], None] | None = None
        self.on_resume_writing: Callable[[], None] | None = None
        self.control_bytes_sent = 0
        """Bytes of requests and answers, written beside media."""
        self.error: PeerError | None = None
        """The reason of a lost connection; None while it is open, and after our own close."""
        self.closed = False
        """Whether requests and media can no longer be sent."""
        self.first_bytes = b""
        """The beginning of what came first, by which a peer that speaks something else is recognised."""
        self.requests = RequestExchange(self._write_control, credentials)
        self._on_sample: OnMedia | None = None
        self._bytes_received = 0
        self._fast_path: FastPath | None = None
        self._short_way: FastPath | None = None  # while nothing but whole frames came and nobody samples
        self._loop = asyncio.get_running_loop()
        self.rates = PeerRates(self._loop.time)
        """Who counts something of this peer elsewhere calls `fail` with what is raised."""
        self._deframer = Deframer(self.rates.count_message, most=AT_ONCE)
        self._write_paused = False
        self._abort_timer: asyncio.TimerHandle | None = None
        self._gone = self._loop.create_future()

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        *,
        timeout_s: float,
        credentials: Credentials | None = None,
        allowed: AllowedNetworks | None = None,
        on_media: OnMedia | None = None,
        on_lost: OnLost | None = None,
        tls: TlsPolicy | None = None,
        address: str | None = None,
    ) -> Self:
        """Resolve and connect, one attempt, `timeout_s` for all of it; under TLS when a policy is given.

        `address`: what `host` was resolved to already.

        Raises PeerError: dns, address_not_allowed, refused, route, timeout or tls.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + timeout_s
        made = partial(cls, credentials=credentials, on_media=on_media, on_lost=on_lost)
        address = address or await resolve(host, port, allowed, timeout_s=timeout_s)
        if tls is None:
            return await connect_plain(made, address, port, timeout_s=ends_at - loop.time())
        connected = await connect_socket(address, port, timeout_s=ends_at - loop.time())
        return await secure(made, connected, tls, host, timeout_s=ends_at - loop.time())

    async def request(
        self,
        method: str,
        uri: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        timeout_s: float,
    ) -> Response:
        """Send a request and return its final answer, whatever its status; requests run one after the other.

        A 401 is answered once per request, and once more when it marks our nonce as stale; a login that was rejected is
        never sent again on this connection: a 401 comes back to the caller, further requests raise auth_failed at once
        (cameras lock out after a few wrong logins).

        Raises PeerError: timeout, auth_failed (see above), or the reason of the lost connection; ReconnectError
        when the peer closes with its 401.
        """
        return await self.requests.request(method, uri, headers, body, timeout_s=timeout_s)

    def write_media(self, data: bytes) -> None:
        """Queue whole interleaved frames. Does nothing on a closed connection: `on_lost` was called."""
        if not self.closed:
            self.write_directly(data)

    def deliver_media(self, batch: MediaBatch) -> None:
        """Pass on media of this session that came over UDP, as if it had come here."""
        self._bytes_received += len(batch.data)
        try:
            self.rates.count_piece((batch,), len(batch.data))
        except PeerError as error:
            self.fail(error)
            return
        if self.on_media is not None:
            self.on_media(batch)

    def open_fast_path(self, fast_path: FastPath) -> None:
        """Pass media on by the fast path where possible; `on_media` gets the rest."""
        self._fast_path = fast_path
        self._choose_way()

    @property
    def on_sample(self) -> OnMedia | None:
        """Gets each batch too, after `on_media`, while it is set: for statistics of samples."""
        return self._on_sample

    @on_sample.setter
    def on_sample(self, on_sample: OnMedia | None) -> None:
        self._on_sample = on_sample
        self._choose_way()

    @property
    def bytes_received(self) -> int:
        """Received bytes, media and answers."""
        return self._bytes_received + (self._fast_path.bytes if self._fast_path is not None else 0)

    @property
    def write_buffer_bytes(self) -> int:
        """Bytes that wait for the kernel; under TLS, for encryption."""
        return 0 if self.closed else self.transport.get_write_buffer_size()

    @property
    def junk_bytes(self) -> int:
        """Received bytes of no frame and no message."""
        return self._deframer.junk_bytes

    def close(self) -> None:
        """Close when queued bytes are written, or after a second. Returns at once; see `wait_closed`."""
        self._end(None)

    def abort(self) -> None:
        """Close now; what is queued is lost, in the kernel too."""
        drop_unsent(self.transport)
        self._end(None)
        self.transport.abort()

    def fail(self, error: PeerError) -> None:
        """Close the connection; `on_lost` gets the reason."""
        drop_unsent(self.transport)
        self._end(error)
        self.transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the socket is closed; at most about a second after `close`."""
        await asyncio.shield(self._gone)

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's TCP transport is no subclass of asyncio.Transport, so no assert is possible here.
        self.transport = transport  # type: ignore[assignment]
        self.write_directly = writer_of(self.transport)

    def data_received(self, data: bytes) -> None:
        way = self._short_way
        if (way is None or not way.pass_on(data)) and self._take_apart(data):
            go_on_later(self.transport, self._take_apart)

    def _take_apart(self, data: bytes) -> bool:
        """Take apart what is complete, up to a bound; return whether something is left for the next iteration."""
        self._bytes_received += len(data)
        if not self.first_bytes:
            self.first_bytes = data[:FIRST_BYTES]
        try:
            items = self._deframer.feed(data)
            self.rates.count_piece(items, len(data))
        except PeerError as error:
            self.fail(error)
            return False
        if self._fast_path is not None:
            self._choose_way()
        for item in items:
            if type(item) is MediaBatch:
                if self.on_media is not None:
                    self.on_media(item)
                if self._on_sample is not None:
                    self._on_sample(item)
            elif isinstance(item, Response):
                self.requests.answered(item)
            elif isinstance(item, Request):
                self._serve(item)
            if self.closed:
                return False
        if self._deframer.failure is not None:
            self.fail(self._deframer.failure)
        return self._deframer.left_over

    def _choose_way(self) -> None:
        short = self._deframer.idle and self._on_sample is None
        self._short_way = self._fast_path if short else None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._abort_timer is not None:
            self._abort_timer.cancel()
        if not self._gone.done():
            self._gone.set_result(None)
        self._end(loss(exc))

    def pause_writing(self) -> None:
        self._write_paused = True
        if self.on_pause_writing is not None:
            self.on_pause_writing()

    def resume_writing(self) -> None:
        self._write_paused = False
        if self.on_resume_writing is not None:
            self.on_resume_writing()

    def _write_control(self, data: bytes) -> None:
        self.control_bytes_sent += len(data)
        self.transport.write(data)

    # Requests of the peer.

    def _serve(self, request: Request) -> None:
        if not self._write_paused:
            # A peer that does not read cannot expect answers, and must not fill our memory with them.
            self._write_control(answer_to(request).encode())
        end = end_announced_by(request)
        if end is not None:
            self._end(end)

    def _end(self, error: PeerError | None) -> None:
        """Once: fail waiting requests, call `on_lost`, close the transport (queued bytes get a second)."""
        if self.closed:
            return
        self.closed = True
        self.error = error
        self.requests.end(error)
        if not self._gone.done():
            self._abort_timer = self._loop.call_later(_LINGER_S, cut, self.transport)
            self.transport.close()
        self._bytes_received, self._fast_path = self.bytes_received, None
        on_lost, self.on_lost = self.on_lost, None
        # The callback usually refers to this connection: while each refers to the other, only the garbage collector
        # can free them, and hundreds of ended sessions wait for it.
        self.on_media = self.on_sample = self.on_pause_writing = self.on_resume_writing = None
        if on_lost is not None:
            on_lost(error)
