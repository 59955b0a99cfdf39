"""The clock of a real nats-server is stepped, there and back, amid its work."""

import os
import platform
import time
from pathlib import Path

import nats
import pytest

from vonggac.embedded import NatsServer
from vonggac.embedded.process import free_port
from vonggac.testing.bus_clock import BusClock, UnshiftableError

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the instructions are those of x86-64"),
]
BEFORE_1970_S = 3_000_000_000


@pytest.mark.parametrize("seconds", [150, -150, BEFORE_1970_S])
async def test_bus_clock_is_stepped_while_messages_come_and_back(tmp_path: Path, seconds: int) -> None:
    server = NatsServer(tmp_path, free_port())
    server.start()
    try:
        assert server.process is not None
        client = await nats.connect(server.url)
        stream = client.jetstream()
        await stream.add_stream(name="FACTS", subjects=["fact"])
        for ahead_s in (0, seconds, 0):
            BusClock(server.process.pid).shift(ahead_s)
            stored = await stream.get_msg("FACTS", (await stream.publish("fact", b"")).seq)
            assert stored.time is not None
            assert stored.time.timestamp() - time.time() == pytest.approx(ahead_s, abs=5)
        await client.close()
    finally:
        server.stop()


def test_bus_clock_of_a_program_that_is_no_static_one_is_refused() -> None:
    with pytest.raises(UnshiftableError, match=r"vDSO|alone|room"):
        BusClock(os.getpid())
