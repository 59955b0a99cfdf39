import asyncio
import gc
import os
import resource
from contextlib import suppress

import pytest
import uvloop

from vonggac.events.causes import Cause
from vonggac.media.rtp import interleave
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import PeerError
from vonggac.net.http_auth import new_challenge, parse_authorization, verify_authorization
from vonggac.net.tls import SYSTEM_AUTHORITIES
from vonggac.net.url import Credentials
from vonggac.rtsp import MediaBatch, Request, Response, RtspConnection
from vonggac.rtsp.client.pending_response import STRAY_WAIT_S
from vonggac.testing.rtsp import ScriptedPeer, reply

URL = "rtsp://camera/live"
LOGIN = Credentials("admin", "S3cret")


async def connect(peer: ScriptedPeer, credentials: Credentials | None = None) -> RtspConnection:
    return await RtspConnection.open("127.0.0.1", peer.port, timeout_s=5, credentials=credentials)


def guarded(request: Request, *, nonces: list[str], expected: Credentials = LOGIN) -> Response:
    """A server that asks for a Digest login, with the first nonce that is left."""
    challenge = new_challenge("camera")
    value = request.headers.get("Authorization")
    if value is not None:
        given = parse_authorization(value).parameters.get("nonce", "")
        nonces.append(given)
        answered = type(challenge)("digest", "camera", given, None, "MD5", ("auth",))
        if verify_authorization(value, method=request.method, credentials=expected, challenge=answered):
            return reply()
    return reply(401, [("WWW-Authenticate", challenge.encode()), ("WWW-Authenticate", 'Basic realm="c"')])


async def test_answers_find_their_requests_in_any_order() -> None:
    async with ScriptedPeer(lambda request: reply(headers=[("X-Method", request.method)])) as peer:
        connection = await connect(peer)
        answers = await asyncio.gather(*(connection.request(name, URL, timeout_s=5) for name in ("OPTIONS", "PLAY")))
        assert [answer.headers.get("X-Method") for answer in answers] == ["OPTIONS", "PLAY"]
        assert [request.cseq for request in peer.requests] == [1, 2]
        connection.abort()
        await connection.wait_closed()


async def test_an_answer_without_cseq_belongs_to_the_only_request() -> None:
    async with ScriptedPeer(lambda _: b"RTSP/1.0 100 Continue\r\n\r\nRTSP/1.0 200 OK\r\n\r\n") as peer:
        connection = await connect(peer)
        assert (await connection.request("OPTIONS", URL, timeout_s=5)).status == 200
        connection.abort()


async def test_an_answer_to_nobody_is_ignored() -> None:
    async with ScriptedPeer(
        lambda request: b"RTSP/1.0 404 X\r\nCSeq: 99\r\n\r\nRTSP/1.0 200 OK\r\nCSeq: %d\r\n\r\n" % (request.cseq or 0)
    ) as peer:
        connection = await connect(peer)
        assert (await connection.request("OPTIONS", URL, timeout_s=5)).status == 200
        connection.abort()


@pytest.mark.parametrize("number", [0, 1, 4_294_967_296], ids=["zero", "the same", "too large"])
async def test_a_peer_that_counts_wrong_is_understood_and_waited_for_once(number: int) -> None:
    def wrong(request: Request) -> bytes:
        return b"RTSP/1.0 200 OK\r\nCSeq: %d\r\nX-Method: %s\r\n\r\n" % (number, request.method.encode())

    async with ScriptedPeer(wrong) as peer:
        connection = await connect(peer)
        for method in ("OPTIONS", "DESCRIBE", "SETUP", "PLAY"):
            answer = await connection.request(method, URL, timeout_s=5)
            assert answer.headers.get("X-Method") == method
        began = asyncio.get_running_loop().time()
        for _ in range(20):
            await connection.request("OPTIONS", URL, timeout_s=5)
        assert asyncio.get_running_loop().time() - began < 20 * STRAY_WAIT_S / 2
        connection.abort()


async def test_the_late_answer_to_a_request_that_was_given_up_is_not_taken_for_the_next_one() -> None:
    late: list[bytes] = []

    def slow(request: Request) -> bytes | None:
        answer = b"RTSP/1.0 200 OK\r\nCSeq: %d\r\nX-Method: %s\r\n\r\n" % (request.cseq or 0, request.method.encode())
        late.append(answer)
        return b"".join(late) if len(late) == 2 else None

    async with ScriptedPeer(slow) as peer:
        connection = await connect(peer)
        with pytest.raises(PeerError, match="no answer to OPTIONS"):
            await connection.request("OPTIONS", URL, timeout_s=0.05)
        assert (await connection.request("PLAY", URL, timeout_s=5)).headers.get("X-Method") == "PLAY"
        connection.abort()


