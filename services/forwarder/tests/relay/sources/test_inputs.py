"""Of whom datagrams are taken, and what is said of servers that give nothing."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from forwarder.relay.demux.pool import RemuxPool
from forwarder.relay.sources.container import open_remuxed
from forwarder.relay.sources.inputs import Address, feed_rtmp, feed_udp
from vonggac.events import Cause
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import PeerError
from vonggac.net.tls import TlsPolicy
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.relay.conftest import RtmpServer

LOOPBACK = AllowedNetworks.parse(["127.0.0.0/8"])


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as tried:
            tried.bind(("::1", 0))
    except OSError:
        return False
    return True


class Sink:
    """Sets `came` with the first piece."""

    def __init__(self) -> None:
        self.came = asyncio.Event()
        self.waiting_bytes = 0

    def write(self, data: bytes) -> None:
        del data
        self.came.set()

    async def room(self) -> None:
        return


async def test_datagrams_are_listened_for_on_the_one_address_that_leads_to_the_device() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sink = Sink()
    address = Address(f"udp://127.0.0.1:{port}", None, LOOPBACK, TlsPolicy(), deadline_s=2.0, silence_s=20.0)
    feeding = asyncio.create_task(feed_udp(address, sink))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        device.bind(("127.0.0.1", 0))

        def send() -> bool:
            device.sendto(b"x", ("127.0.0.1", port))
            return sink.came.is_set()

        await eventually(send)
    # Another address of this machine has that port free.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.2", port))
    feeding.cancel()
    await asyncio.wait([feeding])


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["[::1]", "[0:0:0:0:0:0:0:1]", "[::0001]"])
async def test_a_device_is_known_by_its_address_however_it_is_written(host: str) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as device:
        device.bind(("::1", 0))
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as free:
            free.bind(("::1", 0))
            port = free.getsockname()[1]
        allowed, sink = AllowedNetworks.parse(["::1/128"]), Sink()
        address = Address(f"udp://{host}:{port}", None, allowed, TlsPolicy(), deadline_s=2.0, silence_s=4.0)
        feeding = asyncio.create_task(feed_udp(address, sink))
        try:
            async with asyncio.timeout(3):
                while not sink.came.is_set():
                    device.sendto(b"\x47" * 188, ("::1", port))
                    await asyncio.sleep(0.02)
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)


async def test_a_foreign_rtmp_server_that_takes_play_and_hangs_up_is_not_sent_to_its_power_supply(
    rtmp_server: RtmpServer,
) -> None:
    """nginx does so where nobody may play."""
    rtmp_server.hang_up_after_play = True
    address = Address(rtmp_server.url("gate"), None, LOOPBACK, TlsPolicy(), deadline_s=4.0, silence_s=4.0)
    with pytest.raises(PeerError, match="before any media") as caught:
        await feed_rtmp(address, Sink())
    assert caught.value.cause is Cause.HUNG_UP


@pytest.mark.server
@pytest.mark.parametrize(
    ("body", "cause"),
    [(b"\xff\xd8\xff\xe0JFIF" + bytes(900), Cause.PROTOCOL_ERROR), ((b"\x47" + bytes(187)) * 9, Cause.ENDED)],
    ids=["a JPEG", "MPEG-TS"],
)
async def test_a_foreign_web_server_that_sends_something_else_has_its_word(body: bytes, cause: Cause) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    pool = RemuxPool()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/live.ts"
        address = Address(url, None, LOOPBACK, TlsPolicy(), deadline_s=9.0, silence_s=4.0)
        try:
            with pytest.raises(PeerError) as caught:
                await open_remuxed(address, pool, on_began=lambda: None, on_lost=lambda _: None)
        finally:
            await pool.close()
    assert caught.value.cause is cause
