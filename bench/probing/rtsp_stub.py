"""A device that costs next to nothing: answers RTSP on a socket and sends the beginning of one keyframe after PLAY.

So that a bench of the prober measures the prober. `serve(ports)` runs in a process of its own.
"""

import asyncio
from multiprocessing.queues import Queue
from typing import cast

import uvloop

from vonggac.media.rtp import build_rtp, interleave

_SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=stub\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    b"a=fmtp:96 packetization-mode=1\r\na=control:trackID=0\r\n"
)
_KEYFRAME = interleave(
    0, build_rtp(b"\x65\x88" + b"k" * 1000, payload_type=96, sequence=1, timestamp=0, ssrc=1, marker=True)
)
_EXTRA = {
    b"DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(_SDP)}\r\n".encode(),
    b"SETUP": b"Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n",
    b"PLAY": b"Session: 1\r\n",
}
_BODY = {b"DESCRIBE": _SDP, b"PLAY": _KEYFRAME}


class _Device(asyncio.Protocol):
    """One connection; requests come whole, since the prober waits for each answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        for request in data.split(b"\r\n\r\n")[:-1]:
            method = request.lstrip(b"\r\n").split(b" ", 1)[0]
            if method.startswith(b"$"):
                continue
            cseq = request.partition(b"CSeq: ")[2].split(b"\r\n", 1)[0]
            head = b"RTSP/1.0 200 OK\r\nCSeq: " + cseq + b"\r\n" + _EXTRA.get(method, b"") + b"\r\n"
            self._transport.write(head + _BODY.get(method, b""))


class _Silent(asyncio.Protocol):
    """Takes connections and never says a word."""


def serve(ports: "Queue[int]") -> None:
    """Listen on a free loopback port, put it into `ports`, serve until terminated."""
    _serve(_Device, ports)


def serve_silent(ports: "Queue[int]") -> None:
    """The same, and never answer."""
    _serve(_Silent, ports)


def _serve(device: type[asyncio.Protocol], ports: "Queue[int]") -> None:

    async def listen() -> None:
        server = await asyncio.get_running_loop().create_server(device, "127.0.0.1", 0, backlog=4096)
        ports.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(listen())
