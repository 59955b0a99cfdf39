"""No bytes make the parsers or the client hang, leak or raise anything but PeerError."""

import asyncio
import random
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from vonggac.media.depacketizer import Depacketizer
from vonggac.media.h26x import VideoCodec, begins_picture, part_of
from vonggac.media.rtcp import SenderReport, build_sender_report, parse_rtcp
from vonggac.media.rtp import SequenceTracker, build_rtp, interleave, parse_rtp
from vonggac.media.sps import parse_sps
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import PeerError
from vonggac.net.http_auth import Authenticator, new_challenge, parse_challenges, verify_authorization
from vonggac.net.url import Credentials, RtspUrl, on_host_of
from vonggac.rtsp import (
    Deframer,
    PlayOptions,
    Request,
    Response,
    Route,
    UdpOptions,
    open_player,
    open_publisher,
    parse_sdp,
)
from vonggac.rtsp.wire.announcement import announce_sdp
from vonggac.rtsp.wire.framing import MAX_BODY_BYTES, MAX_HEAD_BYTES, MAX_JUNK_BYTES
from vonggac.rtsp.wire.messages import parse_head, parse_session
from vonggac.rtsp.wire.sdp import base_url
from vonggac.rtsp.wire.tracks import plan_tracks
from vonggac.rtsp.wire.transport import parse_transports
from vonggac.testing import eventually
from vonggac.testing.rtsp import CAMERA_SDP, ScriptedCamera, reply

LOGIN = Credentials("admin", "S3cret")
DEADLINE_S = 0.06
FRAME = interleave(0, build_rtp(b"\x65\x88media", payload_type=96, sequence=1, timestamp=1, ssrc=7, marker=True))
REPORT = build_sender_report(SenderReport(7, 1 << 40, 1, 2, 3), cname="camera")
SPS_264 = bytes.fromhex("674d0029e2900f0044fcb80b70101010691e244540")
SPS_265 = bytes.fromhex("420101016000000300900000030000030078a003c08010e59656a4932bc05a020000030002000003003210")
RESPONSE = (
    b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nSession: 42;timeout=60\r\nContent-Base: rtsp://127.0.0.1/live/\r\n"
    b"Transport: RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001;ssrc=0A;source=127.0.0.1\r\n"
    b'WWW-Authenticate: Digest realm="c", nonce="n", qop="auth,auth-int", algorithm=SHA-256, stale=true\r\n'
    b"Content-Length: 4\r\n\r\nbody"
)
REQUEST = b"ANNOUNCE rtsp://127.0.0.1/live RTSP/1.0\r\nCSeq: 7\r\nNotice: 2101\r\n\r\n"
TOKENS = (
    *(b"\r\n", b"\n", b"\r\n\r\n", b"$", b"$\x00\xff\xff", b"\0", b"\xff", b"%", b";", b"=", b"*", b'"', b"m=", b"a="),
    *(b"RTSP/1.0 ", b"Content-Length: 99999999\r\n", b"Content-Length: -1\r\n", b"CSeq: 1\r\n", b"-", b"4294967296"),
)


