"""Checking endpoints where nobody answers."""

import asyncio
import socket
from collections.abc import Callable

import pytest

from forwarder.relay.supervision.reachability import Endpoint, ReachabilityChecks
from vonggac.events.inventory import TlsTrust
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.dial import connect_plain, hand_on
from vonggac.net.url import RtspUrl
from vonggac.rtsp import Route, open_publisher, parse_sdp
from vonggac.rtsp.wire.tracks import plan_tracks
from vonggac.testing import eventually
from vonggac.testing.rtsp import CAMERA_SDP

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
        self.left = 0
        self.requests: asyncio.Queue[bytes] = asyncio.Queue()

    async def accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.well:
            self.asked = await reader.readuntil(b"\r\n\r\n")
            writer.write(ANSWER)
        try:
            while True:
                self.requests.put_nowait(await reader.readuntil(b"\r\n\r\n"))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.left += 1
        writer.close()

    async def next_request(self) -> bytes:
        async with asyncio.timeout(5):
            return await self.requests.get()


async def announce(port: int) -> None:
    sdp, url = parse_sdp(CAMERA_SDP), RtspUrl.parse(f"rtsp://127.0.0.1:{port}/live")
    await open_publisher(Route(url), sdp, plan_tracks(sdp, ("video",), url.wire), deadline_s=5)


def count_into(called: list[int], index: int) -> Callable[[], None]:
    def count() -> None:
        called[index] += 1

    return count


@pytest.mark.parametrize("url", ["udp://10.20.1.5:5000", "UDP://239.1.1.1:5000"])
def test_who_sends_datagrams_cannot_be_asked(url: str) -> None:
    """At that port nobody listens, or somebody else does."""
    assert Endpoint.of(url, None) is None


async def test_all_who_wait_are_called_by_one_answer(closed_port: int) -> None:
    checks, called, peer = ReachabilityChecks(interval_s=0.05), [0, 0], Peer(well=True)
    endpoint = Endpoint("rtsp", "127.0.0.1", closed_port)
    for index in range(2):
        checks.wait(endpoint, LOOPBACK, count_into(called, index), silent=True)
    async with await asyncio.start_server(peer.accepted, "127.0.0.1", closed_port):
        await eventually(lambda: called == [1, 1])
    assert peer.connections == 1
    assert peer.asked.startswith(b"OPTIONS rtsp://127.0.0.1")
    assert b"Authorization" not in peer.asked


@pytest.mark.slow
async def test_a_peer_that_takes_connections_and_says_nothing_is_not_there(closed_port: int) -> None:
    checks, called, peer = ReachabilityChecks(interval_s=0.01), [0], Peer(well=False)
    async with await asyncio.start_server(peer.accepted, "127.0.0.1", closed_port):
        checks.wait(Endpoint("rtsp", "127.0.0.1", closed_port), LOOPBACK, count_into(called, 0))
        await eventually(lambda: peer.connections == 2)
        assert called == [0]
        peer.well = True
        await eventually(lambda: called == [1])


async def test_an_address_that_answers_from_the_beginning_is_no_news(closed_port: int) -> None:
    checks, called, peer = ReachabilityChecks(interval_s=0.01), [0], Peer(well=True)
    async with await asyncio.start_server(peer.accepted, "127.0.0.1", closed_port):
        checks.wait(Endpoint("rtsp", "127.0.0.1", closed_port), LOOPBACK, count_into(called, 0))
        await eventually(lambda: peer.connections == 1 and not _checking())
    assert called == [0]


