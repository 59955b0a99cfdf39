"""Knocking at addresses that nobody could connect to."""

import asyncio
import socket

import pytest

from forwarder.relay.knocks import Knocks
from vonggac.rtsp.addresses import AllowedNetworks
from vonggac.testing import eventually

LOOPBACK = AllowedNetworks.parse(["127.0.0.0/8"])


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_all_who_wait_are_told_by_one_connection(closed_port: int) -> None:
    knocks, told, connections = Knocks(interval_s=0.05), [0, 0], 0

    def tell(index: int) -> None:
        told[index] += 1

    async def accepted(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.close()
        await writer.wait_closed()

    for index in range(2):
        knocks.wait("127.0.0.1", closed_port, LOOPBACK, lambda index=index: tell(index))  # type: ignore[misc]
    async with await asyncio.start_server(accepted, "127.0.0.1", closed_port):
        await eventually(lambda: told == [1, 1] and connections == 1)


async def test_nobody_knocks_when_nobody_waits(closed_port: int) -> None:
    knocks = Knocks(interval_s=0.01)
    leave = knocks.wait("127.0.0.1", closed_port, LOOPBACK, lambda: pytest.fail("told although it left"))
    assert [task for task in asyncio.all_tasks() if task.get_name() == "knock"] != []
    leave()
    leave()
    await eventually(lambda: not [task for task in asyncio.all_tasks() if task.get_name() == "knock"])