def mutate(data: bytes, seed: int) -> bytes:
    """`data` with up to six changes: cut, doubled, replaced, flipped; the same for the same seed."""
    chance = random.Random(seed)
    changed = bytearray(data)
    for _ in range(chance.randint(0, 6)):
        at = chance.randint(0, len(changed))
        length = chance.choice((1, 1, 2, 4, 16, 200))
        match chance.randrange(5):
            case 0:
                del changed[at : at + length]
            case 1:
                changed[at:at] = changed[at : at + length] * chance.choice((1, 2, 50))
            case 2:
                changed[at:at] = chance.choice(TOKENS)
            case 3:
                changed[at : at + length] = chance.randbytes(length)
            case _ if changed:
                changed[at % len(changed)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def mutants(*corpus: bytes) -> st.SearchStrategy[bytes]:
    return st.one_of(st.binary(max_size=200), st.builds(mutate, st.sampled_from(corpus), st.integers(0, 2**32)))


def text(data: bytes) -> str:
    return data.decode("latin-1")


# Each parser gets bytes; what it is allowed to raise is PeerError.


def deframe(data: bytes) -> None:
    deframer = Deframer()
    for at in range(0, len(data), 7):
        deframer.feed(data[at : at + 7])
    assert deframer._held <= MAX_HEAD_BYTES + MAX_BODY_BYTES + MAX_JUNK_BYTES


def head(data: bytes) -> None:
    message = parse_head(data)
    assert message.cseq is None or message.cseq >= 0
    message.encode()
    parse_session(message.headers.get("Session") or "")
    parse_transports(message.headers.get("Transport") or "RTP/AVP")
    on_host_of(base_url(message.headers, "rtsp://h/"), "rtsp://h/")


def description(data: bytes) -> None:
    sdp = parse_sdp(data)
    tracks = plan_tracks(sdp, ("video", "audio"), "rtsp://h/")
    for track in tracks:
        assert track.clock_rate > 0
        assert track.control_url.startswith("rtsp://h")
        assert isinstance(track.media.parameter_sets, list)
    announced = announce_sdp(sdp, [track.index for track in tracks], origin_id=1)
    assert [media.codec for media in parse_sdp(announced.encode()).media] == [track.codec for track in tracks]


def challenges(data: bytes) -> None:
    authenticator = Authenticator(LOGIN)
    if authenticator.challenged([text(data)], answered=False):
        assert authenticator.answer("PLAY", "rtsp://h/") is not None
    assert len(parse_challenges([text(data)])) < 5000
    verify_authorization(text(data), method="PLAY", credentials=LOGIN, challenge=new_challenge("c"))


def packets(data: bytes) -> None:
    tracker = SequenceTracker()
    header = parse_rtp(data)
    assert 12 <= header.payload_start <= header.payload_end <= len(data)
    tracker.update(header.sequence)


def pictures(data: bytes) -> None:
    for codec in VideoCodec:
        depacketizer = Depacketizer(codec, max_unit_bytes=4096, max_unit_nals=16)
        for at, marker in ((0, False), (3, True), (1, True)):
            part_of(codec, data[at:])
            begins_picture(codec, data[at:])
            for unit in depacketizer.push(data[at:], sequence=at, timestamp=at & 1, marker=marker):
                assert sum(map(len, unit.nals)) <= 4096
        parse_sps(codec, data)


PARSERS: dict[str, tuple[Callable[[bytes], object], tuple[bytes, ...]]] = {
    "deframer": (deframe, (RESPONSE + FRAME + REQUEST + FRAME, FRAME * 3)),
    "messages": (head, (RESPONSE.partition(b"\r\n\r\n")[0], REQUEST)),
    "sdp": (description, (CAMERA_SDP,)),
    "digest": (challenges, (b'Digest realm="c", nonce="n", qop="auth", algorithm=MD5-sess, Basic realm="x"',)),
    "url": (lambda data: RtspUrl.parse(text(data)), (b"rtsps://u:p@[::1]:322/a?b=1", b"rtsp://camera/live")),
    "rtp": (packets, (FRAME[4:],)),
    "rtcp": (parse_rtcp, (REPORT,)),
    "pictures": (pictures, (SPS_264, SPS_265, b"\x1c\x85" + SPS_264, b"\x78\x00\x04abcd\x00\x02ab", b"\x62\x01\x93ab")),
}


def check(name: str, data: bytes) -> None:
    """Raises whatever is not allowed."""
    message = ""
    try:
        PARSERS[name][0](data)
    except PeerError as error:
        message = error.message
    assert len(message) < 300


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=2 * settings().max_examples)
@given(data=st.data())
def test_a_parser_raises_nothing_but_its_own_error(name: str, data: st.DataObject) -> None:
    check(name, data.draw(mutants(*PARSERS[name][1])))


@pytest.mark.slow
@pytest.mark.weekly
@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=2 * settings().max_examples)
@given(drawn=st.binary(max_size=200), seed=st.integers(0, 2**32))
def test_a_parser_raises_nothing_else_many_times(name: str, drawn: bytes, seed: int) -> None:
    """Each case that is drawn is changed many times: to draw one takes ten times as long as to change and parse one."""
    for data in (drawn, *PARSERS[name][1]):
        for number in range(20):
            try:
                check(name, mutate(data, seed + number))
            except Exception:
                note(f"mutate({data!r}, {seed + number})")
                raise


class Mutant(asyncio.Protocol):
    """A camera whose answers are broken at random, and that sends broken media before and after them."""

    def __init__(self, field: "Field") -> None:
        self._field = field
        self._deframer = Deframer()
        self._camera = ScriptedCamera()
        self._chance = random.Random(field.seed)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._field.came(self)

    def data_received(self, data: bytes) -> None:
        try:
            items = self._deframer.feed(data)
        except PeerError:
            self._transport.abort()
            return
        for item in items:
            if isinstance(item, Request):
                self._transport.write(self._answer(item))

    def connection_lost(self, exc: Exception | None) -> None:
        self._field.went(self)

    def _answer(self, request: Request) -> bytes:
        answer = self._camera(request)
        match self._chance.randrange(60):
            case 0 | 1 | 2:
                challenge = new_challenge("camera", stale=self._chance.random() < 0.5)
                answer = reply(401, [("WWW-Authenticate", challenge.encode())])
            case 3:
                answer = reply(302, [("Location", self._chance.choice((request.uri, "/a", "rtsp://[::1]:1/", "x:")))])
            case 4:
                self._transport.close()
        assert isinstance(answer, Response)
        answer.headers.set("CSeq", str(request.cseq if self._chance.random() < 0.97 else self._chance.randrange(5)))
        if self._chance.random() < 0.02:
            answer.headers.add_field("Connection", "close")
        whole = answer.encode()
        if self._chance.random() < 0.2:
            whole = self._broken(whole)
        for transport in parse_transports(request.headers.get("Transport") or "none"):
            if transport.client_port is not None:
                self._field.send(self._broken(FRAME[4:]), transport.client_port[0])
                self._field.send(self._broken(REPORT), transport.client_port[1])
        before, after = (self._broken(FRAME * 2) for _ in range(2))
        return self._chance.choice((b"", before)) + whole + self._chance.choice((*[b"", after] * 10, REQUEST))

    def _broken(self, data: bytes) -> bytes:
        return mutate(data, self._chance.randrange(2**32))


