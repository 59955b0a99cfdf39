from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from vonggac.embedded import free_port
from vonggac.events.causes import Cause
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import MalformedError, PeerError, RedirectError
from vonggac.net.http_auth import new_challenge
from vonggac.net.tls import SYSTEM_AUTHORITIES, TlsPolicy
from vonggac.net.url import Credentials, RtspUrl
from vonggac.rtsp import Request, Response, Route, Step, open_player, open_publisher, parse_sdp
from vonggac.rtsp.client.handshake import MAX_REDIRECTS
from vonggac.rtsp.wire.tracks import plan_tracks
from vonggac.testing.certificates import ServerCertificate
from vonggac.testing.media import play as play_at
from vonggac.testing.rtsp import CAMERA_SDP, ScriptedCamera, ScriptedPeer, reply

LOGIN = Credentials("admin", "S3cret")


def moved(location: str, status: int = 302) -> Response:
    return reply(status, [("Location", location)], reason="Moved")


def locked(request: Request) -> Response | bytes | None:
    if "Authorization" not in request.headers:
        return reply(401, [("WWW-Authenticate", new_challenge("camera").encode())])
    return ScriptedCamera()(request)


def refusing(challenge: str) -> Callable[[Request], Response]:
    return lambda _: reply(401, [("WWW-Authenticate", challenge)])


async def play(port: int, credentials: Credentials | None = None, **more: Any) -> None:
    url = RtspUrl.parse(f"rtsp://127.0.0.1:{port}/live")
    player = await play_at(url, credentials, **more)
    await player.close()


@asynccontextmanager
async def redirecting(
    where: Callable[[int], str], target: Callable[[Request], Response | bytes | None], status: int = 302
) -> AsyncIterator[tuple[ScriptedPeer, ScriptedPeer]]:
    """Two peers; the first sends DESCRIBE and ANNOUNCE to `where(port of the second)`."""
    async with ScriptedPeer(target) as second:
        away = moved(where(second.port), status)
        async with ScriptedPeer(ScriptedCamera(DESCRIBE=away, ANNOUNCE=away)) as first:
            yield first, second


