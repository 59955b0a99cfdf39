"""The client's handshakes as plain coroutines: `open_player` and `open_publisher`.

One attempt, one deadline, no retry: supervisors retry. A failure is raised as PeerError; a session that the peer may
have made by then gets a TEARDOWN.
"""

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError, StatusError
from vonggac.net.url import RtspUrl
from vonggac.rtsp.client.connection import OnLost, OnMedia
from vonggac.rtsp.client.handshake import Clock, Handshake, Route, follow_redirects
from vonggac.rtsp.client.player import Player
from vonggac.rtsp.client.receiver_reports import DEFAULT_REPORT_INTERVAL_S, InterleavedReports
from vonggac.rtsp.client.session import RtspSession, Step
from vonggac.rtsp.client.udp import UdpOptions, UdpReception
from vonggac.rtsp.wire.announcement import announce_sdp
from vonggac.rtsp.wire.sdp import SessionDescription, base_url, media_base, parse_sdp, resolve_control
from vonggac.rtsp.wire.tracks import Track, check_order, plan_tracks

type OnTracks = Callable[[tuple[Track, ...]], None]

PLAYER_TRANSPORTS = MappingProxyType(
    {"tcp": ("tcp",), "udp": ("udp",), "auto": ("tcp", "udp"), "udp_then_tcp": ("udp", "tcp")}
)
"""The options, and the transports that each tries in order."""


class Publisher(RtspSession):
    """A destination that records what `connection.write_media` writes.

    `tracks` have the destination's channels; `channel_map` maps the source's to them.
    """

    channel_map: dict[int, int]
    """Source channel -> channel here; RTP and RTCP of every track."""

    @property
    def verbatim(self) -> bool:
        """Whether frames can be passed on with their own channel numbers."""
        return all(source == target for source, target in self.channel_map.items())


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """What to ask of a camera that plays.

    `tracks`: kinds of media. `transport`: `tcp`; `udp`; `auto` is TCP, and UDP for a camera that does not know TCP;
    `udp_then_tcp` is UDP, and TCP when UDP is refused or no media comes within `udp.first_media_s`. Under TLS media
    never goes over UDP, where it would not be encrypted. Media from UDP comes as interleaved frames.

    `send_options`: read the camera's methods first, for the keep-alive; costs one more round trip.
    `report_interval_s`: how often the camera gets a receiver report, None: never.
    """

    tracks: Collection[str] = ("video",)
    transport: str = "tcp"
    udp: UdpOptions = field(default_factory=UdpOptions)
    send_options: bool = False
    report_interval_s: float | None = DEFAULT_REPORT_INTERVAL_S


VIDEO_OVER_TCP = PlayOptions()


@dataclass(frozen=True, slots=True)
class _Receiver:
    """Who gets what comes."""

    on_media: OnMedia
    on_tracks: OnTracks | None
    on_lost: OnLost | None


async def open_player(
    route: Route,
    *,
    deadline_s: float,
    on_media: OnMedia,
    on_lost: OnLost | None = None,
    on_tracks: OnTracks | None = None,
    options: PlayOptions = VIDEO_OVER_TCP,
    steps: list[Step] | None = None,
) -> Player:
    """Connect, DESCRIBE, SETUP, PLAY: `deadline_s` seconds for all of it, redirects and second tries included.

    `on_tracks` gets the tracks with their channels before PLAY is sent, because media may come before the answer to
    PLAY, and so before this returns; it is called again for a second transport. `on_lost` is called only for a session
    that was returned. A redirect to another host or port gets no login of ours. `steps`: a list to fill, of use when
    this fails.

    Raises PeerError with a cause (see errors.cause_of_status for answers that are not 2xx).
    """
    if options.transport not in PLAYER_TRANSPORTS:
        msg = f"transport {options.transport!r} is not supported, use one of: {', '.join(PLAYER_TRANSPORTS)}"
        raise PeerError(Cause.TRANSPORT_UNSUPPORTED, msg)
    clock, receiver = Clock(deadline_s, steps), _Receiver(on_media, on_tracks, on_lost)

    async def attempt(route: Route) -> Player:
        return await _play_by_any(_transports(options.transport, route.url), options, receiver, route, clock)

    return await follow_redirects(route.with_login(), attempt)


