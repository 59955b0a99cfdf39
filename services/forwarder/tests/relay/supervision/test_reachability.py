"""Knocking at addresses where nobody answers."""

import asyncio
import socket
from collections.abc import Callable

import pytest

from forwarder.relay.supervision.reachability import Door, Knocks
from vonggac.events.inventory import TlsTrust
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.testing import eventually

LOOPBACK = AllowedNetworks.parse(["127.0.0.0/8"])
ANSWER = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Peer:
    """A listener that counts connections, and answers while it is well."""

    def __init__(self, *, well: bool) -> None:
        self.well, self.connections, self.asked = well, 0, b""

    async def accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.well:
            self.asked = await reader.readuntil(b"\r\n\r\n")
            writer.write(ANSWER)
        await reader.read()
        writer.close()


def tell_into(told: list[int], index: int) -> Callable[[], None]:
    def tell() -> None:
        told[index] += 1

    return tell


async def test_all_who_wait_are_told_by_one_answer(closed_port: int) -> None:
    knocks, told, peer = Knocks(interval_s=0.05), [0, 0], Peer(well=True)
    door = Door("rtsp", "127.0.0.1", closed_port)
    for index in range(2):
        knocks.wait(door, LOOPBACK, tell_into(told, index), closed=True)
    async with await asyncio.start_server(peer.accepted, "127.0.0.1", closed_port):
        await eventually(lambda: told == [1, 1])
    assert peer.connections == 1
    assert peer.asked.startswith(b"OPTIONS rtsp://127.0.0.1")
    assert b"Authorization" not in peer.asked


@pytest.mark.slow
async def test_a_peer_that_takes_connections_and_says_nothing_is_not_there(closed_port: int) -> None:
    knocks, told, peer = Knocks(interval_s=0.01), [0], Peer(well=False)
    async with await asyncio.start_server(peer.accepted, "127.0.0.1", closed_port):
        knocks.wait(Door("rtsp", "127.0.0.1", closed_port), LOOPBACK, tell_into(told, 0))
        await eventually(lambda: peer.connections == 2)
        assert told == [0]
        peer.well = True
        await eventually(lambda: told == [1])


async def test_an_address_that_answers_from_the_beginning_is_no_news(closed_port: int) -> None:
    knocks, told, peer = Knocks(interval_s=0.01), [0], Peer(well=True)
    async with await asyncio.start_server(peer.accepted, "127.0.0.1", closed_port):
        knocks.wait(Door("rtsp", "127.0.0.1", closed_port), LOOPBACK, tell_into(told, 0))
        await eventually(lambda: peer.connections == 1 and not _knocking())
    assert told == [0]


async def test_nobody_knocks_when_nobody_waits(closed_port: int) -> None:
    knocks = Knocks(interval_s=0.01)
    door = Door("rtsp", "127.0.0.1", closed_port)
    leave = knocks.wait(door, LOOPBACK, lambda: pytest.fail("told although it left"), closed=True)
    assert _knocking()
    leave()
    leave()
    await eventually(lambda: not _knocking())


@pytest.mark.parametrize(
    ("url", "door"),
    [
        ("rtsp://10.0.0.1/a", Door("rtsp", "10.0.0.1", 554)),
        ("RTSP://10.0.0.1:8554/a", Door("rtsp", "10.0.0.1", 8554)),
        ("rtsps://[fd00::1]/a", Door("rtsps", "fd00::1", 322)),
        ("rtmp://centre.example/live/{password}", Door("rtmp", "centre.example", 1935)),
        ("udp://10.0.0.1", None),
        ("rtsp://10.0.0.1:eight/a", None),
    ],
)
def test_the_door_of_an_address(url: str, door: Door | None) -> None:
    assert Door.of(url, None) == door


def test_trust_is_part_of_the_door() -> None:
    trust = TlsTrust(fingerprint_sha256="0" * 64)
    assert Door.of("rtsps://10.0.0.1/a", trust) != Door.of("rtsps://10.0.0.1/a", None)


def _knocking() -> bool:
    return any(task.get_name() == "knock" for task in asyncio.all_tasks())
