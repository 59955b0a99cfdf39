"""One attempt to play a camera by RTSP or RTSPS, its media going straight into the fan-out. Never retries.

Media that comes over UDP is handed on in the shape of interleaved frames, so that nothing behind knows the difference.
"""

from collections.abc import Mapping

from forwarder.relay.media.fanout import FanOut
from forwarder.relay.media.sender_reports import SenderReports
from forwarder.relay.sources.base import OnBegan, PlayLimits, fanout_of
from vonggac.events.inventory import CameraV1
from vonggac.net.dial import set_receive_low_water
from vonggac.net.errors import PeerError
from vonggac.net.tls import policy_of
from vonggac.net.url import Credentials, RtspUrl, fill_credentials, takes_credentials
from vonggac.rtsp import Player, PlayOptions, ReceptionStats, Route, open_player
from vonggac.rtsp.client.connection import OnLost
from vonggac.rtsp.wire.framing import MediaBatch
from vonggac.rtsp.wire.habits import digest_habits
from vonggac.rtsp.wire.sdp import SessionDescription
from vonggac.rtsp.wire.tracks import Track

CLOCK_REPORTED_WITHIN_S = 300.0
"""Older reports of the camera's clock are not used."""


class RtspSource:
    """A camera that plays by RTSP."""

    def __init__(self, player: Player, fanout: FanOut, *, login_in_address: bool = False) -> None:
        self._player, self._login_in_address = player, login_in_address
        self.fanout = fanout
        video = next(track for track in player.tracks if track.kind == "video")
        self._reports = fanout.reports = SenderReports(video.rtcp_channel)
        self._low_water_bytes = 0

    @property
    def sdp(self) -> SessionDescription:
        return self._player.sdp

    @property
    def tracks(self) -> tuple[Track, ...]:
        return self._player.tracks

    @property
    def bytes_received(self) -> int:
        return self._player.connection.bytes_received

    @property
    def reception(self) -> ReceptionStats | None:
        """What was lost on the way over UDP; None over TCP."""
        return self._player.reception

    @property
    def transport(self) -> str:
        """tcp or udp, as agreed in SETUP."""
        return self._player.transport

    @property
    def login_needed(self) -> bool:
        """An open camera takes any login."""
        return self._player.connection.requests.logged_in

    @property
    def habits(self) -> Mapping[str, str]:
        """As of `CameraSource`."""
        return digest_habits(self.sdp, self._player.connection.requests.peer_server)

    @property
    def login_scheme(self) -> str | None:
        """digest, basic or none; None of a camera whose address holds its login."""
        return None if self._login_in_address else self._player.connection.requests.login_scheme or "none"

    @property
    def goodbyes(self) -> int:
        return self._reports.goodbyes

    def clock_drift_s(self) -> float | None:
        """By its sender reports, or the Date of its answers, in the last minutes."""
        clock = self._reports.clock
        if (date := self._player.connection.requests.peer_date) is not None:
            clock.read_date(*date)
        return clock.drift_s(lately_s=CLOCK_REPORTED_WITHIN_S)

    def wait_for_bytes(self, low_water_bytes: int) -> None:
        """Be woken only when so many bytes came in (SO_RCVLOWAT); 0 or 1 for every byte."""
        connection = self._player.connection
        if self._player.transport == "udp":
            # Over the connection only answers come, and they are shorter than any mark.
            return
        if not connection.closed and low_water_bytes != self._low_water_bytes:
            self._low_water_bytes = low_water_bytes
            set_receive_low_water(connection.transport, low_water_bytes)

    def check_rates(self) -> None:
        """End a session of more frames than any camera has need of."""
        connection = self._player.connection
        try:
            connection.rates.count_passed_on(self.fanout.fast_path)
        except PeerError as error:
            connection.fail(error)

    async def close(self) -> None:
        """TEARDOWN, bounded to about a second."""
        # Its answer is shorter than any mark.
        self.wait_for_bytes(0)
        await self._player.close()

    def abort(self) -> None:
        self._player.abort()


async def play_rtsp(
    camera: CameraV1,
    credentials: Credentials | None,
    limits: PlayLimits,
    *,
    on_began: OnBegan,
    on_lost: OnLost,
) -> RtspSource:
    """Play a camera that speaks RTSP: a way of the type `Play`.

    `on_began` is called once, from the event loop, when the first packets of a picture have come: never before this
    returned.
    Raises PeerError.
    """
    made: list[FanOut] = []

    def tracks_agreed(tracks: tuple[Track, ...]) -> None:
        made.append(fanout_of(tracks))

    def pass_on(batch: MediaBatch) -> None:
        made[-1].on_media(batch)

    url = RtspUrl.parse(fill_credentials(camera.url, credentials))
    player = await open_player(
        Route(url, credentials, limits.allowed, policy_of(camera.tls)),
        deadline_s=limits.deadline_s,
        options=PlayOptions(("video", "audio") if camera.forward_audio else ("video",), camera.transport.value),
        on_media=pass_on,
        on_tracks=tracks_agreed,
        on_lost=on_lost,
    )
    fanout = made[-1]
    player.connection.on_media = fanout.on_media
    player.connection.open_fast_path(fanout.fast_path)
    fanout.when_pictures_come(on_began)
    return RtspSource(player, fanout, login_in_address=takes_credentials(camera.url))
