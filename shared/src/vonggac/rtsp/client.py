"""The client's handshakes as plain coroutines: `open_player` and `open_publisher`.

One attempt, one deadline, no retry: retrying is the supervisor's. A failure is raised as RtspError; the session that
the peer may have made by then is torn down on the way out.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Self

from vonggac.events.causes import Cause
from vonggac.rtsp.addresses import AllowedNetworks, resolve
from vonggac.rtsp.connection import OnLost, OnMedia, RtspConnection
from vonggac.rtsp.errors import MalformedError, RtspError, StatusError
from vonggac.rtsp.messages import Response, parse_session
from vonggac.rtsp.sdp import SessionDescription, announce_sdp, base_url, media_base, parse_sdp, resolve_control
from vonggac.rtsp.session import DEFAULT_TIMEOUT_S, RtspSession, SessionOutcome, Step, session_header
from vonggac.rtsp.tracks import Track, check_channels, plan_tracks
from vonggac.rtsp.transport import Transport, parse_transports
from vonggac.rtsp.url import Credentials, RtspUrl

type OnTracks = Callable[[tuple[Track, ...]], None]


class Player(RtspSession):
    """A camera that plays to us: media arrives at `on_media`."""


class Publisher(RtspSession):
    """A destination that records what is written with `connection.write_media`.

    `tracks` have the channels that the destination wants; `channel_map` leads from the source's to them.
    """

    channel_map: dict[int, int]
    """Source channel -> channel here; RTP and RTCP of every track."""

    @property
    def verbatim(self) -> bool:
        """Whether frames can be passed on with their channel numbers as they are."""
        return all(source == target for source, target in self.channel_map.items())


async def open_player(
    url: RtspUrl,
    credentials: Credentials | None = None,
    *,
    deadline_s: float,
    on_media: OnMedia,
    on_lost: OnLost | None = None,
    on_tracks: OnTracks | None = None,
    tracks: Collection[str] = ("video",),
    transport: str = "tcp",
    allowed: AllowedNetworks | None = None,
    send_options: bool = False,
    steps: list[Step] | None = None,
) -> Player:
    """Connect, DESCRIBE, SETUP, PLAY: `deadline_s` seconds for all of it.

    `credentials` go before those of the URL. `tracks`: kinds of media. `on_tracks` is told the tracks with their
    channels before PLAY is sent, because media may come before the answer to PLAY, and so before this returns.
    `on_lost` is called only for a session that was returned. `send_options`: ask first what the camera can, so that the
    keep-alive need not find out; costs one more round trip. `steps`: a list to fill, of use when this fails.

    Raises RtspError with a cause (see errors.cause_of_status for answers that are not 2xx).
    """
    if transport != "tcp":
        raise RtspError(Cause.TRANSPORT_UNSUPPORTED, f"transport {transport!r} is not supported, use 'tcp'")
    async with _Attempt(url, deadline_s, steps) as attempt:
        await attempt.connect(credentials or url.credentials, allowed, on_media)
        if send_options:
            await attempt.options()
        response = await attempt.ask("DESCRIBE", url.wire, [("Accept", "application/sdp")])
        sdp = parse_sdp(response.body)
        base = media_base(base_url(response.headers, url.wire), sdp)
        attempt.control_url = resolve_control(base, sdp.control)
        agreed = await attempt.set_up(plan_tracks(sdp, tracks, base), mode=None)
        if on_tracks is not None:
            on_tracks(agreed)
        await attempt.ask("PLAY", attempt.control_url, [("Range", "npt=0.000-")])
        player = Player(attempt.connection, sdp=sdp, tracks=agreed, **attempt.outcome())
        player.start(on_lost)
        return player


async def open_publisher(
    url: RtspUrl,
    credentials: Credentials | None,
    sdp: SessionDescription,
    tracks: Sequence[Track],
    *,
    deadline_s: float,
    on_lost: OnLost | None = None,
    on_media: OnMedia | None = None,
    allowed: AllowedNetworks | None = None,
    send_options: bool = False,
    steps: list[Step] | None = None,
) -> Publisher:
    """Connect, ANNOUNCE, SETUP, RECORD: `deadline_s` seconds for all of it.

    `sdp` and `tracks` are the source's (a Player has them): its payload types and fmtp are announced, and its channel
    numbers asked for, so that its frames can go on verbatim. `on_media` gets what the destination sends (RTCP).

    Raises RtspError with a cause, as open_player does.
    """
    announced = announce_sdp(sdp, [track.index for track in tracks], origin_id=secrets.randbits(62))
    async with _Attempt(url, deadline_s, steps) as attempt:
        await attempt.connect(credentials or url.credentials, allowed, on_media)
        if send_options:
            await attempt.options()
        body = announced.encode()
        await attempt.ask("ANNOUNCE", url.wire, [("Content-Type", "application/sdp")], body)
        wanted = tuple(
            replace(track, control_url=resolve_control(url.wire, f"trackID={number}"))
            for number, track in enumerate(tracks)
        )
        agreed = await attempt.set_up(wanted, mode="record")
        await attempt.ask("RECORD", url.wire, [("Range", "npt=0.000-")])
        publisher = Publisher(attempt.connection, sdp=announced, tracks=agreed, **attempt.outcome())
        publisher.channel_map = _channel_map(tracks, agreed)
        publisher.start(on_lost)
        return publisher


class _Attempt:
    """One handshake: its deadline, its steps, what the peer has told. Left with an error, it says goodbye."""

    def __init__(self, url: RtspUrl, deadline_s: float, steps: list[Step] | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._deadline_s = deadline_s
        self._ends_at = self._loop.time() + deadline_s
        self._url = url
        self._steps = steps if steps is not None else []
        self._connection: RtspConnection | None = None
        self._session_id: str | None = None
        self._timeout_s = DEFAULT_TIMEOUT_S
        self._public: frozenset[str] | None = None
        self._answers = 0
        self.control_url = url.wire

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is None or self._connection is None:
            return
        if self._session_id is not None:
            # A camera may count the session against its few until it times out.
            self._connection.post("TEARDOWN", self.control_url, session_header(self._session_id))
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
            "steps": self._steps,
        }

    async def connect(
        self, credentials: Credentials | None, allowed: AllowedNetworks | None, on_media: OnMedia | None
    ) -> None:
        with self._step("dns") as left_s:
            address = await resolve(self._url.host, self._url.port, allowed, timeout_s=left_s)
        with self._step("connect") as left_s:
            self._connection = await RtspConnection.open(
                address, self._url.port, timeout_s=left_s, credentials=credentials, on_media=on_media
            )

    async def options(self) -> None:
        """Learn what the peer can. One that does not know OPTIONS (or wants a login) has just told nothing."""
        with self._step("options") as left_s:
            response = await self._request("OPTIONS", self._url.wire, timeout_s=left_s)
        public = response.headers.get("Public")
        if response.ok and public is not None:
            self._public = frozenset(part.strip().upper() for part in public.split(","))

    async def ask(self, method: str, url: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b"") -> Response:
        """Raises StatusError for an answer that is not 2xx: also for 301, 302 and 305, redirects are not followed."""
        fields = [*headers, *session_header(self._session_id)]
        with self._step(method.lower()) as left_s:
            response = await self._request(method, url, fields, body, timeout_s=left_s)
            if not response.ok:
                raise StatusError(method, response.status, response.reason)
            return response

    async def _request(
        self, method: str, url: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b"", *, timeout_s: float
    ) -> Response:
        """A request whose time runs out while the peer talks gibberish is not merely late."""
        connection = self.connection
        try:
            response = await connection.request(method, url, headers, body, timeout_s=timeout_s)
        except RtspError as error:
            gibberish = connection.junk_bytes or (connection.bytes_received and not self._answers)
            if error.cause is Cause.TIMEOUT and gibberish:
                raise MalformedError(f"no answer to {method}, but bytes that are not RTSP") from None
            raise
        self._answers += 1
        return response

    async def set_up(self, tracks: Sequence[Track], *, mode: str | None) -> tuple[Track, ...]:
        """SETUP each track, asking for its channel numbers; returns the tracks with those that were answered."""
        agreed = tuple([await self._set_up_one(track, mode) for track in tracks])
        check_channels(agreed)
        return agreed

    async def _set_up_one(self, track: Track, mode: str | None) -> Track:
        wanted = Transport(interleaved=(track.rtp_channel, track.rtcp_channel), mode=mode)
        response = await self.ask("SETUP", track.control_url, [("Transport", wanted.encode())])
        session = response.headers.get("Session")
        if session is not None and self._session_id is None:
            session_id, timeout_s = parse_session(session)
            self._session_id = session_id or None
            self._timeout_s = timeout_s or DEFAULT_TIMEOUT_S
        answered = response.headers.get("Transport")
        transport = parse_transports(answered)[0] if answered else wanted
        if not transport.over_tcp:
            raise RtspError(Cause.TRANSPORT_UNSUPPORTED, "SETUP over TCP was answered with another transport")
        rtp_channel, rtcp_channel = transport.interleaved or (track.rtp_channel, track.rtcp_channel)
        return replace(track, rtp_channel=rtp_channel, rtcp_channel=rtcp_channel)

    @contextmanager
    def _step(self, name: str) -> Iterator[float]:
        """Time a step (also one that fails) and give it what is left of the deadline."""
        began = self._loop.time()
        left_s = self._ends_at - began
        if left_s <= 0:
            raise RtspError(Cause.TIMEOUT, f"{self._deadline_s:.3g} s were over before {name}")
        try:
            yield left_s
        finally:
            self._steps.append(Step(name, (self._loop.time() - began) * 1000))


def _channel_map(source: Sequence[Track], target: Sequence[Track]) -> dict[int, int]:
    pairs = [
        pair
        for one, other in zip(source, target, strict=True)
        for pair in ((one.rtp_channel, other.rtp_channel), (one.rtcp_channel, other.rtcp_channel))
    ]
    return dict(pairs)
