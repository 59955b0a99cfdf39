"""A camera that sends media by UDP, and the peer that speaks for it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from vonggac.testing.rtsp import ScriptedPeer
from vonggac.testing.udp import UdpCamera


@pytest.fixture
def camera() -> Iterator[UdpCamera]:
    made = UdpCamera()
    yield made
    made.close()


@pytest.fixture
async def peer(camera: UdpCamera) -> AsyncIterator[ScriptedPeer]:
    async with ScriptedPeer(camera) as peer:
        yield peer