@pytest.mark.parametrize(("stale", "answered"), [(True, 2), (False, 1)])
async def test_a_nonce_called_stale_at_the_first_answer_is_answered_once_more(stale: bool, answered: int) -> None:
    challenges = [new_challenge("camera", stale=stale) for _ in range(3)]
    seen: list[str] = []

    def next_challenge(request: Request) -> Response:
        seen.append(request.headers.get("Authorization") or "")
        return reply(401, [("WWW-Authenticate", challenges[len(seen) - 1].encode())])

    async with ScriptedPeer(next_challenge) as peer:
        connection = await connect(peer, LOGIN)
        assert (await connection.request("DESCRIBE", URL, timeout_s=5)).status == 401
        nonces = [parse_authorization(value).parameters["nonce"] for value in seen if value]
        assert nonces == [challenge.nonce for challenge in challenges[:answered]]
        with pytest.raises(PeerError, match="rejected before"):
            await connection.request("DESCRIBE", URL, timeout_s=5)
        connection.abort()


async def test_a_login_is_answered_once_and_then_sent_along() -> None:
    nonces: list[str] = []
    async with ScriptedPeer(lambda request: guarded(request, nonces=nonces)) as peer:
        connection = await connect(peer, LOGIN)
        assert (await connection.request("DESCRIBE", URL, timeout_s=5)).status == 200
        assert (await connection.request("SETUP", URL, timeout_s=5)).status == 200
        assert peer.methods == ["DESCRIBE", "DESCRIBE", "SETUP"]
        assert nonces[0] == nonces[1]
        connection.abort()


async def test_a_rejected_login_is_sent_once_and_never_again() -> None:
    nonces: list[str] = []
    async with ScriptedPeer(
        lambda request: guarded(request, nonces=nonces, expected=Credentials("admin", "other"))
    ) as peer:
        connection = await connect(peer, LOGIN)
        assert (await connection.request("DESCRIBE", URL, timeout_s=5)).status == 401
        with pytest.raises(PeerError) as caught:
            await connection.request("DESCRIBE", URL, timeout_s=5)
        assert caught.value.cause is Cause.AUTH_FAILED
        assert len(nonces) == 1
        assert peer.methods == ["DESCRIBE", "DESCRIBE"]
        connection.abort()


@pytest.mark.parametrize(("status", "taken"), [(200, True), (404, True), (401, False), (403, False)])
async def test_a_login_is_taken_by_an_answer_that_does_not_refuse_it(status: int, taken: bool) -> None:
    def answer(request: Request) -> Response:
        if "Authorization" not in request.headers:
            return reply(401, [("WWW-Authenticate", 'Basic realm="camera"')])
        return reply(status)

    async with ScriptedPeer(answer) as peer:
        connection = await connect(peer, LOGIN)
        assert (await connection.request("DESCRIBE", URL, timeout_s=5)).status == status
        assert connection.requests.logged_in is taken
        connection.abort()


async def test_without_credentials_a_401_comes_back_as_it_is() -> None:
    async with ScriptedPeer(lambda request: guarded(request, nonces=[])) as peer:
        connection = await connect(peer)
        assert (await connection.request("DESCRIBE", URL, timeout_s=5)).status == 401
        assert peer.methods == ["DESCRIBE"]
        connection.abort()


async def test_a_silent_peer_is_a_timeout_and_the_connection_stands() -> None:
    async with ScriptedPeer(lambda request: None if request.method == "OPTIONS" else reply()) as peer:
        connection = await connect(peer)
        with pytest.raises(PeerError, match="no answer to OPTIONS") as caught:
            await connection.request("OPTIONS", URL, timeout_s=0.05)
        assert caught.value.cause is Cause.TIMEOUT
        assert (await connection.request("PLAY", URL, timeout_s=5)).status == 200
        connection.abort()


