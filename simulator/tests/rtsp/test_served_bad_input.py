"""Bad input to a server that runs: a clear answer or the end of that connection, and never another's."""

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import ClassVar

import pytest
import pytest_asyncio

from simulator import CameraConfig, Simulator
from simulator.cameras.camera import Camera
from vonggac.media.rtcp import ReceiverReport, ReportBlock, build_receiver_report
from vonggac.rtsp.server.connection import MAX_UNREAD_BYTES
from vonggac.testing import eventually
from vonggac.testing.media import MediaRecorder

type Simulate = Callable[..., Awaitable[Simulator]]
type MakeCamera = Callable[..., CameraConfig]

ANSWER_S = 10.0
SECRET = "hunter22-of-the-camera"
TRACK = "/live/trackID=1"
CLIENT_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(189))


@contextmanager
def udp_pair() -> Iterator[tuple[socket.socket, int]]:
    """A UDP socket on an even port."""
    with ExitStack() as stack:
        while True:
            sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sock.setblocking(False)
            sock.bind(("127.0.0.1", 0))
            port = int(sock.getsockname()[1])
            if port % 2 == 0:
                break
        yield sock, port


@pytest_asyncio.fixture
async def camera(simulate: Simulate, make_camera: MakeCamera) -> AsyncIterator[Camera]:
    """A camera whose silent clients go after two seconds, with somebody who plays it and must not notice anything."""
    sim = await simulate(cameras=[make_camera(session_timeout_s=2, ends_silent_tcp=False, audio="pcma")])
    served = sim.cameras["cam"]
    bystander = await MediaRecorder.play(served.url())
    await bystander.until(lambda seen: seen.units)
    yield served
    bystander.drop_received()
    await bystander.until(lambda seen: seen.units)
    assert not bystander.lost
    assert bystander.missing == 0
    await bystander.close()


class Raw:
    """A client that sends bytes as they are."""

    opened: ClassVar[list["Raw"]] = []

    def __init__(self, camera: Camera, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._camera = camera
        self.reader, self.writer = reader, writer
        self.opened.append(self)

    @classmethod
    async def connect(cls, camera: Camera) -> "Raw":
        return cls(camera, *await asyncio.open_connection(camera.host, camera.port))

    def request(self, method: str, target: str = "/live", *fields: str, cseq: str | None = "CSeq: 1") -> bytes:
        lines = [f"{method} rtsp://{self._camera.host}{target} RTSP/1.0", *([cseq] if cseq else []), *fields]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def ask(self, *parts: bytes) -> int:
        """Send, and return the status of one answer; 0 for the end of the connection."""
        try:
            self.writer.write(b"".join(parts))
            async with asyncio.timeout(ANSWER_S):
                await self.writer.drain()
                return await self.read_status()
        except ConnectionError:
            return 0

    async def read_status(self) -> int:
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return 0
        length = re.search(rb"Content-Length: (\d+)", head)
        await self.reader.readexactly(int(length[1]) if length else 0)
        return int(head.split()[1])

    async def is_ended(self) -> bool:
        """Wait for the end of the connection."""
        try:
            async with asyncio.timeout(ANSWER_S):
                while await self.reader.read(65_536):
                    pass
        except ConnectionError:
            pass
        return True

    async def set_up(self, transport: str = "RTP/AVP/TCP;unicast;interleaved=0-1") -> str:
        """Set up the video and return the id of the session."""
        self.writer.write(self.request("SETUP", TRACK, f"Transport: {transport}"))
        async with asyncio.timeout(ANSWER_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        assert head.startswith("RTSP/1.0 200"), head
        return head.partition("Session: ")[2].partition(";")[0]


@pytest.fixture(autouse=True)
async def clients() -> AsyncIterator[None]:
    """Close every client after its test."""
    yield
    for client in Raw.opened:
        client.writer.close()
    Raw.opened.clear()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"OPTIONS rtsp://c/live RTSP/1.0\r\nCSeq: 1\r\nX: " + b"a" * (1 << 20), id="header of a megabyte"),
        pytest.param(b"OPTIONS rtsp://c/live RTSP/1.0\r\n" + b"A: b\r\n" * 10_000, id="ten thousand headers"),
        pytest.param(b"OPTIONS rtsp://c/live RTSP/1.0\r\n" + b"A:b\r\n" * 200 + b"\r\n", id="two hundred headers"),
        pytest.param(b"OPTIONS rtsp://c/live RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -5\r\n\r\n", id="negative length"),
        pytest.param(
            b"OPTIONS rtsp://c/live RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 9999999999\r\n\r\n", id="huge length"
        ),
        pytest.param(b"OPTIONS rtsp://c/" + b"a" * 100_000, id="endless address"),
        pytest.param(CLIENT_HELLO, id="TLS on a port without"),
        pytest.param(b"\xff" * 1_000, id="noise"),
        pytest.param(b"OPTIONS rtsp://c/live RTSP/1.0\r\nCSeq: 1\r\n\r\nnoise\r\n\r\n", id="noise behind a request"),
    ],
)
async def test_served_what_is_no_rtsp_ends_its_connection_after_a_400(camera: Camera, sent: bytes) -> None:
    client = await Raw.connect(camera)
    status = await client.ask(sent)
    assert status in (0, 200, 400)
    assert await client.is_ended()


