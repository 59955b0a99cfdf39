"""One handshake over one connection: its steps, its deadline and its findings; and redirects between handshakes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

from vonggac.events.causes import Cause
from vonggac.net.allowed_networks import AllowedNetworks, canonical_host, resolve
from vonggac.net.dial import connect_socket, secure, take_handed_on
from vonggac.net.errors import MalformedError, PeerError, RedirectError, StatusError
from vonggac.net.http_auth import Challenge, HungUpAtLoginError, ReconnectError
from vonggac.net.recognition import recognised, why_hung_up
from vonggac.net.tls import SYSTEM_AUTHORITIES, TlsPolicy
from vonggac.net.url import Credentials, RtspUrl, on_host_of, repeats_password
from vonggac.rtsp.client.connection import OnMedia, RtspConnection
from vonggac.rtsp.client.session import DEFAULT_TIMEOUT_S, PART_WITHIN_S, SessionOutcome, Step, session_header
from vonggac.rtsp.wire.messages import Response, parse_session
from vonggac.rtsp.wire.sdp import is_absolute, resolve_control
from vonggac.rtsp.wire.tracks import Track, check_channels
from vonggac.rtsp.wire.transport import Transport, another_transport, parse_transports

MAX_REDIRECTS = 3

_REDIRECTS = frozenset({301, 302, 303, 305, 307, 308})
_UNANSWERED = frozenset({Cause.TIMEOUT, Cause.ENDED, Cause.PROTOCOL_ERROR})
_ANSWER = b"RTSP/"


@dataclass(frozen=True, slots=True)
class Route:
    """The address and login of an attempt: what a redirect changes, and what stays.

    `credentials` go before those of the URL. `allowed`: None allows every address. `tls`: whom to trust on rtsps://.
    """

    url: RtspUrl
    credentials: Credentials | None = None
    allowed: AllowedNetworks | None = None
    tls: TlsPolicy = SYSTEM_AUTHORITIES
    challenge: Challenge | None = None
    """The challenge of a peer that closed the connection with its 401."""
    marks: tuple[tuple[str, str], ...] = ()
    """Headers of our own in DESCRIBE; none goes along with a redirect to another host."""

    def with_login(self) -> "Route":
        """With the credentials of the URL where no others are given."""
        return replace(self, credentials=self.credentials or self.url.credentials)

    def redirected(self, error: RedirectError) -> "Route":
        """Build the route of a redirect.

        Another host or port gets the credentials of its own address, if it has some, and never ours. Raises PeerError:
        protocol_error for an address that is none, tls when it leads from rtsps to rtsp, secret_moved when our password
        stood in the path and stands in the new one.
        """
        try:
            location = error.location
            absolute = is_absolute(location)
            url = RtspUrl.parse(location if absolute else resolve_control(self.url.wire, location))
        except MalformedError as wrong:
            raise MalformedError(f"{error.method} was redirected to a wrong address: {wrong.message}") from None
        if self.url.secure and not url.secure:
            raise PeerError(Cause.TLS, f"{error.method} was redirected from rtsps to rtsp, which is not encrypted")
        if error.status == 305 and url.target in ("", "/"):
            # "Use proxy" names the proxy only.
            url = replace(url, target=self.url.target)
        ours = (url.scheme, canonical_host(url.host), url.port) == (
            self.url.scheme,
            canonical_host(self.url.host),
            self.url.port,
        )
        if not ours and repeats_password(url.target, self.url.target, self.credentials):
            raise PeerError(
                Cause.SECRET_MOVED, f"{error.method} was redirected elsewhere with the password in the path"
            )
        credentials = self.credentials if ours else url.credentials
        return replace(self, url=url, credentials=credentials, challenge=None, marks=self.marks if ours else ())


async def follow_redirects[T](route: Route, attempt: Callable[[Route], Awaitable[T]]) -> T:
    """Make `attempt`, and again at each redirect, at most MAX_REDIRECTS times. Raises PeerError.

    A peer that closes the connection with its 401 gets a second attempt, so it may see the login twice. `elsewhere` of
    an error: it happened after a redirect.
    """
    first = _endpoint_of(route.url)

    async def tried(route: Route) -> T:
        try:
            return await attempt(route)
        except PeerError as error:
            error.elsewhere = _endpoint_of(route.url) != first
            raise

    for _ in range(MAX_REDIRECTS):
        try:
            return await tried(route)
        except RedirectError as error:
            route = route.redirected(error)
        except ReconnectError as error:
            if route.challenge is not None:
                raise
            route = replace(route, challenge=error.challenge)
    try:
        return await tried(route)
    except RedirectError:
        raise MalformedError(f"redirected more than {MAX_REDIRECTS} times") from None


def _endpoint_of(url: RtspUrl) -> tuple[str, str, int]:
    return url.scheme, url.host.lower(), url.port


class Clock:
    """The deadline of a whole call, and the list of its steps."""

    def __init__(self, deadline_s: float, steps: list[Step] | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._deadline_s = deadline_s
        self._ends_at = self._loop.time() + deadline_s
        self.steps = steps if steps is not None else []

    @property
    def left_s(self) -> float:
        return self._ends_at - self._loop.time()

    @contextmanager
    def step(self, name: str) -> Iterator[float]:
        """Time a step (also one that fails) within the rest of the deadline."""
        began = self._loop.time()
        left_s = self._ends_at - began
        if left_s <= 0:
            raise PeerError(Cause.TIMEOUT, f"{self._deadline_s:.3g} s were over before {name}")
        try:
            yield left_s
        finally:
            self.steps.append(Step(name, (self._loop.time() - began) * 1000))


class Handshake:
    """One connection before its session. After an error it sends TEARDOWN."""

    def __init__(self, route: Route, clock: Clock) -> None:
        self._route = route
        self._clock = clock
        self._connection: RtspConnection | None = None
        self._session_id: str | None = None
        self._timeout_s = DEFAULT_TIMEOUT_S
        self._public: frozenset[str] | None = None
        self._answers = 0
        self.url = route.url.wire
        self.control_url = self.url
        self.peer_address = ""
        """The IP address that was connected to."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is None or self._connection is None:
            return
        if isinstance(error, PeerError):
            error.logged_in = self._connection.requests.logged_in
            error.login_sent = self._connection.requests.login_sent
        if self._session_id is not None:
            # A camera with few sessions may count this one until it times out.
            self._connection.requests.post("TEARDOWN", self.control_url, session_header(self._session_id))
        self._connection.close()

    @property
    def connection(self) -> RtspConnection:
        assert self._connection is not None
        return self._connection

    def outcome(self) -> SessionOutcome:
        return {
            "url": self.control_url,
            "session_id": self._session_id,
            "timeout_s": self._timeout_s,
            "public": self._public,
            "steps": self._clock.steps,
        }

    async def connect(self, on_media: OnMedia | None = None) -> None:
        route, step = self._route, self._clock.step
        host, port = route.url.host, route.url.port
        with step("dns") as left_s:
            address = await resolve(host, port, route.allowed, timeout_s=left_s)
        self.peer_address = address
        opened = take_handed_on(RtspConnection, address, port)
        if opened is not None and not opened.closed:
            with step("connect"):
                self._connection = opened
                # It was opened by a check, which asked for nothing that needs a login.
                opened.requests.log_in_with(route.credentials)
                opened.on_media = on_media
        elif not route.url.secure:
            with step("connect") as left_s:
                self._connection = await RtspConnection.open(
                    address, port, timeout_s=left_s, credentials=route.credentials, on_media=on_media
                )
        else:
            self._connection = await self._secure(address, on_media)
        if route.challenge is not None:
            self._connection.requests.log_in_at_once(route.challenge)

    async def _secure(self, address: str, on_media: OnMedia | None) -> RtspConnection:
        route, step = self._route, self._clock.step
        host, port = route.url.host, route.url.port
        with step("connect") as left_s:
            connected = await connect_socket(address, port, timeout_s=left_s)
        try:
            with step("tls") as left_s:
                made = partial(RtspConnection, credentials=route.credentials, on_media=on_media)
                return await secure(made, connected, route.tls, host, timeout_s=left_s)
        except PeerError:
            connected.close()
            raise

    async def options(self) -> None:
        """Read the peer's methods. A peer that does not know OPTIONS (or demands a login) lists none."""
        with self._clock.step("options") as left_s:
            response = await self._request("OPTIONS", self.url, timeout_s=left_s)
        public = response.headers.get("Public")
        if response.ok and public is not None:
            self._public = frozenset(part.strip().upper() for part in public.split(","))

    async def send_request(
        self, method: str, url: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b""
    ) -> Response:
        """Send a request. Raises RedirectError for a redirect with an address, else StatusError where it is not 2xx."""
        fields = [*headers, *session_header(self._session_id)]
        with self._clock.step(method.lower()) as left_s:
            response = await self._request(method, url, fields, body, timeout_s=left_s)
        if response.ok:
            return response
        location = (response.headers.get("Location") or "").strip()
        if response.status in _REDIRECTS and location:
            raise RedirectError(method, response.status, response.reason, location)
        error = StatusError(method, response.status, response.reason)
        if response.status == 401 and (unspoken := self.connection.requests.unspoken_login):
            error.message += f": {unspoken}"
        raise error

    async def set_up(self, track: Track, wanted: Transport) -> Transport:
        """Set up one track; return the peer's transport, or the wanted one when it names none."""
        try:
            response = await self.send_request("SETUP", track.control_url, [("Transport", wanted.encode())])
        except StatusError as error:
            if "SAVP" in track.media.protocol:
                error.message += ": its media is encrypted (SRTP), which is not played"
            raise
        session = response.headers.get("Session")
        if session is not None and self._session_id is None:
            session_id, timeout_s = parse_session(session)
            self._session_id = session_id or None
            self._timeout_s = timeout_s or DEFAULT_TIMEOUT_S
        answered = response.headers.get("Transport")
        return parse_transports(answered)[0] if answered and answered.strip(" ,;") else wanted

    async def set_up_over_tcp(self, tracks: Sequence[Track], *, mode: str | None) -> tuple[Track, ...]:
        """Set up each track with its channel numbers; return the tracks with the peer's numbers."""
        agreed = []
        for track in tracks:
            wanted = Transport(interleaved=(track.rtp_channel, track.rtcp_channel), mode=mode)
            transport = await self.set_up(track, wanted)
            if not transport.over_tcp:
                raise another_transport("TCP", transport)
            rtp_channel, rtcp_channel = transport.interleaved or (track.rtp_channel, track.rtcp_channel)
            agreed.append(replace(track, rtp_channel=rtp_channel, rtcp_channel=rtcp_channel))
        check_channels(agreed)
        return tuple(agreed)

    def on_own_host(self, url: str) -> str:
        """`url` on the host that was asked, wherever it points to."""
        return on_host_of(url, self.url)

    async def give_back(self) -> None:
        """TEARDOWN, bounded, before another attempt: a camera may have room for one session only."""
        session_id, self._session_id = self._session_id, None
        if session_id is None:
            return
        within_s = min(PART_WITHIN_S, max(0.0, self._clock.left_s))
        with suppress(PeerError):
            await self.connection.request("TEARDOWN", self.control_url, session_header(session_id), timeout_s=within_s)

    async def _request(
        self, method: str, url: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b"", *, timeout_s: float
    ) -> Response:
        """Send a request; when its time is over while the peer sends junk, that is not a mere timeout."""
        connection = self.connection
        try:
            response = await connection.request(method, url, headers, body, timeout_s=timeout_s)
        except PeerError as error:
            if error.cause is Cause.ENDED and self._route.challenge is not None and not self._answers:
                # Without a login it answers 401, and with one it disconnects each time.
                raise HungUpAtLoginError from None
            raise await self._explained(method, error) from None
        self._answers += 1
        return response

    async def _explained(self, method: str, error: PeerError) -> PeerError:
        """Explain the error of a request in the right word: what never spoke RTSP did not end a session of it."""
        connection, first = self.connection, self.connection.first_bytes
        gibberish = connection.junk_bytes or (connection.bytes_received and not self._answers)
        if error.cause not in _UNANSWERED or self._answers or first.startswith(_ANSWER):
            if error.cause is Cause.TIMEOUT and gibberish and not connection.junk_bytes and first.startswith(_ANSWER):
                return PeerError(Cause.TIMEOUT, f"the answer to {method} began and was not whole in time")
            if error.cause is Cause.TIMEOUT and gibberish:
                return MalformedError(f"no answer to {method}, but bytes that are not RTSP")
            return error
        scheme = self._route.url.scheme
        if first or error.cause is not Cause.ENDED:
            return recognised(first, scheme) or error
        if self._route.url.secure:
            return PeerError(Cause.HUNG_UP, f"the peer closed the connection without an answer to {method}")
        port = self._route.url.port
        return await why_hung_up(scheme, self.peer_address, port, asked=method, within_s=self._clock.left_s)
