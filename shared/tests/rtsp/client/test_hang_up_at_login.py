"""Peers that close the connection with their 401: the login goes over a new one."""

import pytest

from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.net.http_auth import Challenge, new_challenge, verify_authorization
from vonggac.net.url import Credentials, RtspUrl
from vonggac.rtsp import Request, Response, Route, open_player
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer, reply

LOGIN = Credentials("admin", "S3cret")


class Closing(ScriptedCamera):
    """Asks for a login and hangs up, at once or (`says`) with a word before; at a wrong login without a word."""

    def __init__(self, *, says: bool, password: str = LOGIN.password) -> None:
        super().__init__()
        self.peer: ScriptedPeer | None = None
        self.logins = 0
        self._challenge = new_challenge("camera")
        self._says = says
        self._expected = Credentials(LOGIN.username, password)

    def __call__(self, request: Request) -> Response | bytes | None:
        value = request.headers.get("Authorization")
        if value is not None:
            self.logins += 1
            if verify_authorization(
                value, method=request.method, credentials=self._expected, challenge=self._challenge
            ):
                return super().__call__(request)
            assert self.peer is not None
            self.peer.writer.close()
            return None
        fields = [("WWW-Authenticate", self._challenge.encode()), ("CSeq", str(request.cseq))]
        if self._says:
            return reply(401, [*fields, ("Connection", "Close")])
        assert self.peer is not None
        self.peer.writer.write(reply(401, fields).encode())
        self.peer.writer.close()
        return None


async def play(peer: ScriptedPeer) -> None:
    url = RtspUrl.parse(f"rtsp://127.0.0.1:{peer.port}/live")
    player = await open_player(Route(url, LOGIN), deadline_s=5, on_media=lambda _: None)
    await player.close()


@pytest.mark.parametrize("says", [True, False])
async def test_the_login_goes_over_a_new_connection(says: bool) -> None:
    camera = Closing(says=says)
    async with ScriptedPeer(camera) as peer:
        camera.peer = peer
        await play(peer)
        assert peer.connections == 2
        assert peer.methods == ["DESCRIBE", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]


@pytest.mark.parametrize("says", [True, False])
async def test_a_peer_that_hangs_up_at_the_login_too_has_rejected_it(says: bool) -> None:
    camera = Closing(says=says, password="another")
    async with ScriptedPeer(camera) as peer:
        camera.peer = peer
        with pytest.raises(PeerError, match="hangs up") as caught:
            await play(peer)
        assert caught.value.cause is Cause.AUTH_FAILED
        assert "S3cret" not in f"{caught.value!r} {caught.value.__context__!r}"
        assert camera.logins == 1
        assert peer.connections == 2


@pytest.mark.parametrize("password", [LOGIN.password, "another"])
async def test_a_peer_that_breaks_off_at_its_401_once_and_has_nonces_of_each_connection_is_answered_again(
    password: str,
) -> None:
    """As a centre that restarts just then: the answer to the nonce of before the restart is no wrong login."""
    camera, challenges, answers = ScriptedCamera(), dict[int, Challenge](), list[str]()

    def guarded(request: Request) -> Response | bytes | None:
        known, value = challenges.get(peer.connections), request.headers.get("Authorization")
        if value is not None:
            answers.append(value)
        expected = Credentials(LOGIN.username, password)
        if (
            value is not None
            and known is not None
            and verify_authorization(value, method=request.method, credentials=expected, challenge=known)
        ):
            return camera(request)
        challenge = challenges[peer.connections] = new_challenge("camera")
        fields = [("WWW-Authenticate", challenge.encode()), ("CSeq", str(request.cseq))]
        if peer.connections > 1:
            return reply(401, fields)
        peer.writer.write(reply(401, fields).encode())
        peer.writer.close()
        return None

    async with ScriptedPeer(guarded) as peer:
        if password == LOGIN.password:
            await play(peer)
        else:
            with pytest.raises(PeerError) as caught:
                await play(peer)
            assert caught.value.cause is Cause.AUTH_FAILED
            assert len(answers) == 2, "a wrong login is not sent again and again"
        assert peer.connections == 2


async def test_a_peer_that_only_ever_asks_and_hangs_up_is_left_after_the_second_time() -> None:
    def ask(_: Request) -> Response:
        challenge = new_challenge("camera", stale=True)
        return reply(401, [("WWW-Authenticate", challenge.encode()), ("Connection", "close")])

    async with ScriptedPeer(ask) as peer:
        with pytest.raises(PeerError) as caught:
            await play(peer)
        assert caught.value.cause is Cause.AUTH_FAILED
        assert peer.connections == 2


async def test_a_session_that_is_given_back_early_is_given_back_with_the_login() -> None:
    challenge = new_challenge("camera")
    camera, refused = ScriptedCamera(PLAY=reply(500, reason="Busy")), list[str]()

    def guarded(request: Request) -> Response | bytes | None:
        value = request.headers.get("Authorization")
        if value is None or not verify_authorization(
            value, method=request.method, credentials=LOGIN, challenge=challenge
        ):
            refused.append(request.method)
            return reply(401, [("WWW-Authenticate", challenge.encode())])
        return camera(request)

    async with ScriptedPeer(guarded) as peer:
        with pytest.raises(PeerError) as caught:
            await play(peer)
        assert caught.value.cause is Cause.SERVER_ERROR
        await peer.until(lambda: peer.methods[-1] == "TEARDOWN")
    # A camera with few sessions would count this one until it times out.
    assert refused == ["DESCRIBE"]