@pytest.mark.parametrize("silent", [True, False])
async def test_a_foreign_listener_for_one_client_keeps_its_place_for_the_attempt(
    closed_port: int, *, silent: bool
) -> None:
    """As `ffmpeg -rtsp_flags listen`: it takes one connection, counts its requests, and leaves when that ends."""
    checks, called, peer = ReachabilityChecks(interval_s=0.05), [0], Peer(well=True)
    endpoint = Endpoint("rtsp", "127.0.0.1", closed_port)
    checks.wait(endpoint, LOOPBACK, count_into(called, 0), silent=silent)
    async with await asyncio.start_server(peer.accepted, "127.0.0.1", closed_port) as server:
        await eventually(lambda: peer.connections == 1 and not _checking())
        server.close()
        assert called == [silent]
        opened = checks.take_connection(endpoint)
        assert opened is not None
        assert checks.take_connection(endpoint) is None
        with hand_on(opened):
            publishing = asyncio.create_task(announce(closed_port))
            announced = await peer.next_request()
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)
    assert announced.startswith(b"ANNOUNCE ")
    assert b"CSeq: 2\r\n" in announced
    assert peer.connections == 1


async def test_a_foreign_listener_of_another_protocol_keeps_its_place_too(closed_port: int) -> None:
    checks, called, peer = ReachabilityChecks(interval_s=0.05), [0], Peer(well=False)
    endpoint = Endpoint("rtmp", "127.0.0.1", closed_port)
    checks.wait(endpoint, LOOPBACK, count_into(called, 0), silent=True)
    async with await asyncio.start_server(peer.accepted, "127.0.0.1", closed_port):
        await eventually(lambda: called == [1] and peer.connections == 1)
        with hand_on(checks.take_connection(endpoint)):
            made = await connect_plain(asyncio.Protocol, "127.0.0.1", closed_port, timeout_s=1)
        assert isinstance(made, asyncio.Protocol)
        assert peer.connections == 1


async def test_a_foreign_listener_that_nobody_comes_for_is_left(closed_port: int) -> None:
    checks, called, peer = ReachabilityChecks(interval_s=0.05), [0], Peer(well=True)
    endpoint = Endpoint("rtsp", "127.0.0.1", closed_port)
    checks.wait(endpoint, LOOPBACK, count_into(called, 0), silent=True)
    async with await asyncio.start_server(peer.accepted, "127.0.0.1", closed_port):
        await eventually(lambda: called == [1])
        checks.drop_connection(endpoint)
        await eventually(lambda: peer.left == 1)
        with hand_on(checks.take_connection(endpoint)):
            assert (await connect_plain(asyncio.Protocol, "127.0.0.1", closed_port, timeout_s=1)) is not None
        await eventually(lambda: peer.connections == 2)


async def test_nobody_checks_when_nobody_waits(closed_port: int) -> None:
    checks = ReachabilityChecks(interval_s=0.01)
    endpoint = Endpoint("rtsp", "127.0.0.1", closed_port)
    end = checks.wait(endpoint, LOOPBACK, lambda: pytest.fail("called although it ended"), silent=True)
    assert _checking()
    end()
    end()
    await eventually(lambda: not _checking())


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("rtsp://10.0.0.1/a", Endpoint("rtsp", "10.0.0.1", 554)),
        ("RTSP://10.0.0.1:8554/a", Endpoint("rtsp", "10.0.0.1", 8554)),
        ("rtsps://[fd00::1]/a", Endpoint("rtsps", "fd00::1", 322)),
        ("rtmp://centre.example/live/{password}", Endpoint("rtmp", "centre.example", 1935)),
        ("udp://10.0.0.1", None),
        ("rtsp://10.0.0.1:eight/a", None),
    ],
)
def test_the_endpoint_of_an_address(url: str, endpoint: Endpoint | None) -> None:
    assert Endpoint.of(url, None) == endpoint


def test_trust_is_part_of_the_endpoint() -> None:
    trust = TlsTrust(fingerprint_sha256="0" * 64)
    assert Endpoint.of("rtsps://10.0.0.1/a", trust) != Endpoint.of("rtsps://10.0.0.1/a", None)


def _checking() -> bool:
    return any(task.get_name() == "check-reachability" for task in asyncio.all_tasks())
