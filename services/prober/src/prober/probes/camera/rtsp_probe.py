"""An RTSP camera: play until one keyframe is whole, decode it, measure for a moment, say good-bye.

A light probe ends with the keyframe: no picture, no measuring, unless that weighs otherwise than good pictures'.

One attempt and one deadline, from name resolution to the keyframe. Within it every wait is bounded by what is left.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from prober.domain.findings import CLOCK_JUMPED, TOO_SHORT, StreamSeen
from prober.domain.result import ProbeResult
from prober.domain.security import parse_login_scheme
from prober.domain.verdict import REFRESHED, Evidence, Failure, judge
from prober.probes.camera.identity import neighbour_mac
from prober.probes.camera.stream_stats import VideoWatch
from prober.probes.camera.target import Target, Tools
from prober.probes.decoding.picture import Picture, Undecodable
from prober.probes.decoding.size import first_sps, sps_bytes, stream_sign
from vonggac.events import Cause
from vonggac.events.prober import LoginScheme, Media, ProbeKind, Step
from vonggac.media.depacketizer import AccessUnit
from vonggac.media.h26x import VideoCodec, nal_type, video_codec
from vonggac.media.keyframe_weight import Weight, keyframe_quantizer, weight_of
from vonggac.net.dial import set_receive_low_water
from vonggac.net.errors import PeerError
from vonggac.net.url import RtspUrl, fill_credentials, takes_credentials
from vonggac.rtsp import MediaDescription, Player, PlayOptions, Route, Track, open_player
from vonggac.rtsp import Step as HandshakeStep
from vonggac.rtsp.client.connection import RtspConnection
from vonggac.rtsp.wire.framing import MediaBatch
from vonggac.rtsp.wire.habits import describe_maker, digest_habits
from vonggac.rtsp.wire.sdp import SessionDescription

DECODE_GRACE_S = 1.0
"""A camera that sent its keyframe in time is not blamed when the decoder needs a moment more."""
PROVEN_WITHIN_S = 1.0
"""For the packet that shows whether a keyframe's marker ended it."""
SECOND_WITHIN_S = 1.0
"""From the beginning of the second keyframe to its end, where it is compared with the first."""
PIECE_PICTURES, MOST_PIECE_BYTES = 4, 32 * 1024
"""How much of the stream is taken at once where nothing is timed."""


async def probe_rtsp(target: Target, tools: Tools) -> ProbeResult:
    """Probe one RTSP camera. Never raises for what a camera does."""
    return await _Attempt(target, tools).run()


