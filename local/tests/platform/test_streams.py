"""The streams of a platform whose disk has little room."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from local.platform.streams import Login, declare_streams, keep_streams, observations_bound
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.bus.declared.keeping import StreamKeeper
from vonggac.embedded import NatsServer, free_port
from vonggac.testing.fixtures import NatsAt
from vonggac.testing.waiting import eventually

GIB = 1 << 30


@pytest.mark.parametrize(
    ("store", "held", "stated", "bound"),
    [
        (100 * GIB, 0, 0, 8 * GIB),
        (16 * GIB, 0, 0, 8 * GIB),
        (16 * GIB - 1, 0, 0, 4 * GIB),
        (3 * GIB, 0, 0, GIB),
        (3 * GIB, 3 * GIB, 0, 4 * GIB),
        (100 << 20, 0, 0, 64 << 20),
        (100 * GIB, 12 * GIB, 24 * GIB, 24 * GIB),
        (20 * GIB, 12 * GIB, 24 * GIB, 12 * GIB),
        (100 * GIB, 0, GIB, 8 * GIB),
    ],
)
def test_observations_take_half_of_a_small_store_and_never_less_than_they_hold_or_what_was_stated(
    store: int, held: int, stated: int, bound: int
) -> None:
    assert observations_bound(store, held, stated) == bound


class CrampedServer(NatsServer):
    """On a disk with 4 GiB free."""

    def free_bytes(self) -> int:
        return 4 * GIB


@pytest_asyncio.fixture
async def cramped(tmp_path: Path) -> AsyncIterator[CrampedServer]:
    server = CrampedServer(tmp_path / "nats", free_port())
    await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.stop)


@pytest.mark.server
async def test_a_platform_stands_on_a_disk_with_little_room_and_says_what_it_keeps(cramped: CrampedServer) -> None:
    said: list[int] = []
    for _ in range(2):
        await declare_streams(
            cramped.url, None, within_s=20, store_bytes=cramped.stated_bytes, report_bound=said.append
        )
    assert said == [GIB, GIB]
    bus = await Bus.connect(NatsAt(cramped.url), name="test")
    assert await topology.missing(bus.js) == []
    assert (await bus.js.stream_info(topology.OBSERVATIONS)).config.max_bytes == GIB
    await bus.close()


@pytest.mark.server
async def test_one_late_answer_of_a_busy_server_is_not_the_end(cramped: CrampedServer) -> None:
    """It comes after the 5 s that one request has, and before the time that the whole has."""
    process = cramped.process
    assert process is not None
    stopped: list[int] = []

    def stop_once(bound: int) -> None:
        if not stopped:
            process.send_signal(signal.SIGSTOP)
            asyncio.get_running_loop().call_later(6, process.send_signal, signal.SIGCONT)
        stopped.append(bound)

    await declare_streams(cramped.url, None, within_s=60, store_bytes=cramped.stated_bytes, report_bound=stop_once)
    assert len(stopped) > 1
    bus = await Bus.connect(NatsAt(cramped.url), name="test")
    assert await topology.missing(bus.js) == []
    await bus.close()


async def test_streams_gone_are_declared_again_while_make_run_goes_on(bus: Bus, nats_server: NatsServer) -> None:
    login = Login("setup", nats_server.password_file("setup"))
    reported: list[list[str]] = []
    keeper = StreamKeeper()

    async def declare() -> None:
        await declare_streams(nats_server.url, login, within_s=20, keeper=keeper)

    keeping = asyncio.create_task(keep_streams(nats_server.url, login, keeper, declare, report=reported.append))
    try:
        await bus.js.delete_stream(topology.NOTICES)
        await eventually(lambda: stands(bus), within_s=20, what="the stream")
    finally:
        keeping.cancel()
    assert reported == [[topology.NOTICES]]


async def stands(bus: Bus) -> bool:
    return await topology.missing(bus.js) == []
