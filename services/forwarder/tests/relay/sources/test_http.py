"""Fetching live media by HTTP: to whom we connect, what we send them, and what their failures are called."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from forwarder.relay.sources.http import Web
from vonggac.events import Cause
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import PeerError
from vonggac.net.http_auth import Challenge, new_challenge, verify_authorization
from vonggac.net.tls import TlsPolicy
from vonggac.net.url import Credentials
from vonggac.telemetry import configure_logging
from vonggac.testing.certificates import Authority, ServerCertificate

LOGIN = Credentials("camera", "pass:wörd")
CERTIFICATE = ServerCertificate.self_signed()
AUTHORITY = Authority()
SIGNED = AUTHORITY.issue("127.0.0.1")
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"


@dataclass
class Peer:
    """Answers every request with the bytes that `answer` makes of it, then ends the connection or holds it."""

    answer: Callable[[str], bytes]
    hold: bool = False
    requests: list[str] = field(default_factory=list)
    port: int = 0
    held: list[asyncio.StreamWriter] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """The other side has ended a connection that is held."""
    scheme: str = "http"

    def url(self, path: str = "/live", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.held.append(writer)
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "replace")
        except asyncio.IncompleteReadError as error:
            request = error.partial.decode("utf-8", "replace")
        except OSError:
            request = ""
        if request:
            self.requests.append(request)
            writer.write(self.answer(request))
        if self.hold:
            with contextlib.suppress(OSError):
                await reader.read()
            self.ended.set()
        writer.close()


type Serve = Callable[..., AbstractAsyncContextManager[Peer]]


@pytest.fixture
def serve() -> Serve:
    """`async with serve(answer) as peer`: `answer` is bytes, or makes bytes of a request."""

    @asynccontextmanager
    async def start(
        answer: bytes | Callable[[str], bytes] = FINE, *, tls: ServerCertificate | None = None, hold: bool = False
    ) -> AsyncIterator[Peer]:
        peer = Peer(answer if callable(answer) else lambda _: answer, hold, scheme="https" if tls else "http")
        context = tls.server_context if tls else None
        server = await asyncio.start_server(peer.serve, "0.0.0.0", 0, ssl=context)
        peer.port = server.sockets[0].getsockname()[1]
        try:
            yield peer
        finally:
            server.close()
            for writer in peer.held:
                writer.transport.abort()

    return start


def web(peer: Peer, *, allowed: str = "127.0.0.0/8", tls: TlsPolicy | None = None, login: bool = False) -> Web:
    networks = AllowedNetworks.parse([allowed])
    return Web(networks, tls or TlsPolicy(), peer.url(), LOGIN if login else None)


async def fetch(client: Web, url: str, *, at_most: int = 1000, patience_s: float = 5.0) -> bytes:
    async with client.get(url, deadline_s=patience_s) as body:
        return await body.whole(at_most=at_most, silence_s=patience_s)


async def failure(client: Web, url: str, **more: float) -> PeerError:
    with pytest.raises(PeerError) as caught:
        await fetch(client, url, **more)  # type: ignore[arg-type]
    return caught.value


def redirect(url: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Elsewhere\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n".encode()


def refused(*challenges: Challenge) -> bytes:
    fields = "".join(f"WWW-Authenticate: {challenge.encode()}\r\n" for challenge in challenges)
    return f"HTTP/1.1 401 Unauthorized\r\n{fields}Content-Length: 0\r\n\r\n".encode()


def authorization(request: str) -> str | None:
    fields = (line.partition(": ") for line in request.splitlines()[1:])
    return next((value for name, _, value in fields if name.lower() == "authorization"), None)


@pytest.mark.parametrize(
    "answer",
    [
        FINE,
        b"HTTP/1.0 200 OK\r\n\r\nfine",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nfin\r\n1\r\ne\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 4\n\nfine",
    ],
    ids=["length", "to the end", "chunks", "bare line feeds"],
)
async def test_a_body_is_read_to_its_end(serve: Serve, answer: bytes) -> None:
    async with serve(answer) as peer:
        assert await fetch(web(peer), peer.url("/live?token=a%20b")) == b"fine"
        assert peer.requests[0].startswith("GET /live?token=a%20b HTTP/1.1\r\n")
        assert f"host: 127.0.0.1:{peer.port}\r\n" in peer.requests[0].lower()


async def test_a_redirect_is_followed_and_the_body_says_where_it_came_from(serve: Serve) -> None:
    async with serve(lambda request: FINE if "/b/" in request else redirect("/b/live.m3u8")) as peer:
        async with web(peer).get(peer.url(), deadline_s=5.0) as body:
            assert await body.whole(at_most=4, silence_s=5.0) == b"fine"
        assert body.url == peer.url("/b/live.m3u8")


async def test_redirects_have_an_end(serve: Serve) -> None:
    async with serve(redirect("/live")) as peer:
        assert (await failure(web(peer), peer.url())).cause is Cause.PROTOCOL_ERROR
        assert len(peer.requests) == 5


async def test_a_redirect_may_not_lead_to_an_address_that_is_not_allowed(serve: Serve) -> None:
    async with serve() as inner, serve(redirect(inner.url("/x", "127.0.0.2"))) as peer:
        error = await failure(web(peer, allowed="127.0.0.1/32"), peer.url())
        assert error.cause is Cause.ADDRESS_NOT_ALLOWED
        assert (len(peer.requests), inner.requests, inner.held) == (1, [], [])


@pytest.mark.parametrize("place", ["ftp://127.0.0.1/x", "http://:80/", "http://127.0.0.1:99999/", "http://a b/", "//"])
async def test_a_redirect_to_what_is_no_web_address_is_a_cause(serve: Serve, place: str) -> None:
    async with serve(redirect(place)) as peer:
        error = await failure(web(peer), peer.url())
        assert error.cause is Cause.PROTOCOL_ERROR
        assert place not in error.message


async def test_nothing_is_said_to_a_peer_with_another_fingerprint(serve: Serve) -> None:
    async with serve(tls=CERTIFICATE) as peer:
        error = await failure(web(peer, tls=TlsPolicy(fingerprint_sha256="ab" * 32), login=True), peer.url())
        assert error.cause is Cause.TLS
        assert CERTIFICATE.fingerprint_sha256 in error.message
        assert peer.requests == []
        assert await fetch(web(peer, tls=TlsPolicy(fingerprint_sha256=CERTIFICATE.fingerprint_sha256)), peer.url())


async def test_a_redirect_goes_to_a_trusted_peer_only(serve: Serve) -> None:
    trusted = TlsPolicy(fingerprint_sha256=CERTIFICATE.fingerprint_sha256)
    async with serve(tls=SIGNED) as other, serve(redirect(other.url()), tls=CERTIFICATE) as peer:
        assert (await failure(web(peer, tls=trusted), peer.url())).cause is Cause.TLS
        assert other.requests == []


async def test_an_own_authority_is_trusted_and_no_other(serve: Serve) -> None:
    async with serve(tls=SIGNED) as peer:
        assert await fetch(web(peer, tls=TlsPolicy(ca_pem=AUTHORITY.pem)), peer.url()) == b"fine"
        assert (await failure(web(peer), peer.url())).cause is Cause.TLS
    async with serve() as plain:
        silent = await failure(web(plain), plain.url().replace("http:", "https:"), patience_s=0.2)
        assert silent.cause is Cause.TLS


@pytest.mark.parametrize(
    "challenge",
    [new_challenge("gate", scheme="basic"), new_challenge("gate"), new_challenge("gate", algorithm="SHA-256")],
    ids=["basic", "digest", "digest sha-256"],
)
async def test_the_login_is_given_when_it_is_asked_for(serve: Serve, challenge: Challenge) -> None:
    def answer(request: str) -> bytes:
        given = authorization(request)
        right = given and verify_authorization(given, method="GET", credentials=LOGIN, challenge=challenge)
        return FINE if right else refused(challenge)

    async with serve(answer) as peer:
        assert await fetch(web(peer, login=True), peer.url("/live?channel=1")) == b"fine"
        assert [authorization(request) is None for request in peer.requests] == [True, False]


@pytest.mark.parametrize("scheme", ["basic", "digest"])
async def test_a_login_that_is_refused_is_not_given_again(serve: Serve, scheme: str) -> None:
    async with serve(lambda _: refused(new_challenge("gate", scheme=scheme))) as peer:
        assert (await failure(web(peer, login=True), peer.url())).cause is Cause.AUTH_FAILED
        assert len(peer.requests) == 2


async def test_the_login_is_for_the_cameras_host_only(serve: Serve) -> None:
    challenge = new_challenge("gate", scheme="basic")
    async with serve(lambda _: refused(challenge)) as other:

        def answer(request: str) -> bytes:
            return redirect(other.url("/x", "user:word@127.0.0.2")) if authorization(request) else refused(challenge)

        async with serve(answer) as peer:
            assert (await failure(web(peer, login=True), peer.url())).cause is Cause.AUTH_FAILED
            assert authorization(peer.requests[-1]) is not None
        assert [authorization(request) for request in other.requests] == [None]
        assert "user" not in other.requests[0]


@pytest.mark.parametrize("scheme", ["basic", "digest"])
async def test_the_login_is_not_for_another_camera_behind_the_same_address(serve: Serve, scheme: str) -> None:
    challenge = new_challenge("gate", scheme=scheme)
    async with serve(refused(challenge)) as other, serve(redirect(other.url())) as peer:
        assert (await failure(web(peer, login=True), peer.url())).cause is Cause.AUTH_FAILED
        assert [authorization(request) for request in other.requests] == [None]


@pytest.mark.parametrize("path", ["/camera/p%40ss", "/camera/p@ss", "/x?p=p%2540ss"])
async def test_secret_moves_nowhere_in_a_path_that_was_filled_in(serve: Serve, path: str) -> None:
    async with serve() as other, serve(redirect(other.url(path))) as first:
        filled, networks = Credentials("camera", "p@ss"), AllowedNetworks.parse(["127.0.0.0/8"])
        client = Web(networks, TlsPolicy(), first.url("/camera/p%40ss"), filled=filled)
        error = await failure(client, first.url("/camera/p%40ss"))
        assert error.cause is Cause.SECRET_MOVED
        assert other.requests == []
        assert "p@ss" not in error.message


async def test_the_login_of_an_encrypted_address_is_not_sent_in_the_clear(serve: Serve) -> None:
    trusted = TlsPolicy(fingerprint_sha256=CERTIFICATE.fingerprint_sha256)
    async with serve(refused(new_challenge("gate", scheme="basic"))) as plain:
        async with serve(redirect(plain.url()), tls=CERTIFICATE) as peer:
            assert (await failure(web(peer, tls=trusted, login=True), peer.url())).cause is Cause.AUTH_FAILED
        assert [authorization(request) for request in plain.requests] == [None]


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"HTTP/1.1 401 No\r\n\r\n", Cause.AUTH_FAILED),
        (b"HTTP/1.1 403 No\r\n\r\n", Cause.AUTH_FAILED),
        (b"HTTP/1.1 404 No\r\n\r\n", Cause.NOT_FOUND),
        (b"HTTP/1.1 410 No\r\n\r\n", Cause.NOT_FOUND),
        (b"HTTP/1.1 500 No\r\n\r\n", Cause.SERVER_ERROR),
        (b"HTTP/1.1 302 No place\r\n\r\n", Cause.REQUEST_REFUSED),
        (b"", Cause.HUNG_UP),
        (b"HTTP/1.1 200 OK\r\nContent-Len", Cause.ENDED),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfine", Cause.ENDED),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nfine", Cause.ENDED),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nfine\r\n0\r\n\r\n", Cause.PROTOCOL_ERROR),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + bytes(1001), Cause.PROTOCOL_ERROR),
    ],
)
async def test_an_answer_that_is_no_body_is_a_cause(serve: Serve, answer: bytes, cause: Cause) -> None:
    async with serve(answer) as peer:
        assert (await failure(web(peer), peer.url())).cause is cause
        assert len(peer.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-device\r\n", b"\0\1\2\3", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000],
    ids=["SSH", "bytes", "an endless header field"],
)
async def test_a_peer_that_does_not_speak_http_is_found_out_at_once(serve: Serve, answer: bytes) -> None:
    async with serve(answer, hold=True) as peer:
        assert (await failure(web(peer), peer.url(), patience_s=60)).cause is Cause.PROTOCOL_ERROR


async def test_nothing_is_waited_for_without_end(serve: Serve) -> None:
    async with serve(b"HTTP/1.1 200", hold=True) as peer:
        assert (await failure(web(peer), peer.url(), patience_s=0.1)).cause is Cause.TIMEOUT
    async with serve(b"HTTP/1.1 200 OK\r\n\r\nfine", hold=True) as peer:
        assert (await failure(web(peer), peer.url(), patience_s=0.1)).cause is Cause.STALLED


async def test_an_address_where_nobody_listens_is_refused(serve: Serve) -> None:
    async with serve() as peer:
        pass
    assert (await failure(web(peer), peer.url())).cause is Cause.REFUSED


async def test_nobody_where_a_redirect_or_a_playlist_leads_to_is_nobody_elsewhere(serve: Serve) -> None:
    async with serve() as closed:
        nobody = closed.url()
    async with serve(redirect(nobody)) as peer:
        for url in (peer.url(), nobody):
            error = await failure(web(peer), url)
            assert (error.cause, error.elsewhere) == (Cause.REFUSED, True)
    error = await failure(web(peer), peer.url())
    assert (error.cause, error.elsewhere) == (Cause.REFUSED, False)


async def test_a_proxy_of_the_environment_is_not_asked(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve() as proxy, serve() as peer:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        assert await fetch(web(peer), peer.url()) == b"fine"
        assert proxy.held == []


@pytest.mark.usefixtures("logging_left_as_it_was")
async def test_no_secret_comes_into_a_log_or_an_error(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(service="forwarder", level="debug")
    async with serve(redirect("/there?key=k3y-of-the-server")) as peer:
        error = await failure(web(peer, login=True), peer.url("/live?token=t0ken"))
        logging.getLogger("a.test").info("written")
    said = capsys.readouterr().err + str(error)
    assert "written" in said
    assert not [secret for secret in ("t0ken", "k3y-of-the-server", LOGIN.password) if secret in said]


async def test_a_connection_ends_with_its_use(serve: Serve) -> None:
    async with serve(b"HTTP/1.1 200 OK\r\n\r\nfine", hold=True) as peer:
        async with web(peer).get(peer.url(), deadline_s=5.0) as body:
            async for piece in body.pieces(silence_s=5.0):
                assert piece == b"fine"
                break
        async with asyncio.timeout(5):
            await peer.ended.wait()