class Field:
    """A loop with a mutant listening; `attack` is one client against it, with everything counted before and after."""

    def __init__(self) -> None:
        self.seed = 0
        self.outcomes: Counter[str] = Counter()
        self._runner = asyncio.Runner()
        self._present: set[Mutant] = set()
        self._left = asyncio.Event()
        self._unhandled: list[str] = []
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._runner.get_loop().set_exception_handler(lambda _, context: self._unhandled.append(str(context)))
        self._server = self._runner.run(self._listen())
        self._idle_descriptors = _descriptors()

    def attack(self, seed: int, way: str) -> None:
        self.seed = seed
        self._runner.run(self._attack(way))
        assert self._unhandled == []

    def close(self) -> None:
        self._server.close()
        self._udp.close()
        self._runner.close()

    def came(self, mutant: Mutant) -> None:
        self._present.add(mutant)
        self._left.clear()

    def went(self, mutant: Mutant) -> None:
        self._present.discard(mutant)
        if not self._present:
            self._left.set()

    def send(self, datagram: bytes, port: int) -> None:
        self._udp.sendto(datagram, ("127.0.0.1", port))

    async def _listen(self) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(lambda: Mutant(self), "127.0.0.1", 0)

    async def _attack(self, way: str) -> None:
        url = RtspUrl.parse(f"rtsp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/live")
        shown, outcome = "", "played"
        async with asyncio.timeout(5):
            try:
                await _use(url, way)
            except PeerError as error:
                shown, outcome = f"{error!r} {error}", error.cause
            await self._left.wait()
        self.outcomes[outcome] += 1
        assert "S3cret" not in shown
        # The loop needs a turn to be rid of a closed socket, and the mutant some to accept one that was given up.
        await eventually(self._at_rest, within_s=2, poll_s=0.001, what="no task and no socket is left")

    def _at_rest(self) -> bool:
        return asyncio.all_tasks() == {asyncio.current_task()} and _descriptors() == self._idle_descriptors


async def _use(url: RtspUrl, way: str) -> None:
    allowed = AllowedNetworks.parse(["127.0.0.1/32"])
    if way == "publish":
        sdp = parse_sdp(CAMERA_SDP)
        tracks = plan_tracks(sdp, ("video",), "rtsp://h/")
        publisher = await open_publisher(Route(url, LOGIN, allowed=allowed), sdp, tracks, deadline_s=DEADLINE_S)
        publisher.connection.write_media(FRAME)
        await publisher.close(DEADLINE_S)
        return
    player = await open_player(
        Route(url, LOGIN, allowed=allowed),
        deadline_s=DEADLINE_S,
        on_media=lambda _: None,
        options=PlayOptions(
            transport=way,
            tracks=("video", "audio"),
            udp=UdpOptions(first_media_s=0.01),
            send_options=True,
            report_interval_s=0.005,
        ),
    )
    await player.close(DEADLINE_S)


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture(scope="module")
def field() -> Iterator[Field]:
    made = Field()
    yield made
    made.close()
    # Otherwise it is not the client that was tested.
    assert made.outcomes["played"] > 0
    assert len(made.outcomes) > 1


WAYS = st.sampled_from(["tcp", "udp", "auto", "udp_then_tcp", "publish"])


@pytest.mark.slow
@settings(
    max_examples=max(15, settings().max_examples // 2), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32), way=WAYS)
def test_a_client_survives_a_peer_that_answers_broken_bytes(field: Field, seed: int, way: str) -> None:
    field.attack(seed, way)


@pytest.mark.slow
@pytest.mark.weekly
@settings(max_examples=8 * settings().max_examples, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), way=WAYS)
def test_a_client_survives_it_many_times(field: Field, seed: int, way: str) -> None:
    field.attack(seed, way)
