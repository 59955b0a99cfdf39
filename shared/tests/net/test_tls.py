import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvloop

from vonggac.events.causes import Cause
from vonggac.events.inventory import TlsTrust
from vonggac.media.rtp import interleave
from vonggac.net.dial import TLS_RECORD_BYTES
from vonggac.net.errors import PeerError
from vonggac.net.tls import TlsPolicy, policy_of
from vonggac.net.tls_counting import CountingSSLObject
from vonggac.net.url import RtspUrl
from vonggac.rtsp import MediaBatch, Route, RtspConnection, Step, open_player, open_publisher, parse_sdp
from vonggac.rtsp.wire.tracks import plan_tracks
from vonggac.testing import eventually
from vonggac.testing.certificates import Authority, ServerCertificate
from vonggac.testing.media import play
from vonggac.testing.rtsp import CAMERA_SDP, ScriptedCamera, ScriptedPeer, with_cseq

AUTHORITY = Authority()
SIGNED = AUTHORITY.issue("127.0.0.1", "localhost")
SELF_SIGNED = ServerCertificate.self_signed()


async def play_tls(port: int, policy: TlsPolicy, **more: Any) -> None:
    url = RtspUrl.parse(f"rtsps://127.0.0.1:{port}/live")
    player = await play(url, tls=policy, **more)
    await player.close()


async def failure(port: int, policy: TlsPolicy, **more: object) -> PeerError:
    with pytest.raises(PeerError) as caught:
        await play_tls(port, policy, **more)
    assert caught.value.cause is Cause.TLS
    return caught.value


@pytest.fixture
async def signed() -> AsyncIterator[ScriptedPeer]:
    async with ScriptedPeer(ScriptedCamera(), tls=SIGNED.server_context) as peer:
        yield peer


@pytest.fixture
async def self_signed() -> AsyncIterator[ScriptedPeer]:
    async with ScriptedPeer(ScriptedCamera(), tls=SELF_SIGNED.server_context) as peer:
        yield peer


async def test_a_camera_is_played_over_tls_with_an_own_authority(signed: ScriptedPeer) -> None:
    steps: list[Step] = []
    await play_tls(signed.port, TlsPolicy(ca_pem=AUTHORITY.pem), steps=steps)
    assert [step.name for step in steps] == ["dns", "connect", "tls", "describe", "setup", "play"]
    assert signed.requests[0].uri == f"rtsps://127.0.0.1:{signed.port}/live"
    assert signed.requests[1].uri == f"rtsps://127.0.0.1:{signed.port}/live/trackID=1"


async def test_media_comes_and_goes_over_tls_and_the_socket_can_be_asked(self_signed: ScriptedPeer) -> None:
    frame = interleave(0, b"media")
    seen: list[bytes] = []
    self_signed.answer = ScriptedCamera(PLAY=lambda request: with_cseq(request, after=frame))
    url = RtspUrl.parse(f"rtsps://127.0.0.1:{self_signed.port}/live")
    policy = TlsPolicy(fingerprint_sha256=SELF_SIGNED.fingerprint_sha256)

    def on_media(batch: MediaBatch) -> None:
        seen.append(batch.data)

    player = await open_player(Route(url, tls=policy), deadline_s=5, on_media=on_media)
    await eventually(lambda: seen == [frame])
    opened = player.connection.transport.get_extra_info("socket")
    assert len(opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)) == 104
    tracks = plan_tracks(parse_sdp(CAMERA_SDP), ("video",), "rtsp://camera/")
    publisher = await open_publisher(Route(url, tls=policy), player.sdp, tracks, deadline_s=5)
    publisher.connection.write_media(frame)
    await self_signed.until(lambda: [batch.data for batch in self_signed.media] == [frame])
    assert publisher.connection.write_buffer_bytes == 0
    await publisher.close()
    await player.close()


