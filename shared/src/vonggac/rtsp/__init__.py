"""RTSP for players, publishers and servers: prober, forwarder and simulator.

`client` opens sessions (`open_player`, `open_publisher`); `wire` is the protocol as bytes, for both sides. Addresses,
TLS and logins are in `vonggac.net`, RTP and codecs in `vonggac.media`.

Every failure is a `PeerError` with a `Cause`. Nothing here retries.
"""

from vonggac.rtsp.client.connection import RtspConnection
from vonggac.rtsp.client.open import Publisher, open_player, open_publisher
from vonggac.rtsp.client.player import Player
from vonggac.rtsp.client.session import Step
from vonggac.rtsp.client.udp import ReceptionStats, UdpOptions
from vonggac.rtsp.wire.framing import Deframer, MediaBatch
from vonggac.rtsp.wire.messages import Headers, Request, Response
from vonggac.rtsp.wire.sdp import MediaDescription, SessionDescription, parse_sdp
from vonggac.rtsp.wire.tracks import Track
from vonggac.rtsp.wire.transport import Transport

__all__ = [
    "Deframer",
    "Headers",
    "MediaBatch",
    "MediaDescription",
    "Player",
    "Publisher",
    "ReceptionStats",
    "Request",
    "Response",
    "RtspConnection",
    "SessionDescription",
    "Step",
    "Track",
    "Transport",
    "UdpOptions",
    "open_player",
    "open_publisher",
    "parse_sdp",
]