@pytest.mark.parametrize("status", [301, 302, 303, 305, 307, 308])
async def test_a_redirect_is_followed(status: int) -> None:
    steps: list[Step] = []
    async with redirecting(lambda port: f"rtsp://127.0.0.1:{port}/other", ScriptedCamera(), status) as (first, second):
        await play(first.port, steps=steps)
        assert first.methods == ["DESCRIBE"]
        assert second.requests[0].uri == f"rtsp://127.0.0.1:{second.port}/other"
        assert second.methods == ["DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
        assert [step.name for step in steps][2:5] == ["describe", "dns", "connect"]


async def test_a_proxy_is_asked_for_the_same_path() -> None:
    async with redirecting(lambda port: f"rtsp://127.0.0.1:{port}", ScriptedCamera(), 305) as (first, second):
        await play(first.port)
        assert second.requests[0].uri == f"rtsp://127.0.0.1:{second.port}/live"


async def test_a_path_alone_is_on_the_same_host() -> None:
    def answer(request: Request) -> Response | bytes | None:
        return moved("/sub") if request.uri.endswith("/live") else ScriptedCamera()(request)

    async with ScriptedPeer(answer) as peer:
        await play(peer.port)
        assert peer.requests[1].uri == f"rtsp://127.0.0.1:{peer.port}/sub"


async def test_a_publisher_follows_too() -> None:
    tracks = plan_tracks(parse_sdp(CAMERA_SDP), ("video",), "rtsp://camera/")
    async with redirecting(lambda port: f"rtsp://127.0.0.1:{port}/in", ScriptedCamera()) as (first, second):
        url = RtspUrl.parse(f"rtsp://127.0.0.1:{first.port}/live")
        publisher = await open_publisher(Route(url), parse_sdp(CAMERA_SDP), tracks, deadline_s=5)
        await publisher.close()
        assert [request.uri for request in second.requests] == [
            f"rtsp://127.0.0.1:{second.port}/in{tail}" for tail in ("", "/trackID=0", "", "")
        ]


async def test_a_circle_ends_after_three_redirects() -> None:
    async with ScriptedPeer(lambda _: moved("/round")) as peer:
        with pytest.raises(PeerError, match="more than 3 times") as caught:
            await play(peer.port)
        assert caught.value.cause is Cause.PROTOCOL_ERROR
        assert peer.methods == ["DESCRIBE"] * 4


async def test_the_deadline_holds_for_all_hops_together() -> None:
    async with redirecting(lambda port: f"rtsp://127.0.0.1:{port}/", lambda _: None) as (first, _):
        with pytest.raises(PeerError) as caught:
            await play(first.port, deadline_s=0.3)
        assert caught.value.cause is Cause.TIMEOUT


async def test_the_new_address_is_checked_against_the_allowed_networks() -> None:
    async with redirecting(lambda _: "rtsp://127.9.9.9/live", ScriptedCamera()) as (first, second):
        with pytest.raises(PeerError) as caught:
            await play(first.port, allowed=AllowedNetworks.parse(["127.0.0.0/24"]))
        assert caught.value.cause is Cause.ADDRESS_NOT_ALLOWED
        assert second.connections == 0


async def test_another_host_does_not_get_the_login() -> None:
    async with redirecting(lambda port: f"rtsp://localhost:{port}/live", locked) as (first, second):
        with pytest.raises(PeerError) as caught:
            await play(first.port, LOGIN)
        assert caught.value.cause is Cause.AUTH_FAILED
        assert not caught.value.login_sent
        assert not any("Authorization" in request.headers for request in second.requests)


@pytest.mark.parametrize("status", [301, 302, 305])
async def test_secret_moves_to_no_other_port_by_a_redirect(status: int) -> None:
    async with redirecting(lambda port: f"rtsp://127.0.0.1:{port}/live", locked, status) as (first, second):
        with pytest.raises(PeerError) as caught:
            await play(first.port, LOGIN)
        assert (caught.value.cause, caught.value.login_sent) == (Cause.AUTH_FAILED, False)
        assert second.requests
        assert not any("Authorization" in request.headers for request in second.requests)


@pytest.mark.parametrize("path", ["/S3cret", "/x?p=S3cret", "/S%33cret", "/%2553%2533cret"])
async def test_secret_moves_to_no_other_port_in_a_path_that_was_filled_in(path: str) -> None:
    async with redirecting(lambda port: f"rtsp://127.0.0.1:{port}{path}", ScriptedCamera()) as (first, second):
        url = RtspUrl.parse(f"rtsp://127.0.0.1:{first.port}/admin/S3cret")
        with pytest.raises(PeerError) as caught:
            await open_player(Route(url, LOGIN), deadline_s=5, on_media=lambda _: None)
        assert caught.value.cause is Cause.SECRET_MOVED
        assert second.connections == 0


async def test_secret_moves_when_a_proxy_takes_the_filled_in_path_nowhere() -> None:
    async with redirecting(lambda port: f"rtsp://127.0.0.1:{port}", ScriptedCamera(), 305) as (first, second):
        url = RtspUrl.parse(f"rtsp://127.0.0.1:{first.port}/admin/S3cret")
        with pytest.raises(PeerError) as caught:
            await open_player(Route(url, LOGIN), deadline_s=5, on_media=lambda _: None)
        assert caught.value.cause is Cause.SECRET_MOVED
        assert second.connections == 0


async def test_another_path_of_the_same_address_gets_the_login() -> None:
    def answer(request: Request) -> Response | bytes | None:
        return moved("/sub") if request.uri.endswith("/live") else locked(request)

    async with ScriptedPeer(answer) as peer:
        await play(peer.port, LOGIN)


async def test_an_error_says_whether_the_login_was_sent() -> None:
    async with ScriptedPeer(refusing("Basic")) as peer:
        with pytest.raises(PeerError) as caught:
            await play(peer.port, LOGIN)
        assert (caught.value.cause, caught.value.login_sent) == (Cause.AUTH_FAILED, True)


async def test_a_challenge_that_we_cannot_answer_gets_no_login() -> None:
    unknown = 'Digest realm="camera", nonce="1", algorithm=SHA-999'
    async with ScriptedPeer(refusing(unknown)) as peer:
        with pytest.raises(PeerError) as caught:
            await play(peer.port, LOGIN)
        assert (caught.value.cause, caught.value.login_sent) == (Cause.AUTH_FAILED, False)
        assert peer.methods == ["DESCRIBE"]


async def test_another_host_is_asked_with_the_login_that_the_redirect_holds() -> None:
    async with redirecting(lambda port: f"rtsp://u:0wn@localhost:{port}/live", locked) as (first, second):
        await play(first.port, LOGIN)
        assert 'username="u"' in (second.requests[1].headers.get("Authorization") or "")
        assert not any("0wn" in request.uri for request in second.requests)


async def test_rtsp_may_lead_to_rtsps() -> None:
    certificate = ServerCertificate.self_signed()
    policy = TlsPolicy(fingerprint_sha256=certificate.fingerprint_sha256)
    async with ScriptedPeer(ScriptedCamera(), tls=certificate.server_context) as second:
        away = moved(f"rtsps://127.0.0.1:{second.port}/live")
        async with ScriptedPeer(lambda _: away) as first:
            await play(first.port, tls=policy, transport="udp_then_tcp")
        assert second.requests[0].uri.startswith("rtsps://")


def test_rtsps_never_leads_back_to_rtsp() -> None:
    route = Route(RtspUrl.parse("rtsps://h/a"), None, None, SYSTEM_AUTHORITIES)
    with pytest.raises(PeerError, match="not encrypted") as caught:
        route.redirected(RedirectError("DESCRIBE", 302, "Moved", "rtsp://h/a"))
    assert caught.value.cause is Cause.TLS


def test_another_peer_is_not_sent_the_answer_to_the_challenge_of_the_first() -> None:
    route = Route(RtspUrl.parse("rtsp://h/a"), LOGIN, None, SYSTEM_AUTHORITIES, challenge=new_challenge("camera"))
    redirected = route.redirected(RedirectError("DESCRIBE", 302, "Moved", "rtsp://h:8554/a"))
    assert (redirected.credentials, redirected.challenge) == (None, None)


def test_a_path_with_an_address_in_its_query_is_a_path() -> None:
    route = Route(RtspUrl.parse("rtsp://h/a"), None, None, SYSTEM_AUTHORITIES)
    redirected = route.redirected(RedirectError("DESCRIBE", 302, "Moved", "/play?from=rtsp://other/b"))
    assert redirected.url.wire == "rtsp://h/play?from=rtsp://other/b"


@pytest.mark.parametrize("location", ["http://127.0.0.1/", "rtsp://", "rtsp://h:99999/"])
async def test_a_redirect_to_a_wrong_address_says_so(location: str) -> None:
    async with ScriptedPeer(lambda _: moved(location)) as peer:
        with pytest.raises(MalformedError, match="redirected to a wrong address"):
            await play(peer.port)


async def publish(port: int) -> None:
    tracks = plan_tracks(parse_sdp(CAMERA_SDP), ("video",), "rtsp://camera/")
    url = RtspUrl.parse(f"rtsp://127.0.0.1:{port}/live")
    publisher = await open_publisher(Route(url), parse_sdp(CAMERA_SDP), tracks, deadline_s=5)
    await publisher.close()


@pytest.mark.parametrize("begin", [play, publish])
@pytest.mark.parametrize("redirects", range(MAX_REDIRECTS + 1))
async def test_an_error_says_whether_it_happened_where_a_redirect_led_to(
    begin: Callable[[int], Awaitable[None]], redirects: int
) -> None:
    async with AsyncExitStack() as peers:
        port = free_port()
        for _ in range(redirects):
            away = moved(f"rtsp://127.0.0.1:{port}/live")
            peer = await peers.enter_async_context(ScriptedPeer(ScriptedCamera(DESCRIBE=away, ANNOUNCE=away)))
            port = peer.port
        with pytest.raises(PeerError) as caught:
            await begin(port)
    assert caught.value.cause is Cause.REFUSED
    assert caught.value.elsewhere is (redirects > 0)


async def test_another_path_of_the_same_address_is_not_elsewhere() -> None:
    def answer(request: Request) -> Response:
        return moved("/sub") if request.uri.endswith("/live") else reply(404, reason="Not Found")

    async with ScriptedPeer(answer) as peer:
        with pytest.raises(PeerError) as caught:
            await play(peer.port)
    assert caught.value.cause is Cause.NOT_FOUND
    assert not caught.value.elsewhere


async def test_a_redirect_without_an_address_is_just_an_answer() -> None:
    async with ScriptedPeer(lambda _: reply(302, reason="Moved")) as peer:
        with pytest.raises(PeerError, match="DESCRIBE was answered 302 Moved"):
            await play(peer.port)


async def test_no_error_shows_the_login_of_a_redirect() -> None:
    async with ScriptedPeer(lambda _: moved("rtsp://u:S3cret@127.0.0.1:1/")) as peer:
        with pytest.raises(PeerError) as caught:
            await play(peer.port)
        assert "S3cret" not in f"{caught.value!r} {caught.value} {caught.value.__context__!r}"
