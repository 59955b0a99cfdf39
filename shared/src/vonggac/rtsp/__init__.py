"""RTSP for players, publishers and servers: prober, forwarder and simulator.

`client` opens sessions (`open_player`, `open_publisher`), `server` answers them; `wire` is the protocol as bytes, for
both sides. Addresses, TLS and logins are in `vonggac.net`, RTP and codecs in `vonggac.media`.

Every failure is a `PeerError` with a `Cause`. Nothing here retries.

What stands here is imported when it is first asked for: the client costs half a second of CPU and 30 MiB, and the
processes that unpack foreign bytes need the messages of `wire` alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vonggac.rtsp.client.connection import RtspConnection
    from vonggac.rtsp.client.handshake import Route
    from vonggac.rtsp.client.open import PlayOptions, Publisher, open_player, open_publisher
    from vonggac.rtsp.client.player import Player
    from vonggac.rtsp.client.session import Step
    from vonggac.rtsp.client.udp import ReceptionStats, UdpOptions
    from vonggac.rtsp.wire.framing import Deframer, MediaBatch
    from vonggac.rtsp.wire.messages import Headers, Request, Response
    from vonggac.rtsp.wire.sdp import MediaDescription, SessionDescription, parse_sdp
    from vonggac.rtsp.wire.tracks import Track
    from vonggac.rtsp.wire.transport import Transport
else:
    _HOLDS = {
        "client.connection": ("RtspConnection",),
        "client.handshake": ("Route",),
        "client.open": ("PlayOptions", "Publisher", "open_player", "open_publisher"),
        "client.player": ("Player",),
        "client.session": ("Step",),
        "client.udp": ("ReceptionStats", "UdpOptions"),
        "wire.framing": ("Deframer", "MediaBatch"),
        "wire.messages": ("Headers", "Request", "Response"),
        "wire.sdp": ("MediaDescription", "SessionDescription", "parse_sdp"),
        "wire.tracks": ("Track",),
        "wire.transport": ("Transport",),
    }
    _MODULE_OF = {name: module for module, names in _HOLDS.items() for name in names}

    def __getattr__(name: str) -> object:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = found
        return found


__all__ = [
    "Deframer",
    "Headers",
    "MediaBatch",
    "MediaDescription",
    "PlayOptions",
    "Player",
    "Publisher",
    "ReceptionStats",
    "Request",
    "Response",
    "Route",
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
