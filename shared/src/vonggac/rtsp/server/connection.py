"""One client's TCP or TLS connection to a server: requests in, answers out in order, everything bounded."""

import asyncio
import re
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from email.utils import formatdate
from typing import cast

from vonggac.net.errors import PeerError
from vonggac.net.iterations import AT_ONCE, go_on_later
from vonggac.rtsp.server.conformance import find_violation, usable_cseq
from vonggac.rtsp.server.liveness import HANDSHAKE_S, Patience, Signs, seconds_left
from vonggac.rtsp.server.replies import REASONS, Reply
from vonggac.rtsp.wire.framing import Deframer, MediaBatch
from vonggac.rtsp.wire.messages import Headers, Request, Response
from vonggac.telemetry import get_logger

log = get_logger(__name__)

MAX_UNREAD_BYTES = 4 << 20
"""A client that lets more of its answers and media wait than this is disconnected at its next request."""
CLOSE_WITHIN_S = 5.0
_SHORTEST_CHECK_S = 0.1
_HTTP = re.compile(rb"[A-Z]{3,10} \S+ HTTP/")


class ServerConnection(asyncio.Protocol, ABC):
    """Base of a server's connections. Subclasses answer requests, and receive media where clients publish.

    What is no RTSP is answered 400 (505 for HTTP) and ends the connection, or ends it alone where media flows.
    """

    transport: asyncio.Transport
    server_name = "Vong Gac"
    max_unread_bytes = MAX_UNREAD_BYTES

    def __init__(self, patience: Patience, *, at_once: int = AT_ONCE) -> None:
        """`at_once`: frames and requests that are handled before others have their turn."""
        self._loop = asyncio.get_running_loop()
        self._deframer = Deframer(most=at_once)
        self._patience = patience
        self._own_requests = 0
        self.control_bytes_sent = 0
        """Bytes of requests and answers, written beside media."""
        self._connected_at = self._loop.time()
        self._heard_at: float | None = None
        self._unfinished_since: float | None = None
        self._alive_timer: asyncio.TimerHandle | None = None
        self._close_timer: asyncio.TimerHandle | None = None
        self.session_id = secrets.token_hex(8)

    @abstractmethod
    def reply_to(self, request: Request) -> Reply | None:
        """Answer one request; None answers nothing."""

    @abstractmethod
    def connected(self) -> None:
        """Begin: the connection is open."""

    @abstractmethod
    def disconnected(self) -> None:
        """Clean up: the connection has ended."""

    def on_media(self, batch: MediaBatch) -> None:
        """Interleaved frames from the client; without an override they only keep the session alive."""

    @property
    def carries_media(self) -> bool:
        """Whether media flows over this connection, in whatever direction."""
        return False

    @property
    def watches_silence(self) -> bool:
        """Whether a silent client is ended now."""
        return True

    def date_s(self) -> float:
        """Return the time that answers carry, in seconds since 1970."""
        return time.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have this interface without being its subclasses.
        self.transport = cast(asyncio.Transport, transport)
        self._connected_at = self._loop.time()
        self._alive_timer = self._loop.call_later(min(HANDSHAKE_S, self._patience.timeout_s), self._check_alive)
        self.connected()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._alive_timer, self._close_timer):
            if timer is not None:
                timer.cancel()
        self.disconnected()

    def data_received(self, data: bytes) -> None:
        if self._handle(data):
            go_on_later(self.transport, self._handle)

    def _handle(self, data: bytes) -> bool:
        """Handle what is whole, up to a bound; return whether something is left for the next iteration."""
        try:
            items = self._deframer.feed(data)
            for item in items:
                if isinstance(item, MediaBatch):
                    self.on_media(item)
                elif isinstance(item, Request):
                    self.receive_request(item)
            if self._deframer.failure is not None:
                raise self._deframer.failure
        except PeerError as error:
            self._end_of_nonsense(error.message, data)
            return False
        self._note_signs(bool(items))
        if self._deframer.junk_bytes and not self.carries_media:
            self._end_of_nonsense("bytes that are neither RTSP nor media", data)
            return False
        return self._deframer.left_over

    def receive_request(self, request: Request) -> None:
        """Receive a whole request."""
        self.answer_request(request)

    def note_alive(self) -> None:
        """Note that the client was heard."""
        self._heard_at = self._loop.time()

    def answer_request(self, request: Request) -> None:
        """Answer now. A client that does not read its answers is cut off."""
        if self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size() > self.max_unread_bytes:
            log.info("client_reads_no_answers")
            self.transport.abort()
            return
        reply = find_violation(request) or self.reply_to(request)
        if reply is None:
            return
        self._write_reply(reply, usable_cseq(request))
        if reply.then is not None:
            reply.then()
        if reply.close:
            self.close_soon()

    def send_request(self, method: str, uri: str, headers: Iterable[tuple[str, str]]) -> None:
        """Send a request of the server; its answer is ignored."""
        self._own_requests += 1
        fields = Headers([("CSeq", str(self._own_requests)), *headers])
        self.write_control(Request(method, uri, fields, b"").encode())

    def write_control(self, data: bytes) -> None:
        """Write what is no media: it is counted apart."""
        self.control_bytes_sent += len(data)
        self.transport.write(data)

    def close_soon(self) -> None:
        """End the connection in order; after CLOSE_WITHIN_S without its client's help."""
        if not self.transport.is_closing():
            self.transport.close()
            self._close_timer = self._loop.call_later(CLOSE_WITHIN_S, self.transport.abort)

    def _write_reply(self, reply: Reply, cseq: str | None) -> None:
        headers = Headers([("CSeq", cseq)] if cseq is not None else [])
        headers.add_field("Date", formatdate(self.date_s(), usegmt=True))
        headers.add_field("Server", self.server_name)
        for name, value in reply.headers:
            headers.add_field(name, value)
        self.write_control(Response(reply.status, REASONS[reply.status], headers, reply.body).encode())

    def _end_of_nonsense(self, reason: str, data: bytes) -> None:
        """End a connection of nonsense. `data`: what came last; it is read for its kind alone, never logged."""
        if self.transport.is_closing():
            return
        log.info("client_spoke_nonsense", reason=reason)
        if not self.carries_media:
            self._write_reply(Reply(505 if _HTTP.match(data) else 400, (("Connection", "close"),)), None)
        self.close_soon()

    def _note_signs(self, whole: bool) -> None:
        now = self._loop.time()
        if whole:
            self._heard_at = now
        if self._deframer.idle:
            self._unfinished_since = None
        elif whole or self._unfinished_since is None:
            self._unfinished_since = now

    def _check_alive(self) -> None:
        signs = Signs(self._connected_at, self._heard_at, self._unfinished_since, self.carries_media)
        left_s = seconds_left(self._patience, signs, self._loop.time())
        if left_s <= 0 and self.watches_silence:
            self.close_soon()
            return
        next_s = min(max(_SHORTEST_CHECK_S, left_s), HANDSHAKE_S)
        self._alive_timer = self._loop.call_later(next_s, self._check_alive)
