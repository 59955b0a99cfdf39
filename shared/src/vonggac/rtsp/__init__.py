"""RTSP for those who play, publish or serve it: prober, forwarder and simulator.

`client` has the two handshakes (`open_player`, `open_publisher`), `connection` one connection of a client;
`messages`, `transport`, `framing`, `digest` and `sdp` are the protocol for both sides; `rtp`, `rtcp`, `h26x`,
`depacketizer` and `sps` look into the media where somebody must.

Every failure is an `RtspError` with a `Cause`. Nothing here retries.
"""

from vonggac.rtsp.addresses import PRIVATE_NETWORKS, AllowedNetworks, resolve
from vonggac.rtsp.client import PLAYER_TRANSPORTS, OnTracks, Publisher, open_player, open_publisher
from vonggac.rtsp.connection import OnLost, OnMedia, RtspConnection
from vonggac.rtsp.depacketizer import AccessUnit, Depacketizer
from vonggac.rtsp.digest import (
    Authenticator,
    Authorization,
    Challenge,
    new_challenge,
    parse_authorization,
    parse_challenges,
    verify_authorization,
)
from vonggac.rtsp.errors import MalformedError, RedirectError, RtspError, StatusError, cause_of_status
from vonggac.rtsp.framing import Deframer, MediaBatch
from vonggac.rtsp.h26x import (
    VideoCodec,
    begins_picture,
    is_keyframe_slice,
    is_parameter_set,
    is_slice,
    keyframe_hash,
    nal_type,
    starts_keyframe,
    video_codec,
)
from vonggac.rtsp.messages import Headers, Request, Response, parse_session
from vonggac.rtsp.player import Player
from vonggac.rtsp.reports import DEFAULT_REPORT_INTERVAL_S
from vonggac.rtsp.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    build_goodbye,
    build_receiver_report,
    build_sender_report,
    is_rtcp,
    ntp_from_unix,
    ntp_to_unix,
    parse_rtcp,
)
from vonggac.rtsp.rtp import JitterEstimator, RtpHeader, SequenceTracker, build_rtp, interleave, parse_rtp
from vonggac.rtsp.sdp import (
    MediaDescription,
    SessionDescription,
    announce_sdp,
    base_url,
    media_base,
    parse_sdp,
    resolve_control,
)
from vonggac.rtsp.session import RtspSession, SessionStats, Step
from vonggac.rtsp.sps import SpsInfo, parse_sps
from vonggac.rtsp.tls import SYSTEM_AUTHORITIES, TlsPolicy
from vonggac.rtsp.tracks import Track, plan_tracks
from vonggac.rtsp.transport import Transport, parse_transports
from vonggac.rtsp.udp import ReceptionStats, UdpOptions
from vonggac.rtsp.url import DEFAULT_PORT, DEFAULT_TLS_PORT, Credentials, RtspUrl, on_host_of, strip_userinfo

__all__ = [
    "DEFAULT_PORT",
    "DEFAULT_REPORT_INTERVAL_S",
    "DEFAULT_TLS_PORT",
    "PLAYER_TRANSPORTS",
    "PRIVATE_NETWORKS",
    "SYSTEM_AUTHORITIES",
    "AccessUnit",
    "AllowedNetworks",
    "Authenticator",
    "Authorization",
    "Challenge",
    "Credentials",
    "Deframer",
    "Depacketizer",
    "Goodbye",
    "Headers",
    "JitterEstimator",
    "MalformedError",
    "MediaBatch",
    "MediaDescription",
    "OnLost",
    "OnMedia",
    "OnTracks",
    "Player",
    "Publisher",
    "ReceiverReport",
    "ReceptionStats",
    "RedirectError",
    "ReportBlock",
    "Request",
    "Response",
    "RtpHeader",
    "RtspConnection",
    "RtspError",
    "RtspSession",
    "RtspUrl",
    "SenderReport",
    "SequenceTracker",
    "SessionDescription",
    "SessionStats",
    "SpsInfo",
    "StatusError",
    "Step",
    "TlsPolicy",
    "Track",
    "Transport",
    "UdpOptions",
    "VideoCodec",
    "announce_sdp",
    "base_url",
    "begins_picture",
    "build_goodbye",
    "build_receiver_report",
    "build_rtp",
    "build_sender_report",
    "cause_of_status",
    "interleave",
    "is_keyframe_slice",
    "is_parameter_set",
    "is_rtcp",
    "is_slice",
    "keyframe_hash",
    "media_base",
    "nal_type",
    "new_challenge",
    "ntp_from_unix",
    "ntp_to_unix",
    "on_host_of",
    "open_player",
    "open_publisher",
    "parse_authorization",
    "parse_challenges",
    "parse_rtcp",
    "parse_rtp",
    "parse_sdp",
    "parse_session",
    "parse_sps",
    "parse_transports",
    "plan_tracks",
    "resolve",
    "resolve_control",
    "starts_keyframe",
    "strip_userinfo",
    "verify_authorization",
    "video_codec",
]