async def test_served_http_gets_an_answer_that_says_so(camera: Camera) -> None:
    client = await Raw.connect(camera)
    assert await client.ask(b"GET /live HTTP/1.1\r\nHost: camera\r\n\r\n") == 505
    assert await client.is_ended()


@pytest.mark.parametrize(
    ("method", "target", "fields", "status"),
    [
        ("DESCRIBE", "/live/../live", (), 404),
        ("DESCRIBE", "/live%00", (), 404),
        ("DESCRIBE", "/other", (), 404),
        ("SETUP", "/live/trackID=9", ("Transport: RTP/AVP/TCP",), 404),
        ("SETUP", "/other/trackID=1", ("Transport: RTP/AVP/TCP",), 404),
        ("SETUP", TRACK, ("Transport: RTP/AVP/TCP;interleaved=300-301",), 400),
        ("SETUP", TRACK, (), 400),
        ("SETUP", "/live", ("Transport: RTP/AVP/TCP",), 459),
        ("SETUP", TRACK, ("Transport: RTP/AVP;unicast;client_port=22-23",), 461),
        ("SETUP", TRACK, ("Transport: RTP/AVP;multicast;port=5000-5001",), 461),
        ("PLAY", "/live", ("Session: 0123456789abcdef",), 454),
        ("DESCRIBE", "/live", ("Require: onvif-replay",), 551),
        ("DESCRIBE", "/live", ("Accept: text/html",), 406),
        ("RECORD", "/live", (), 405),
        ("FROBNICATE", "/live", (), 501),
    ],
)
async def test_served_wrong_request_gets_its_status_and_the_connection_stays(
    camera: Camera, method: str, target: str, fields: tuple[str, ...], status: int
) -> None:
    client = await Raw.connect(camera)
    assert await client.ask(client.request(method, target, *fields)) == status
    assert await client.ask(client.request("OPTIONS")) == 200


@pytest.mark.parametrize("cseq", [None, "CSeq: 99999999999", "CSeq: x", "CSeq:"])
async def test_served_request_without_a_usable_number_is_refused(camera: Camera, cseq: str | None) -> None:
    client = await Raw.connect(camera)
    assert await client.ask(client.request("OPTIONS", cseq=cseq)) == 400
    assert await client.ask(client.request("OPTIONS")) == 200


async def test_served_session_opens_nothing_on_another_connection(camera: Camera) -> None:
    owner, thief = await Raw.connect(camera), await Raw.connect(camera)
    session = f"Session: {await owner.set_up()}"
    for method in ("PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER"):
        assert await thief.ask(thief.request(method, "/live", session)) == 454
    assert await owner.ask(owner.request("TEARDOWN", "/live", session)) == 200


async def test_served_frames_before_a_session_are_skipped(camera: Camera) -> None:
    client = await Raw.connect(camera)
    frame = struct.pack(">cBH", b"$", 0, 100) + bytes(100)
    assert await client.ask(frame * 500, client.request("OPTIONS")) == 200


async def test_served_frame_whose_length_lies_ends_its_own_connection(camera: Camera) -> None:
    client = await Raw.connect(camera)
    assert await client.ask(struct.pack(">cBH", b"$", 0, 65_535), client.request("OPTIONS")) == 0