class _Attempt:
    """The state of one probe."""

    def __init__(self, target: Target, tools: Tools) -> None:
        loop = asyncio.get_running_loop()
        self._target, self._tools = target, tools
        self._kind = target.kind
        self._weight: Weight | None = None
        self._clock = loop.time
        self._began = loop.time()
        self._ends_at = self._began + target.deadline_s
        self._handshake: list[HandshakeStep] = []
        self._steps: list[Step] = []
        self._track: Track | None = None
        self._watch: VideoWatch | None = None
        self._lost: asyncio.Future[Failure] = loop.create_future()
        self._audio_codec: str | None = None
        self._transport: str | None = None
        self._picture: Picture | Undecodable | None = None
        self._unit: AccessUnit | None = None
        self._junk_bytes = 0
        self._end: Failure | None = None
        self._logged_in, self._login_sent = False, takes_credentials(target.url)
        self._date: tuple[str, float] | None = None
        self._sdp: SessionDescription | None = None
        self._link_mac: str | None = None
        self._server: str | None = None
        self._login_scheme: LoginScheme | None = None

    async def run(self) -> ProbeResult:
        failure: Failure | None = None
        player: Player | None = None
        try:
            player = await self._play()
            await self._watch_media(player.connection)
        except PeerError as error:
            failure = Failure(error.cause, error.message)
            self._logged_in = error.logged_in
            self._login_sent = self._login_sent or error.login_sent
        finally:
            duration_s = self._clock() - self._began
            if player is not None:
                self._end = self._how_it_ended()
                self._junk_bytes = player.connection.junk_bytes
                self._date = player.connection.requests.peer_date
                self._server = player.connection.requests.peer_server
                self._logged_in = player.connection.requests.logged_in
                if not takes_credentials(self._target.url):
                    self._login_scheme = parse_login_scheme(player.connection.requests.login_scheme or "none")
                await self._part(player)
        judgement = judge(self._evidence(failure, playing=player is not None))
        seen = self._describe_stream()
        return ProbeResult(
            judgement,
            duration_s,
            self._all_steps(),
            seen.media if seen is not None else None,
            kind=self._kind,
            login_accepted=self._login_accepted(judgement.cause),
            login_needed=self._logged_in,
            seen=seen,
            picture=self._picture.thumbnail if isinstance(self._picture, Picture) else None,
            judged=self._picture.judged if isinstance(self._picture, Picture) else None,
            no_picture=REFRESHED if self._is_refreshed else None,
            goes_on=self._watch is not None and self._watch.goes_on,
            weight=self._weight,
        )

    def _login_accepted(self, cause: Cause | None) -> bool | None:
        if self._target.credentials is None:
            return None
        if cause is Cause.AUTH_FAILED:
            return False if self._login_sent else None
        return True if self._logged_in or self._track is not None else None

    async def _play(self) -> Player:
        """Play the camera. Raises PeerError."""
        credentials = self._target.credentials
        url = RtspUrl.parse(fill_credentials(self._target.url, credentials))
        player = await open_player(
            Route(url, credentials, self._tools.allowed_networks, self._target.tls),
            deadline_s=self._target.deadline_s,
            options=PlayOptions(transport=self._target.transport),
            on_media=self._on_media,
            on_lost=self._on_lost,
            on_tracks=self._on_tracks,
            steps=self._handshake,
        )
        self._transport = player.transport
        self._sdp = player.sdp
        self._link_mac = await asyncio.to_thread(neighbour_mac, url.host)
        self._audio_codec = next((codec_name(media) for media in player.sdp.media if media.kind == "audio"), None)
        return player

    def _on_tracks(self, tracks: tuple[Track, ...]) -> None:
        track = self._track = tracks[0]
        if self._target.logged_in is not None:
            self._target.logged_in()
        codec = video_codec(track.codec)
        if codec is None:
            raise PeerError(Cause.CODEC_UNSUPPORTED, f"the video is {track.codec or 'not named'}, not H.264 or H.265")
        history = self._target.history
        previous = history.previous if history is not None else None
        self._watch = VideoWatch(
            codec=codec,
            clock_rate=track.clock_rate,
            channel=track.rtp_channel,
            rtcp_channel=track.rtcp_channel,
            clock=self._clock,
            wall_clock=self._tools.clock.unix_s,
            known=previous.keyframe_hash if previous is not None else None,
        )

    def _on_media(self, batch: MediaBatch) -> None:
        if self._watch is not None:
            self._watch.feed(batch)

    def _on_lost(self, error: PeerError | None) -> None:
        if error is not None and not self._lost.done():
            self._lost.set_result(Failure(error.cause, error.message))

    async def _watch_media(self, connection: RtspConnection) -> None:
        """Wait for a keyframe, decode it, and meanwhile measure what else comes."""
        watch = self._watch
        assert watch is not None, "on_tracks is called before PLAY"
        began = self._clock()
        known_good, light = self._target.known_good, self._kind is ProbeKind.LIGHT
        if light and known_good is None:
            await _first_of(watch.keyframe_begun, self._lost, within_s=self._left_s())
        else:
            await self._keyframe(watch)
        self._step("keyframe", began)
        if (light and known_good is None) or not watch.keyframe.done():
            return
        unit = self._unit = watch.keyframe.result()
        nals = self._picture_nals(watch.codec, unit)
        if not unit.recovers_in:
            self._weight = weight_of(sum(map(len, unit.nals)), keyframe_quantizer(watch.codec, nals))
        if light and known_good is not None and (self._weight is None or known_good.cover(self._weight)):
            return
        # Nobody knows what another picture shows.
        self._kind = ProbeKind.DEEP
        if unit.recovers_in:
            await self._measure(watch, connection)
            return
        decoding = self._tools.decoder.decode(
            watch.codec, nals, taken_at=self._tools.clock.now(), history=self._target.history
        )
        try:
            await self._measure(watch, connection)
            if watch.came_again and watch.second_keyframe.done():
                # A recording that is begun anew for each client shows another picture next, a frozen camera the same.
                await _first_of(watch.second_whole, self._lost, within_s=min(SECOND_WITHIN_S, self._left_s()))
            await asyncio.wait({decoding}, timeout=self._left_s() + DECODE_GRACE_S)
            if decoding.done():
                self._picture = decoding.result()
                self._steps.append(Step(name="decode", duration_ms=round(self._picture.decode_s * 1000, 2)))
        finally:
            decoding.cancel()

    async def _keyframe(self, watch: VideoWatch) -> None:
        """Wait for a whole keyframe. One whose end nothing proves, of a camera that sends seldom, is taken as whole."""
        await _first_of(watch.keyframe, watch.keyframe_marked, self._lost, within_s=self._left_s())
        for within_s in (min(PROVEN_WITHIN_S, self._left_s()), self._left_s()):
            if not watch.keyframe.done():
                await _first_of(watch.keyframe, self._lost, within_s=within_s)
                watch.end_picture()

    async def _measure(self, watch: VideoWatch, connection: RtspConnection) -> None:
        """Until the second keyframe, the end of the window or of the deadline; the stream may end before."""
        began = self._clock()
        assert watch.first_packet_at is not None, "a keyframe has packets"
        ends_at = min(watch.first_packet_at + self._tools.measure_window_s, self._ends_at)
        if ends_at <= began:
            return
        await _first_of(watch.timed, watch.second_keyframe, self._lost, within_s=ends_at - began)
        if watch.timed.done():
            # What is left to measure goes by the stream's own clock: fewer and larger pieces cost less.
            piece_bytes = min(PIECE_PICTURES * watch.usual_picture_bytes(), MOST_PIECE_BYTES)
            set_receive_low_water(connection.transport, piece_bytes)
            try:
                await _first_of(watch.second_keyframe, self._lost, within_s=max(0.0, ends_at - self._clock()))
            finally:
                set_receive_low_water(connection.transport, 1)
        self._step("measure", began)

    async def _part(self, player: Player) -> None:
        began = self._clock()
        await player.close()
        self._step("teardown", began)

    def _picture_nals(self, codec: VideoCodec, unit: AccessUnit) -> list[bytes]:
        """Join the keyframe with parameter sets: the stream's own, and the description's where some are missing."""
        assert self._track is not None
        present = {nal_type(codec, nal) for nal in unit.nals}
        described = self._track.media.parameter_sets
        missing = [nal for nal in described if nal_type(codec, nal) not in present]
        return [*missing, *unit.nals]

    def _evidence(self, failure: Failure | None, *, playing: bool) -> Evidence:
        watch, light = self._watch, self._kind is ProbeKind.LIGHT
        failure = failure or self._end
        if watch is None:
            return Evidence(failure=failure, playing=playing)
        if failure is None and watch.packets == 0 and (watch.malformed or self._junk_bytes):
            failure = Failure(Cause.PROTOCOL_ERROR, "PLAY was accepted, and what came then is not RTP")
        return Evidence(
            failure=failure,
            light=light,
            playing=playing,
            packets=watch.packets,
            foreign_payload=self._foreign_payload(watch),
            fits_codec=watch.fits_codec,
            units_dropped=watch.units_dropped,
            keyframe=watch.keyframe_begun.done() if light else self._unit is not None,
            decoded=None if self._picture is None else isinstance(self._picture, Picture),
            undecodable=_failure_of(self._picture),
            refreshed=self._is_refreshed,
            pictures=watch.pictures,
            keyframe_s=None if watch.keyframe_at is None else watch.keyframe_at - self._began,
            first_packet_s=0.0 if watch.first_packet_at is None else watch.first_packet_at - self._began,
            allowed_s=self._ends_at - self._began,
        )

    @property
    def _is_refreshed(self) -> bool:
        return self._unit is not None and self._unit.recovers_in > 0

    def _how_it_ended(self) -> Failure | None:
        """How the session ended before we said good-bye, None when it did not: many close it on that."""
        if self._lost.done():
            return self._lost.result()
        if self._watch is not None and self._watch.said_goodbye:
            return Failure(Cause.ENDED, "the camera ended the stream (RTCP BYE)")
        return None

    def _foreign_payload(self, watch: VideoWatch) -> int | None:
        assert self._track is not None
        described = self._track.media.payload_types
        return None if watch.payload_type in described else watch.payload_type

    def _describe_stream(self) -> StreamSeen | None:
        watch, track = self._watch, self._track
        if track is None:
            return None
        codec = codec_name(track.media)
        if watch is None:
            return StreamSeen(Media(codec=codec))
        profile, width, height, declared_fps = self._shape(watch.codec, track)
        if self._date is not None:
            date, came_at = self._date
            watch.camera_clock.read_date(date, came_at + self._tools.clock.correction_s)
        media = Media(
            codec=codec,
            profile=profile,
            width=width,
            height=height,
            fps=watch.fps(),
            bitrate_kbps=watch.bitrate_kbps(),
            gop_s=watch.gop_s(),
            packets_received=watch.packets,
            packets_lost=watch.packets_lost,
            audio_codec=self._audio_codec,
            jitter_ms=watch.jitter_ms(),
            clock_drift_s=watch.camera_clock.drift_s(),
            transport=self._transport,
        )
        end = self._end
        return StreamSeen(
            media,
            pictures=watch.pictures,
            span_s=watch.span_s(),
            declared_fps=declared_fps,
            ended=end.detail if end is not None and end.cause is Cause.ENDED else None,
            foreign_payload=self._foreign_payload(watch),
            stream=stream_sign(watch.codec, self._unit.nals) if self._unit is not None else None,
            described=stream_sign(watch.codec, track.media.parameter_sets),
            maker=describe_maker(self._sdp) if self._sdp is not None else None,
            habits=self._habits(watch.codec),
            link_mac=self._link_mac,
            login_scheme=self._login_scheme,
            rates_unknown=CLOCK_JUMPED if watch.clock_jumped() else TOO_SHORT,
        )

    def _habits(self, codec: VideoCodec) -> Mapping[str, str]:
        sets = sps_bytes(codec, self._unit.nals) if self._unit is not None else None
        return digest_habits(self._sdp, self._server, sets)

    def _shape(self, codec: VideoCodec, track: Track) -> tuple[str | None, int | None, int | None, float | None]:
        """Profile, width and height (of the decoded picture, else as the parameter sets say), and their frame rate."""
        nals = [*(self._unit.nals if self._unit else ()), *track.media.parameter_sets]
        sps = first_sps(codec, nals)
        fps = sps.fps if sps is not None else None
        if isinstance(self._picture, Picture):
            return self._picture.profile, self._picture.width, self._picture.height, fps
        return (sps.profile, sps.width, sps.height, fps) if sps is not None else (None, None, None, None)

    def _left_s(self) -> float:
        return max(0.0, self._ends_at - self._clock())

    def _step(self, name: str, began: float) -> None:
        self._steps.append(Step(name=name, duration_ms=round((self._clock() - began) * 1000, 2)))

    def _all_steps(self) -> tuple[Step, ...]:
        return (*(Step(name=step.name, duration_ms=round(step.ms, 2)) for step in self._handshake), *self._steps)


def _failure_of(picture: Picture | Undecodable | None) -> Failure | None:
    return Failure(picture.cause, picture.reason) if isinstance(picture, Undecodable) else None


def codec_name(media: MediaDescription) -> str | None:
    """As people call it: h264, h265, aac, pcma …; None when the description does not say."""
    name = media.codec.lower()
    return {"mpeg4-generic": "aac", "mp4a-latm": "aac"}.get(name, name) or None


async def _first_of(*events: asyncio.Future[Any], within_s: float) -> None:
    """Wait until one of them is done or the time is over, whichever comes first."""
    await asyncio.wait(events, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
