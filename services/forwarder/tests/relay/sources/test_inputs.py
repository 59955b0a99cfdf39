"""What comes in datagrams, and of whom it is taken."""

import asyncio
import socket

import pytest

from forwarder.relay.sources.inputs import Address, feed_udp
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.tls import TlsPolicy


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