async def test_served_client_that_sends_a_byte_at_a_time_loses_its_place(camera: Camera) -> None:
    client = await Raw.connect(camera)
    trickle = iter(client.request("OPTIONS", "/live", "X: " + "a" * 10_000))

    async def sent_all() -> bool:
        if client.writer.transport.is_closing():
            return True
        client.writer.write(bytes((next(trickle),)))
        return client.reader.at_eof()

    await eventually(sent_all, within_s=20, poll_s=0.1, what="the end of a request that is never whole")


async def test_served_client_that_sends_nothing_loses_its_place(camera: Camera) -> None:
    assert await (await Raw.connect(camera)).is_ended()


async def test_served_thousand_requests_at_once_are_answered_in_order(camera: Camera) -> None:
    client = await Raw.connect(camera)
    client.writer.write(b"".join(client.request("OPTIONS", cseq=f"CSeq: {number}") for number in range(1_000)))
    for number in range(1_000):
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"RTSP/1.0 200"), head
        assert f"CSeq: {number}\r\n".encode() in head


async def test_served_client_that_reads_no_answers_is_cut_off_within_its_bound(camera: Camera) -> None:
    client = await Raw.connect(camera)
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # of every transport that is read
    before = len(camera.connections)
    largest = 0

    async def is_cut_off() -> bool:
        nonlocal largest
        if not client.writer.transport.is_closing():
            client.writer.write(client.request("DESCRIBE") * 2_000)
        largest = max((each.transport.get_write_buffer_size() for each in camera.connections), default=0)
        return len(camera.connections) < before

    await eventually(is_cut_off, poll_s=0.01)
    assert largest < MAX_UNREAD_BYTES + (1 << 20)
    client.writer.transport.abort()


async def test_served_udp_media_goes_to_the_peer_alone_whatever_the_client_names(camera: Camera) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as victim, udp_pair() as (own, own_port):
        victim.bind(("127.0.0.2", own_port))
        victim.setblocking(False)
        client = await Raw.connect(camera)
        ports = f"client_port={own_port}-{own_port + 1}"
        session = await client.set_up(f"RTP/AVP;unicast;destination=127.0.0.2;{ports}")
        await client.ask(client.request("PLAY", "/live", f"Session: {session}"))
        await asyncio.wait_for(asyncio.get_running_loop().sock_recv(own, 2_048), ANSWER_S)
        with pytest.raises(BlockingIOError):
            victim.recv(2_048)
        client.writer.close()


@pytest.mark.parametrize(("report_of", "is_kept"), [("own", True), ("foreign", False), ("noise", False)])
async def test_served_receiver_reports_of_the_session_alone_keep_it(
    camera: Camera, report_of: str, is_kept: bool
) -> None:
    with udp_pair() as (own, own_port):
        client = await Raw.connect(camera)
        client.writer.write(
            client.request("SETUP", TRACK, f"Transport: RTP/AVP;unicast;client_port={own_port}-{own_port + 1}")
        )
        head = (await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), ANSWER_S)).decode()
        rtcp_port = int(re.search(r"server_port=\d+-(\d+)", head)[1])  # type: ignore[index]
        ssrc = camera.feed.clocks[0].ssrc ^ (report_of == "foreign")
        report = build_receiver_report(ReceiverReport(7, (ReportBlock(ssrc),)))
        datagram = b"noise" if report_of == "noise" else report
        loop = asyncio.get_running_loop()
        begun = loop.time()

        async def is_decided() -> bool:
            own.sendto(datagram, ("127.0.0.1", rtcp_port))
            return client.reader.at_eof() or loop.time() - begun > 6

        await eventually(is_decided, poll_s=0.1)
        assert client.reader.at_eof() != is_kept
        client.writer.close()


async def test_served_failed_logins_name_no_secret_in_the_log(
    simulate: Simulate, make_camera: MakeCamera, capfd: pytest.CaptureFixture[str]
) -> None:
    config = make_camera(auth="digest", username="viewer", password=SECRET)
    camera = (await simulate(cameras=[config])).cameras["cam"]
    client = await Raw.connect(camera)
    assert await client.ask(client.request("DESCRIBE", "/live", f'Authorization: Digest response="{SECRET}"')) == 401
    assert await client.ask(client.request("DESCRIBE", "/other")) == 401, "401 before a login, whatever the path"
    assert await client.ask(f"{SECRET} is no request\r\n\r\n".encode()) == 400
    assert SECRET not in "".join(capfd.readouterr())
    assert camera.logins_failed == 1