async def test_a_large_picture_is_encrypted_a_record_at_a_time(
    self_signed: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is encrypted at once stays allocated for as long as the connection stands."""
    plain, waiting = CountingSSLObject.write, list[int]()

    def write(encrypting: CountingSSLObject, data: bytes) -> int:
        size = plain(encrypting, data)
        waiting.append(encrypting.outgoing.pending)
        return size

    monkeypatch.setattr(CountingSSLObject, "write", write)
    url = RtspUrl.parse(f"rtsps://127.0.0.1:{self_signed.port}/live")
    policy = TlsPolicy(fingerprint_sha256=SELF_SIGNED.fingerprint_sha256)
    tracks = plan_tracks(parse_sdp(CAMERA_SDP), ("video",), "rtsp://camera/")
    publisher = await open_publisher(Route(url, tls=policy), parse_sdp(CAMERA_SDP), tracks, deadline_s=5)
    picture = b"".join(interleave(0, bytes([number]) * 10_000) for number in range(12))
    publisher.connection.write_media(picture)
    publisher.connection.write_directly(picture)
    await self_signed.until(lambda: b"".join(batch.data for batch in self_signed.media) == 2 * picture)
    assert max(waiting) < TLS_RECORD_BYTES + 100
    await publisher.close()


def test_the_same_holds_on_uvloop() -> None:
    async def run() -> None:
        async with ScriptedPeer(ScriptedCamera(), tls=SIGNED.server_context) as peer:
            await play_tls(peer.port, TlsPolicy(ca_pem=AUTHORITY.pem))
            assert "not trusted" in (await failure(peer.port, TlsPolicy())).message
            await failure(peer.port, TlsPolicy(fingerprint_sha256="0" * 64))

    uvloop.run(run())


async def test_a_pinned_certificate_needs_neither_name_nor_authority(self_signed: ScriptedPeer) -> None:
    pretty = ":".join(
        SELF_SIGNED.fingerprint_sha256.upper()[at : at + 2] for at in range(0, len(SELF_SIGNED.fingerprint_sha256), 2)
    )
    await play_tls(self_signed.port, TlsPolicy(fingerprint_sha256=pretty))


async def test_another_certificate_than_the_pinned_one_is_refused_before_anything_is_sent(
    signed: ScriptedPeer,
) -> None:
    error = await failure(signed.port, TlsPolicy(fingerprint_sha256=SELF_SIGNED.fingerprint_sha256))
    assert SIGNED.fingerprint_sha256 in error.message
    await signed.until(lambda: signed.connections == 1 and signed.writer.is_closing())
    assert signed.requests == []


async def test_a_certificate_that_nobody_vouches_for_is_refused_by_default(self_signed: ScriptedPeer) -> None:
    error = await failure(self_signed.port, TlsPolicy())
    assert error.message == "the certificate is not trusted: self-signed certificate"
    await play_tls(self_signed.port, TlsPolicy(unverified=True))


async def test_a_wrong_name_and_an_expired_certificate_are_told_apart() -> None:
    policy = TlsPolicy(ca_pem=AUTHORITY.pem)
    for certificate, said in (
        (AUTHORITY.issue("10.9.9.9"), "IP address mismatch"),
        (AUTHORITY.issue("127.0.0.1", expired=True), "expired"),
    ):
        async with ScriptedPeer(ScriptedCamera(), tls=certificate.server_context) as peer:
            assert said in (await failure(peer.port, policy)).message


class Blunt(asyncio.Protocol):
    """Says `words` to whoever comes and hangs up; without words it only listens."""

    def __init__(self, words: bytes | None) -> None:
        self._words = words

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._words is not None and isinstance(transport, asyncio.Transport):
            transport.write(self._words)
            transport.close()


@pytest.mark.parametrize(
    ("words", "deadline_s", "said"),
    [
        (b"RTSP/1.0 400 Bad Request\r\n\r\n", 5, "does not speak TLS on this port"),
        (b"", 5, "broke off the TLS handshake"),
        (None, 0.3, "not finished in time"),
    ],
    ids=["rtsp", "hangs up", "silent"],
)
async def test_a_peer_that_speaks_no_tls_is_said_to(words: bytes | None, deadline_s: float, said: str) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Blunt(words), "127.0.0.1", 0)
    async with server:
        error = await failure(server.sockets[0].getsockname()[1], TlsPolicy(), deadline_s=deadline_s)
        assert said in error.message


async def test_a_closed_port_is_refused_over_tls_too(unused_tcp_port: int) -> None:
    with pytest.raises(PeerError) as caught:
        await play_tls(unused_tcp_port, TlsPolicy())
    assert caught.value.cause is Cause.REFUSED


async def test_a_connection_can_be_opened_over_tls_by_itself(signed: ScriptedPeer) -> None:
    policy = TlsPolicy(ca_pem=AUTHORITY.pem)
    connection = await RtspConnection.open("localhost", signed.port, timeout_s=5, tls=policy)
    assert isinstance(connection.transport.get_extra_info("ssl_object"), ssl.SSLObject)
    assert (await connection.request("OPTIONS", "rtsps://localhost/", timeout_s=5)).ok
    connection.abort()
    await connection.wait_closed()


async def test_media_never_goes_over_udp_beside_tls(signed: ScriptedPeer) -> None:
    policy = TlsPolicy(ca_pem=AUTHORITY.pem)
    with pytest.raises(PeerError, match="not encrypted") as caught:
        await play_tls(signed.port, policy, transport="udp")
    assert caught.value.cause is Cause.TRANSPORT_UNSUPPORTED
    await play_tls(signed.port, policy, transport="udp_then_tcp")
    assert "TCP" in (signed.requests[1].headers.get("Transport") or "")


async def test_a_cancelled_tls_handshake_leaves_no_connection() -> None:
    async with ScriptedPeer(lambda _: None) as silent:
        opening = asyncio.create_task(play_tls(silent.port, TlsPolicy()))
        await silent.until(lambda: silent.connections == 1)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await silent.until(lambda: silent.writer.is_closing())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"fingerprint_sha256": "ab:cd"}, "64 hexadecimal digits"),
        ({"ca_pem": "nothing"}, "no certificate"),
        ({"ca_pem": AUTHORITY.pem, "unverified": True}, "exclude each other"),
    ],
)
def test_a_wrong_policy_says_what_is_wrong(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TlsPolicy(**arguments)  # type: ignore[arg-type]


async def test_a_broken_authority_is_a_tls_failure(signed: ScriptedPeer) -> None:
    broken = AUTHORITY.pem.replace("M", "?", 3)
    await failure(signed.port, TlsPolicy(ca_pem=broken))


def test_what_inventory_says_becomes_a_policy() -> None:
    assert policy_of(None) == TlsPolicy()
    assert policy_of(TlsTrust(fingerprint_sha256="AB:" * 31 + "AB")) == TlsPolicy(fingerprint_sha256="ab" * 32)


def test_a_trust_that_cannot_be_used_is_a_cause_and_no_crash() -> None:
    with pytest.raises(PeerError) as refused:
        policy_of(TlsTrust(ca_pem="none"))
    assert refused.value.cause is Cause.TLS
