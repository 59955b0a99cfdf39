"""A scripted camera that sends over UDP, and a player's output."""

import asyncio
import socket

from vonggac.media.rtp import build_rtp, interleave
from vonggac.rtsp.client.udp import bind_pair
from vonggac.rtsp.wire.framing import MediaBatch
from vonggac.rtsp.wire.messages import Request, Response
from vonggac.rtsp.wire.transport import Transport, parse_transports
from vonggac.testing.rtsp import Override, ScriptedCamera, reply
from vonggac.testing.waiting import eventually


class UdpCamera(ScriptedCamera):
    """Sends the test's packets from its own pair of ports; one track is enough."""

    def __init__(self, **overrides: Override) -> None:
        super().__init__(**overrides)
        self.rtp, self.rtcp = bind_pair("127.0.0.1", None)
        self.client: tuple[int, int] = (0, 0)

    def __call__(self, request: Request) -> Response | bytes | None:
        if request.method != "SETUP" or "SETUP" in self.overrides:
            return super().__call__(request)
        (wanted,) = parse_transports(request.headers.get("Transport") or "")
        if wanted.client_port is None:
            return super().__call__(request)
        self.client = wanted.client_port
        ports = (self.rtp.getsockname()[1], self.rtcp.getsockname()[1])
        answer = Transport("RTP/AVP", client_port=wanted.client_port, server_port=ports)
        return reply(headers=[("Transport", answer.encode()), ("Session", self.session)])

    def send(self, *sequences: int, ssrc: int = 7) -> None:
        for sequence in sequences:
            self.rtp.sendto(packet(sequence, ssrc), ("127.0.0.1", self.client[0]))

    def report(self, report: bytes) -> None:
        self.rtcp.sendto(report, ("127.0.0.1", self.client[1]))

    async def hears(self, opened: socket.socket) -> bytes:
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(opened, 2048), 5)

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


def packet(sequence: int, ssrc: int = 7) -> bytes:
    return build_rtp(b"media %d" % sequence, payload_type=96, sequence=sequence, timestamp=sequence * 3600, ssrc=ssrc)


class Taken:
    """A player's output: (channel, packet), in order."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, bytes]] = []

    def __call__(self, batch: MediaBatch) -> None:
        assert b"".join(interleave(ch, batch.data[a + 4 : b]) for ch, a, b in batch.frames) == batch.data
        self.frames += [(channel, batch.data[start + 4 : end]) for channel, start, end in batch.frames]

    async def count(self, count: int) -> None:
        await eventually(lambda: len(self.frames) >= count)

    @property
    def packets(self) -> list[bytes]:
        return [data for channel, data in self.frames if channel == 0]
