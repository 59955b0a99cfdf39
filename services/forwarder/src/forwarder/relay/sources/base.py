"""What every way of playing gets and gives: whatever the protocol, a camera that plays is a `CameraSource`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from forwarder.relay.demux.pool import RemuxPool
from forwarder.relay.media.fanout import FanOut
from vonggac.events.inventory import CameraV1
from vonggac.logins.attempt import Logins
from vonggac.media.h26x import video_codec
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.url import Credentials
from vonggac.rtsp import ReceptionStats
from vonggac.rtsp.client.connection import OnLost
from vonggac.rtsp.wire.keyframe_scanner import KeyframeScanner
from vonggac.rtsp.wire.sdp import SessionDescription, with_payload_type
from vonggac.rtsp.wire.tracks import Track

type OnBegan = Callable[[], None]
type OnLogin = Callable[[bool], None]


class CameraSource(Protocol):
    """A camera that plays. `fanout` carries its media; `sdp` and `tracks` are announced to destinations."""

    fanout: FanOut

    @property
    def sdp(self) -> SessionDescription: ...

    @property
    def tracks(self) -> tuple[Track, ...]: ...

    @property
    def bytes_received(self) -> int: ...

    @property
    def reception(self) -> ReceptionStats | None:
        """What was lost on the way over UDP; None over TCP."""

    @property
    def transport(self) -> str | None:
        """How the media of an RTSP camera comes, tcp or udp; None of another scheme."""

    @property
    def login_needed(self) -> bool:
        """Whether the camera asked for its login and took it."""

    @property
    def habits(self) -> Mapping[str, str]:
        """Digests of what the device writes, and few others do (`digest_habits`); none of what we describe."""

    @property
    def login_scheme(self) -> str | None:
        """How an RTSP camera asked for a login before it played: digest, basic or none; None: not known."""

    @property
    def goodbyes(self) -> int:
        """How often the camera has said that it ends the stream (RTCP BYE); it may go on all the same."""

    def clock_drift_s(self) -> float | None:
        """Compute the camera's clock minus ours in seconds, by its latest reports; None without any."""

    def wait_for_bytes(self, low_water_bytes: int) -> None:
        """Be woken only when so many bytes came in, where that can be; 0 or 1 for every byte."""

    def check_rates(self) -> None:
        """End a session that floods, with `on_lost`; call about once a second."""

    async def close(self) -> None:
        """End in order; bounded to a few seconds."""

    def abort(self) -> None:
        """End at once."""


@dataclass(frozen=True, slots=True)
class PlayLimits:
    """Bounds of one attempt. `silence_s`: without media for so long, an input has ended.

    `logins` is None until NATS is there, which remembers failed logins. `on_login` is called as soon as the camera let
    us in, for ways of playing that return long after that: whether it asked for the login.
    """

    deadline_s: float
    silence_s: float
    allowed: AllowedNetworks
    remux: RemuxPool
    logins: Logins | None = None
    on_login: OnLogin = lambda _needed: None


class Play(Protocol):
    """One attempt to play. `on_began` is called once, when the first packets of a picture have come.

    `on_lost` only for a source that was returned. Raises PeerError.
    """

    def __call__(
        self,
        camera: CameraV1,
        credentials: Credentials | None,
        limits: PlayLimits,
        *,
        on_began: OnBegan,
        on_lost: OnLost,
    ) -> Awaitable[CameraSource]: ...


def fanout_of(tracks: tuple[Track, ...]) -> FanOut:
    """Build what carries the media of these tracks, one of which is video."""
    video = next(track for track in tracks if track.kind == "video")
    channels = frozenset(number for track in tracks for number in (track.rtp_channel, track.rtcp_channel))
    scanner = KeyframeScanner(video_codec(video.codec), video.rtp_channel)
    fanout = FanOut(channels=channels, video_channel=video.rtp_channel, scanner=scanner)
    # Media may come before the answer to PLAY, and no destination can have a session yet.
    fanout.keep_gop_cache()
    return fanout


def foreign_payload(source: CameraSource | None) -> int | None:
    """Find the RTP payload type of the camera's video when its description names others only."""
    if source is None:
        return None
    video = next(track for track in source.tracks if track.kind == "video")
    came = source.fanout.video_payload_type
    return came if came is not None and came not in video.media.payload_types else None


def announced_sdp(source: CameraSource) -> SessionDescription:
    """Describe the camera's media with the payload type that its video really has: a centre goes by that."""
    came = foreign_payload(source)
    if came is None:
        return source.sdp
    video = next(track for track in source.tracks if track.kind == "video")
    return with_payload_type(source.sdp, video.index, came)
