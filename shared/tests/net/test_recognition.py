"""What a port is that does not speak the protocol of its address: the right word for the wrong thing."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from vonggac.events.advice import ADVICE
from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.net.recognition import recognised
from vonggac.net.url import RtspUrl
from vonggac.rtsp import Route, open_player, open_publisher, parse_sdp
from vonggac.rtsp.wire.tracks import plan_tracks
from vonggac.testing.certificates import ServerCertificate
from vonggac.testing.rtsp import CAMERA_SDP, ScriptedCamera, ScriptedPeer, reply

ALERT = bytes.fromhex("15030100020246")
PAGE = b"<html><body>Camera</body></html>\n"
NGINX = b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\nThe plain HTTP request was sent to HTTPS port\r\n"

type Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answering(answer: bytes) -> Serve:
    """A server that reads a request, answers with these bytes and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(answer)
        writer.close()

    return serve


@asynccontextmanager
async def listening(serve: Serve, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def failure(port: int) -> PeerError:
    with pytest.raises(PeerError) as caught:
        await open_player(Route(RtspUrl.parse(f"rtsp://127.0.0.1:{port}/live")), deadline_s=5, on_media=lambda _: None)
    return caught.value


async def test_a_foreign_tls_port_spoken_to_in_plain_has_the_cause_tls() -> None:
    async with listening(answering(b""), tls=ServerCertificate.self_signed().server_context) as port:
        error = await failure(port)
    assert error.cause is Cause.TLS
    assert "rtsps://" in error.message


async def test_a_foreign_tls_port_that_answers_with_an_alert_is_known_at_once() -> None:
    async with listening(answering(ALERT)) as port:
        assert (await failure(port)).cause is Cause.TLS


async def test_a_foreign_web_server_for_https_says_itself_what_it_wants() -> None:
    async with listening(answering(NGINX)) as port:
        assert (await failure(port)).cause is Cause.TLS


@pytest.mark.parametrize("answer", [PAGE, b"\r\n" + PAGE])
async def test_a_foreign_web_server_without_a_status_line_speaks_another_protocol(answer: bytes) -> None:
    async with listening(answering(answer)) as port:
        error = await failure(port)
    assert error.cause is Cause.PROTOCOL_ERROR
    assert "HTTP/0.9" in error.message


async def test_a_foreign_port_that_hangs_up_without_a_word_accuses_no_power_supply() -> None:
    connections = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(await reader.read(16))
        writer.close()

    async with listening(hang_up) as port:
        error = await failure(port)
    assert error.cause is Cause.HUNG_UP
    assert "nguồn" not in ADVICE[error.cause].vi
    assert "power" not in ADVICE[error.cause].en
    # One question whether it is TLS, and no more.
    assert [first[:1] for first in connections] == [b"D", b"\x16"]


async def test_a_foreign_camera_that_answers_500_to_play_has_a_fault_of_its_own() -> None:
    async with ScriptedPeer(ScriptedCamera(PLAY=reply(500, reason="Internal Server Error"))) as peer:
        error = await failure(peer.port)
    assert error.cause is Cause.SERVER_ERROR
    assert "PLAY" in error.message
    assert "HTTP" not in ADVICE[error.cause].en


async def test_a_foreign_centre_that_hangs_up_at_announce_is_asked_for_its_port_and_streams() -> None:
    sdp = parse_sdp(CAMERA_SDP)
    async with listening(answering(b"")) as port:
        url = RtspUrl.parse(f"rtsp://127.0.0.1:{port}/live")
        with pytest.raises(PeerError) as caught:
            await open_publisher(Route(url), sdp, plan_tracks(sdp, ("video",), url.wire), deadline_s=5)
    assert caught.value.cause is Cause.HUNG_UP


def test_what_a_foreign_peer_sent_is_never_repeated() -> None:
    for first in (b"s3cret\r\n", PAGE, b"SSH-2.0-s3cret", b"HTTP/1.1 200 s3cret", b"RTSP/1.0 200 s3cret"):
        error = recognised(first, "rtmp")
        assert error is not None
        assert error.cause is Cause.PROTOCOL_ERROR
        assert "s3cret" not in str(error)
    assert recognised(b"", "rtsp") is None
