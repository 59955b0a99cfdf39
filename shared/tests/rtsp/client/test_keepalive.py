import asyncio
from typing import Any

import pytest

from vonggac.events.causes import Cause
from vonggac.media.rtp import interleave
from vonggac.net.errors import PeerError
from vonggac.net.http_auth import new_challenge, verify_authorization
from vonggac.net.url import Credentials, RtspUrl
from vonggac.rtsp import Player, Request, Response
from vonggac.testing.media import play as play_at
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer, reply

pytestmark = pytest.mark.slow


async def play(peer: ScriptedPeer, **more: Any) -> Player:
    url = RtspUrl.parse(f"rtsp://127.0.0.1:{peer.port}/live?channel=1")
    return await play_at(url, **more)


async def test_options_show_how_to_keep_the_session_alive() -> None:
    camera = ScriptedCamera(OPTIONS=lambda _: reply(headers=[("Public", "OPTIONS, DESCRIBE, SETUP, PLAY")]))
    camera.session = "42;timeout=2"
    async with ScriptedPeer(camera) as peer:
        player = await play(peer, send_options=True)
        assert [step.name for step in player.steps][2] == "options"
        await peer.until(lambda: peer.methods.count("OPTIONS") == 2)
        assert "GET_PARAMETER" not in peer.methods
        await player.close()


async def test_keep_alive_falls_back_to_options_when_get_parameter_is_not_taken() -> None:
    camera = ScriptedCamera(GET_PARAMETER=reply(501, reason="Not Implemented"))
    camera.session = "42;timeout=2"
    async with ScriptedPeer(camera) as peer:
        player = await play(peer)
        await peer.until(lambda: "OPTIONS" in peer.methods)
        assert peer.methods.count("GET_PARAMETER") == 1
        await player.close()


async def test_a_camera_that_never_answers_keep_alives_keeps_its_session() -> None:
    camera = ScriptedCamera(GET_PARAMETER=None)
    camera.session = "42;timeout=2"
    async with ScriptedPeer(camera) as peer:
        player = await play(peer)
        await peer.until(lambda: "OPTIONS" in peer.methods)
        assert not player.connection.closed
        await player.close()


async def test_a_camera_that_says_454_and_plays_on_keeps_its_session() -> None:
    camera = ScriptedCamera(GET_PARAMETER=reply(454, reason="Session Not Found"))
    camera.session = "42;timeout=2"
    async with ScriptedPeer(camera) as peer:
        player = await play(peer)
        while "OPTIONS" not in peer.methods:
            peer.writer.write(interleave(0, b"media"))
            await asyncio.sleep(0.05)
        assert not player.connection.closed
        await player.close()


async def test_a_session_that_the_camera_forgot_is_lost() -> None:
    lost: asyncio.Future[PeerError | None] = asyncio.get_running_loop().create_future()
    camera = ScriptedCamera(GET_PARAMETER=reply(454, reason="Session Not Found"))
    camera.session = "42;timeout=2"
    async with ScriptedPeer(camera) as peer:
        player = await play(peer, on_lost=lost.set_result)
        error = await lost
        assert error is not None
        assert error.cause is Cause.ENDED
        await player.close()


async def test_a_nonce_that_gets_stale_is_renewed_within_the_session() -> None:
    login = Credentials("admin", "S3cret")
    current = [new_challenge("camera")]
    refused: list[str] = []

    def expiring(request: Request) -> Response | bytes | None:
        value = request.headers.get("Authorization") or ""
        if request.method == "GET_PARAMETER" and not refused:
            current[0] = new_challenge("camera", stale=True)
        if not value or not verify_authorization(value, method=request.method, credentials=login, challenge=current[0]):
            refused.append(request.method)
            return reply(401, [("WWW-Authenticate", current[0].encode())], reason="Unauthorized")
        if request.method == "DESCRIBE":
            refused.clear()
        return ScriptedCamera.__call__(camera, request)

    camera = ScriptedCamera()
    camera.session = "42;timeout=2"
    async with ScriptedPeer(expiring) as peer:
        player = await play(peer, credentials=login)
        await peer.until(lambda: peer.methods.count("GET_PARAMETER") == 3)
        assert refused == ["GET_PARAMETER"]
        assert not player.connection.closed
        await player.close()


async def test_keep_alives_that_are_not_answered_do_not_delay_the_next_one() -> None:
    camera = ScriptedCamera(GET_PARAMETER=None, OPTIONS=None)
    camera.session = "42;timeout=1"
    came: list[float] = []

    def answer(request: Request) -> Response | bytes | None:
        if request.method in ("GET_PARAMETER", "OPTIONS"):
            came.append(asyncio.get_running_loop().time())
        return camera(request)

    async with ScriptedPeer(answer) as peer:
        player = await play(peer)
        assert player.keepalive_interval_s == 0.5
        await peer.until(lambda: len(came) == 5)
        # Twice within each second, where waiting for each answer first would make it one.
        assert came[4] - came[0] < 3
        await player.close(0.1)