async def open_publisher(
    route: Route,
    sdp: SessionDescription,
    tracks: Sequence[Track],
    *,
    deadline_s: float,
    on_lost: OnLost | None = None,
    on_media: OnMedia | None = None,
    send_options: bool = False,
    steps: list[Step] | None = None,
) -> Publisher:
    """Connect, ANNOUNCE, SETUP, RECORD: `deadline_s` seconds for all of it, redirects included.

    `sdp` and `tracks` are the source's (a Player has them): its payload types and fmtp are announced, and its channel
    numbers requested, so that its frames can be written verbatim. `on_media` gets what the destination sends (RTCP).
    The rest is as in open_player.

    Raises PeerError with a cause, as open_player does.
    """
    announced = announce_sdp(sdp, [track.index for track in tracks], origin_id=secrets.randbits(62))
    body = announced.encode()
    clock = Clock(deadline_s, steps)

    async def attempt(route: Route) -> Publisher:
        async with Handshake(route, clock) as handshake:
            await handshake.connect(on_media)
            if send_options:
                await handshake.options()
            await handshake.send_request("ANNOUNCE", handshake.url, [("Content-Type", "application/sdp")], body)
            wanted = [
                replace(track, control_url=resolve_control(handshake.url, f"trackID={number}"))
                for number, track in enumerate(tracks)
            ]
            agreed = await handshake.set_up_over_tcp(wanted, mode="record")
            handshake.connection.rates.expect_reports(agreed)
            await handshake.send_request("RECORD", handshake.url, [("Range", "npt=0.000-")])
            publisher = Publisher(handshake.connection, sdp=announced, tracks=agreed, **handshake.outcome())
            publisher.channel_map = _channel_map(tracks, agreed)
            publisher.start(on_lost)
            return publisher

    return await follow_redirects(route.with_login(), attempt)


def _transports(asked: str, url: RtspUrl) -> tuple[str, ...]:
    """Choose the transports to try. Raises PeerError transport_unsupported when none is left under TLS."""
    order = tuple(name for name in PLAYER_TRANSPORTS[asked] if name == "tcp" or not url.secure)
    if not order:
        raise PeerError(Cause.TRANSPORT_UNSUPPORTED, "rtsps goes over TCP only: over UDP media is not encrypted")
    return order


async def _play_by_any(
    order: Sequence[str], options: PlayOptions, receiver: _Receiver, route: Route, clock: Clock
) -> Player:
    """Try the transports in order, each in its own connection."""
    name, *others = order
    player = None
    try:
        player = await _play(name, options, receiver, route, clock)
        if not others or name == "tcp" or await player.media_within(min(options.udp.first_media_s, clock.left_s / 2)):
            player.start(receiver.on_lost)
            return player
        await player.close()
    except PeerError as error:
        if player is not None:
            player.abort()
        if not others or not _is_about_transport(error, tried=name):
            raise
    except BaseException:
        if player is not None:
            player.abort()
        raise
    return await _play_by_any(others, options, receiver, route, clock)


def _is_about_transport(error: PeerError, *, tried: str) -> bool:
    """Whether another transport may succeed: when they refuse UDP, cameras also answer 400, 406, 451 and the like."""
    if error.cause is Cause.TRANSPORT_UNSUPPORTED:
        return True
    refused = isinstance(error, StatusError) and error.method == "SETUP"
    return tried == "udp" and refused and error.cause is Cause.REQUEST_REFUSED


async def _play(transport: str, options: PlayOptions, receiver: _Receiver, route: Route, clock: Clock) -> Player:
    """One handshake over one connection; the player is not started yet."""
    async with Handshake(route, clock) as handshake:
        await handshake.connect()
        if options.send_options:
            await handshake.options()
        asked = [("Accept", "application/sdp"), *route.marks]
        response = await handshake.send_request("DESCRIBE", handshake.url, asked)
        sdp = parse_sdp(response.body)
        base = handshake.on_own_host(media_base(base_url(response.headers, handshake.url), sdp))
        handshake.control_url = handshake.on_own_host(resolve_control(base, sdp.control))
        planned = plan_tracks(sdp, options.tracks, base)
        check_order(planned)
        connection = handshake.connection
        udp = UdpReception(connection, options.udp, route.allowed) if transport == "udp" else None
        try:
            agreed = planned
            if udp is None:
                agreed = await handshake.set_up_over_tcp(planned, mode=None)
            else:
                for track in planned:
                    udp.set_transport(await handshake.set_up(track, udp.open_track(track)))
            connection.rates.expect_reports(agreed)
            if receiver.on_tracks is not None:
                receiver.on_tracks(agreed)
            # Not before: the receiver of media must know the tracks.
            connection.on_media = receiver.on_media
            if udp is not None:
                udp.start(options.report_interval_s)
            await handshake.send_request("PLAY", handshake.control_url, [("Range", "npt=0.000-")])
        except BaseException as error:
            if udp is not None:
                udp.stop()
            if isinstance(error, PeerError) and _is_about_transport(error, tried=transport):
                await handshake.give_back()
            raise
        reports = None
        if udp is None and options.report_interval_s is not None:
            reports = InterleavedReports(connection, agreed, options.report_interval_s)
        return Player(connection, sdp=sdp, tracks=agreed, udp=udp, reports=reports, **handshake.outcome())


def _channel_map(source: Sequence[Track], target: Sequence[Track]) -> dict[int, int]:
    pairs = [
        pair
        for one, other in zip(source, target, strict=True)
        for pair in ((one.rtp_channel, other.rtp_channel), (one.rtcp_channel, other.rtcp_channel))
    ]
    return dict(pairs)