async def test_requests_of_the_peer_are_answered() -> None:
    lost: list[PeerError | None] = []
    async with ScriptedPeer(lambda _: reply()) as peer:
        connection = await connect(peer)
        connection.on_lost = lost.append
        await connection.request("OPTIONS", URL, timeout_s=5)
        for number, method in enumerate(("OPTIONS", "GET_PARAMETER", "PLAY", "FROBNICATE", "TEARDOWN")):
            peer.writer.write(Request(method, URL).encode()[:-2] + b"CSeq: %d\r\n\r\n" % number)
        await peer.until(lambda: len(peer.responses) == 5)
        assert [(answer.cseq, answer.status) for answer in peer.responses] == [
            (0, 200),
            (1, 200),
            (2, 405),
            (3, 501),
            (4, 200),
        ]
        await connection.wait_closed()
        assert [error.cause if error else None for error in lost] == [Cause.ENDED]


async def test_an_end_of_stream_notice_ends_the_session() -> None:
    lost: asyncio.Future[PeerError | None] = asyncio.get_running_loop().create_future()
    async with ScriptedPeer(lambda _: reply()) as peer:
        connection = await connect(peer)
        connection.on_lost = lost.set_result
        await connection.request("OPTIONS", URL, timeout_s=5)
        peer.writer.write(b"ANNOUNCE * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        await peer.until(lambda: len(peer.responses) == 1)
        assert not connection.closed
        peer.writer.write(b"ANNOUNCE * RTSP/1.0\r\nCSeq: 2\r\nNotice: 2101 End-of-Stream Reached\r\n\r\n")
        error = await lost
        assert error is not None
        assert error.cause is Cause.ENDED
        await connection.wait_closed()


async def test_a_peer_that_sends_its_clients_elsewhere_is_answered_and_left() -> None:
    lost: asyncio.Future[PeerError | None] = asyncio.get_running_loop().create_future()
    async with ScriptedPeer(lambda _: reply()) as peer:
        connection = await connect(peer)
        connection.on_lost = lost.set_result
        await connection.request("OPTIONS", URL, timeout_s=5)
        peer.writer.write(b"REDIRECT * RTSP/1.0\r\nCSeq: 3\r\nLocation: rtsp://10.0.0.1/other\r\n\r\n")
        error = await lost
        assert error is not None
        assert (error.cause, "elsewhere" in error.message) == (Cause.ENDED, True)
        await peer.until(lambda: [(answer.cseq, answer.status) for answer in peer.responses] == [(3, 200)])
        await connection.wait_closed()


async def test_a_peer_that_hangs_up_fails_what_waits_and_is_reported_once() -> None:
    lost: list[PeerError | None] = []
    async with ScriptedPeer(lambda _: None) as peer:
        connection = await connect(peer)
        connection.on_lost = lost.append
        waiting = asyncio.create_task(connection.request("DESCRIBE", URL, timeout_s=5))
        await peer.until(lambda: len(peer.requests) == 1)
        peer.writer.transport.abort()
        with pytest.raises(PeerError) as caught:
            await waiting
        assert caught.value.cause is Cause.ENDED
        await connection.wait_closed()
        assert lost == [caught.value]
        with pytest.raises(PeerError):
            await connection.request("OPTIONS", URL, timeout_s=5)


async def test_garbage_ends_the_connection_with_protocol_error() -> None:
    async with ScriptedPeer(lambda _: b"HTTP/1.0 400 Bad Request\r\n\r\n") as peer:
        connection = await connect(peer)
        with pytest.raises(PeerError, match="HTTP") as caught:
            await connection.request("OPTIONS", URL, timeout_s=5)
        assert caught.value.cause is Cause.PROTOCOL_ERROR
        await connection.wait_closed()


async def test_our_own_close_is_no_loss() -> None:
    lost: list[PeerError | None] = []
    async with ScriptedPeer(lambda _: reply()) as peer:
        connection = await connect(peer)
        connection.on_lost = lost.append
        connection.write_media(interleave(0, b"last words"))
        connection.close()
        connection.close()
        await connection.wait_closed()
        await peer.until(lambda: len(peer.media) == 1)
        assert lost == [None]
        connection.write_media(interleave(0, b"too late"))
        assert connection.write_buffer_bytes == 0


async def test_close_does_not_wait_for_a_peer_that_does_not_read() -> None:
    async with ScriptedPeer(lambda _: reply()) as peer:
        connection = await connect(peer)
        paused = asyncio.Event()
        connection.on_pause_writing = paused.set
        await connection.request("OPTIONS", URL, timeout_s=5)
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        connection.write_media(interleave(0, bytes(60_000)) * 400)
        await paused.wait()
        assert connection.write_buffer_bytes > 0
        connection.close()
        async with asyncio.timeout(5):
            await connection.wait_closed()


async def test_the_write_buffer_reports_when_it_has_room_again() -> None:
    async with ScriptedPeer(lambda _: reply()) as peer:
        connection = await connect(peer)
        connection.transport.set_write_buffer_limits(high=100_000, low=10_000)
        events: list[str] = []
        resumed = asyncio.Event()
        connection.on_pause_writing = lambda: events.append("pause")

        def resume() -> None:
            events.append("resume")
            resumed.set()

        connection.on_resume_writing = resume
        connection.write_media(interleave(0, bytes(60_000)) * 200)
        await resumed.wait()
        assert events == ["pause", "resume"]
        connection.abort()


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
async def test_want_of_sockets_here_is_no_refusal_by_the_camera(secure: bool) -> None:
    limits, held = resource.getrlimit(resource.RLIMIT_NOFILE), []
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    try:
        async with ScriptedPeer(lambda _: None) as camera:
            with suppress(OSError):
                while True:
                    held.append(os.dup(1))
            with pytest.raises(PeerError) as caught:
                await RtspConnection.open(
                    "127.0.0.1", camera.port, timeout_s=1.0, tls=SYSTEM_AUTHORITIES if secure else None
                )
    finally:
        for number in held:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert caught.value.cause is Cause.INTERNAL_ERROR


async def test_a_closed_port_is_refused(unused_tcp_port: int) -> None:
    with pytest.raises(PeerError) as caught:
        await RtspConnection.open("127.0.0.1", unused_tcp_port, timeout_s=5)
    assert caught.value.cause is Cause.REFUSED


async def test_a_name_without_address_is_dns() -> None:
    with pytest.raises(PeerError) as caught:
        await RtspConnection.open("camera.invalid", 554, timeout_s=20)
    assert caught.value.cause is Cause.DNS


async def test_an_address_outside_the_allowed_networks_is_not_touched() -> None:
    async with ScriptedPeer(lambda _: reply()) as peer:
        with pytest.raises(PeerError) as caught:
            await RtspConnection.open(
                "127.0.0.1", peer.port, timeout_s=5, allowed=AllowedNetworks.parse(["10.0.0.0/8"])
            )
        assert caught.value.cause is Cause.ADDRESS_NOT_ALLOWED
        assert peer.connections == 0


async def test_a_backlog_that_takes_nobody_is_a_timeout(full_backlog_port: int) -> None:
    with pytest.raises(PeerError) as caught:
        await RtspConnection.open("127.0.0.1", full_backlog_port, timeout_s=0.2)
    assert caught.value.cause is Cause.TIMEOUT


def test_everything_holds_on_uvloop(unused_tcp_port: int) -> None:
    async def play() -> None:
        batches: list[MediaBatch] = []
        nonces: list[str] = []

        def answer(request: Request) -> bytes:
            response = guarded(request, nonces=nonces)
            response.headers.set("CSeq", str(request.cseq))
            return interleave(0, b"early") + response.encode() + interleave(1, b"late")

        async with ScriptedPeer(answer) as peer:
            connection = await connect(peer, LOGIN)
            connection.on_media = batches.append
            lost: asyncio.Future[PeerError | None] = asyncio.get_running_loop().create_future()
            connection.on_lost = lost.set_result
            assert (await connection.request("PLAY", URL, timeout_s=5)).status == 200
            connection.write_media(interleave(3, b"back"))
            await peer.until(lambda: len(peer.media) == 1)
            assert connection.transport.get_extra_info("socket").fileno() > 0
            peer.writer.close()
            error = await lost
            assert error is not None
            assert error.cause is Cause.ENDED
            await connection.wait_closed()
        assert b"".join(batch.data for batch in batches) == (interleave(0, b"early") + interleave(1, b"late")) * 2

    async def refused() -> None:
        with pytest.raises(PeerError) as caught:
            await RtspConnection.open("127.0.0.1", unused_tcp_port, timeout_s=5)
        assert caught.value.cause is Cause.REFUSED

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play())
        runner.run(refused())
    gc.collect()  # a future or task left over would warn here, and warnings are errors
