"""One RTSP connection of a client: requests matched to answers, media handed over as it comes.

Works the same on asyncio and uvloop. `data_received` is the relay's hot path.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Self

from vonggac.events.causes import Cause
from vonggac.net.allowed_networks import AllowedNetworks, resolve
from vonggac.net.dial import connect_plain, connect_socket, cut, drop_unsent, loss, secure, writer_of
from vonggac.net.errors import PeerError
from vonggac.net.http_auth import Authenticator, Challenge, ReconnectError
from vonggac.net.tls import TlsPolicy
from vonggac.net.url import Credentials
from vonggac.rtsp.client.pending_response import Answers
from vonggac.rtsp.client.server_requests import answer_to, end_told_by
from vonggac.rtsp.wire.fast_path import MediaLane, Write
from vonggac.rtsp.wire.framing import Deframer, MediaBatch
from vonggac.rtsp.wire.messages import Headers, Request, Response

USER_AGENT = "VongGac"

_LINGER_S = 1.0
_MAX_ANSWERS = 2
"""To the 401s of one request: the second only to one that says that the login was right and its nonce too old."""

type OnMedia = Callable[[MediaBatch], None]
type OnLost = Callable[[PeerError | None], None]


class RtspConnection(asyncio.Protocol):
    """Made by `open`. Callbacks run in the event loop and must not block.

    `on_media` gets each batch synchronously, also before an answer that is still awaited. `on_lost` is called
    exactly once: with None after our own close or abort, else with the reason. `on_pause_writing` and
    `on_resume_writing` tell when the write buffer crosses its limits.
    """

    transport: asyncio.Transport

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
        """Of requests and answers: what was written beside media."""
        self.error: PeerError | None = None
        """Why the connection was lost; None while it stands, and after our own close."""
        self.login_sent = False  # whether a request carried our login
        self.closed = False
        """No request and no media can be sent any more."""
        self.peer_date: tuple[str, float] | None = None
        """The Date of the last answer that had one, as it came, and our seconds since 1970 when it came."""
        self._on_sample: OnMedia | None = None
        self._bytes_received = 0
        self._lane: MediaLane | None = None
        self._short_way: MediaLane | None = None  # the lane, while nothing but whole frames came and nobody samples
        self._loop = asyncio.get_running_loop()
        self._authenticator = Authenticator(credentials)
        self._deframer = Deframer()
        self._answers = Answers()
        self._turn = asyncio.Lock()
        self._cseq = 0
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
    ) -> Self:
        """Resolve and connect, one attempt, `timeout_s` for all of it; under TLS when a policy is given.

        Raises PeerError: dns, address_not_allowed, refused, route, timeout or tls.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + timeout_s
        made = partial(cls, credentials=credentials, on_media=on_media, on_lost=on_lost)
        address = await resolve(host, port, allowed, timeout_s=timeout_s)
        if tls is None:
            return await connect_plain(made, address, port, timeout_s=ends_at - loop.time())
        connected = await connect_socket(address, port, timeout_s=ends_at - loop.time())
        return await secure(made, connected, tls, host, timeout_s=ends_at - loop.time())

    @classmethod
    async def secure(
        cls,
        connected: socket.socket,
        tls: TlsPolicy,
        server_name: str,
        *,
        timeout_s: float,
        credentials: Credentials | None = None,
        on_media: OnMedia | None = None,
        on_lost: OnLost | None = None,
    ) -> Self:
        """The second half of `open` under TLS, on a socket from `dial.connect_socket`. Raises PeerError tls."""
        return await secure(
            lambda: cls(credentials=credentials, on_media=on_media, on_lost=on_lost),
            connected,
            tls,
            server_name,
            timeout_s=timeout_s,
        )

    async def request(
        self,
        method: str,
        uri: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        timeout_s: float,
    ) -> Response:
        """Send a request and return its final answer, whatever its status; requests go one after the other.

        A 401 is answered once per request, and once more when it calls our nonce stale; a login that was rejected is
        never sent again on this connection: a 401 comes back to the caller, further requests raise auth_failed at once
        (cameras lock out after a few wrong logins).

        Raises PeerError: timeout, auth_failed (see above), or the reason why the connection was lost; ReconnectError
        when the peer closes with its 401.
        """
        fields = list(headers)
        try:
            async with asyncio.timeout(timeout_s), self._turn:
                return await self._request(method, uri, fields, body)
        except TimeoutError:
            raise PeerError(Cause.TIMEOUT, f"no answer to {method} within {timeout_s:.3g} s") from None

    def post(self, method: str, uri: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Send a request whose answer nobody waits for: a last TEARDOWN."""
        if not self.closed:
            self._write_control(self._encode(method, uri, list(headers))[1])

    def write_media(self, data: bytes) -> None:
        """Queue whole interleaved frames. Does nothing on a closed connection: `on_lost` has told it."""
        if not self.closed:
            self._write(data)

    @property
    def write_directly(self) -> Write:
        """`write_media` without the check: for who stops to write when `on_lost` is called, at the latest."""
        return self._write

    def take_media(self, batch: MediaBatch) -> None:
        """Hand over media of this session that came by another way (UDP), as if it had come by this one."""
        self._bytes_received += len(batch.data)
        if self.on_media is not None:
            self.on_media(batch)

    def open_lane(self, lane: MediaLane) -> None:
        """Let media go by the short way where it can; `on_media` gets the rest."""
        self._lane = lane
        self._choose_way()

    @property
    def on_sample(self) -> OnMedia | None:
        """Gets each batch too, after `on_media`, while it is set: for statistics that need not see all."""
        return self._on_sample

    @on_sample.setter
    def on_sample(self, on_sample: OnMedia | None) -> None:
        self._on_sample = on_sample
        self._choose_way()

    @property
    def bytes_received(self) -> int:
        """Everything that came, media and answers."""
        return self._bytes_received + (self._lane.bytes if self._lane is not None else 0)

    @property
    def write_buffer_bytes(self) -> int:
        """Bytes queued here that the kernel has not taken yet; under TLS those that are not encrypted yet."""
        return 0 if self.closed else self.transport.get_write_buffer_size()

    def log_in_at_once(self, challenge: Challenge) -> None:
        """Answer a challenge that the peer gave on another connection, from the first request on."""
        self._authenticator.challenge = challenge

    @property
    def logged_in(self) -> bool:
        """Whether the peer took a request that carried our login."""
        return self._authenticator.taken

    @property
    def junk_bytes(self) -> int:
        """Received bytes that belonged to no frame and no message."""
        return self._deframer.junk_bytes

    def set_write_limits(self, *, high_bytes: int, low_bytes: int) -> None:
        """When `on_pause_writing` and `on_resume_writing` are called."""
        self.transport.set_write_buffer_limits(high=high_bytes, low=low_bytes)

    def set_receive_low_water(self, low_bytes: int) -> None:
        """Be woken only when so many bytes came, or the end of them (SO_RCVLOWAT); 1: by every byte.

        Set it back to 1 before the next request, whose answer is short. Does nothing on a closed connection.
        """
        peer = None if self.closed else self.transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, max(1, low_bytes))

    def close(self) -> None:
        """Close after what is queued is written, or after a second. Returns at once; see `wait_closed`."""
        self._end(None)

    def abort(self) -> None:
        """Close now; what is queued is lost, in the kernel too."""
        drop_unsent(self.transport)
        self._end(None)
        self.transport.abort()

    def fail(self, error: PeerError) -> None:
        """Give the connection up for a reason that `on_lost` shall hear."""
        drop_unsent(self.transport)
        self._end(error)
        self.transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the socket is closed; at most about a second after `close`."""
        await asyncio.shield(self._gone)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's TCP transport is no subclass of asyncio.Transport, so there is nothing to assert here.
        self.transport = transport  # type: ignore[assignment]
        self._write = writer_of(self.transport)

    def data_received(self, data: bytes) -> None:
        way = self._short_way
        if way is None or not way.take(data):
            self._take_apart(data)

    def _take_apart(self, data: bytes) -> None:
        self._bytes_received += len(data)
        try:
            items = self._deframer.feed(data)
        except PeerError as error:
            self.fail(error)
            return
        if self._lane is not None:
            self._choose_way()
        for item in items:
            if type(item) is MediaBatch:
                if self.on_media is not None:
                    self.on_media(item)
                if self._on_sample is not None:
                    self._on_sample(item)
            elif isinstance(item, Response):
                self._answered(item)
            elif isinstance(item, Request):
                self._serve(item)
            if self.closed:
                return
        if self._deframer.failure is not None:
            self.fail(self._deframer.failure)

    def _choose_way(self) -> None:
        short = self._deframer.idle and self._on_sample is None
        self._short_way = self._lane if short else None

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

    # Requests of ours.

    async def _request(self, method: str, uri: str, fields: list[tuple[str, str]], body: bytes) -> Response:
        if self._authenticator.rejected:
            raise PeerError(Cause.AUTH_FAILED, f"{method} was not sent: the login was rejected before")
        authorization = self._authenticator.answer(method, uri)
        response = await self._exchange(method, uri, fields, body, authorization)
        for _ in range(_MAX_ANSWERS):
            if response.status != 401 or not self._authenticator.challenged(
                response.headers.get_all("WWW-Authenticate"), answered=authorization is not None
            ):
                break
            authorization = self._authenticator.answer(method, uri)
            response = await self._answer(response, method, uri, fields, body, authorization)
        else:
            self._authenticator.rejected = response.status == 401
        if authorization is not None and response.status not in (401, 403):
            self._authenticator.accepted()
        return response

    async def _answer(
        self,
        unauthorized: Response,
        method: str,
        uri: str,
        fields: list[tuple[str, str]],
        body: bytes,
        authorization: str | None,
    ) -> Response:
        """The request again with a login, unless the peer closes. Raises ReconnectError, or as `_exchange` does."""
        challenge = self._authenticator.challenge
        assert challenge is not None
        if "close" not in (unauthorized.headers.get("Connection") or "").lower():
            try:
                return await self._exchange(method, uri, fields, body, authorization)
            except PeerError as error:
                if error.cause is not Cause.ENDED or self.error is not error:
                    raise
        raise ReconnectError(challenge)

    async def _exchange(
        self, method: str, uri: str, fields: list[tuple[str, str]], body: bytes, authorization: str | None
    ) -> Response:
        if self.closed:
            raise self.error or PeerError(Cause.ENDED, f"{method} was not sent: the connection is closed")
        if authorization is not None:
            self.login_sent = True
            fields = [*fields, ("Authorization", authorization)]
        cseq, encoded = self._encode(method, uri, fields, body)
        with self._answers.expected(cseq) as answer:
            self._write_control(encoded)
            return await answer

    def _write_control(self, data: bytes) -> None:
        self.control_bytes_sent += len(data)
        self.transport.write(data)

    def _encode(self, method: str, uri: str, fields: list[tuple[str, str]], body: bytes = b"") -> tuple[int, bytes]:
        """With its CSeq, the next one."""
        self._cseq += 1
        headers = Headers([("CSeq", str(self._cseq)), ("User-Agent", USER_AGENT), *fields])
        return self._cseq, Request(method, uri, headers, body).encode()

    def _answered(self, response: Response) -> None:
        if response.status < 200:
            return
        date = response.headers.get("Date")
        if date is not None:
            self.peer_date = (date, time.time())
        self._answers.take(response)

    # Requests of the peer.

    def _serve(self, request: Request) -> None:
        if not self._write_paused:
            # A peer that does not read cannot expect answers, and must not fill our memory with them.
            self._write_control(answer_to(request).encode())
        end = end_told_by(request)
        if end is not None:
            self._end(end)

    def _end(self, error: PeerError | None) -> None:
        """Once: fail what waits, tell the owner, close the transport (what is queued gets a second to leave)."""
        if self.closed:
            return
        self.closed = True
        self.error = error
        self._answers.fail(error or PeerError(Cause.ENDED, "the connection was closed here"))
        self._answers.stop()
        if not self._gone.done():
            self._abort_timer = self._loop.call_later(_LINGER_S, cut, self.transport)
            self.transport.close()
        self._bytes_received, self._lane = self.bytes_received, None
        on_lost, self.on_lost = self.on_lost, None
        # Whoever is called here usually holds this connection: while both held each other, only a search for garbage
        # could free them, and hundreds of ended sessions waited for it.
        self.on_media = self.on_sample = self.on_pause_writing = self.on_resume_writing = None
        if on_lost is not None:
            on_lost(error)
