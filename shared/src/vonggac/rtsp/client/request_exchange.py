"""Requests of a client on one connection: one after the other, each matched to its answer, with the login on demand."""

import asyncio
import time
from collections.abc import Callable, Iterable

from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.net.http_auth import Authenticator, Challenge, ReconnectError
from vonggac.net.url import Credentials
from vonggac.rtsp.client.pending_response import Answers
from vonggac.rtsp.wire.messages import Headers, Request, Response

USER_AGENT = "VongGac"

_MAX_ANSWERS = 2
"""Answers to the 401s of one request: the second only when the login was right and its nonce too old."""


class RequestExchange:
    """`send` writes a request's bytes. Call `end` when the connection has ended."""

    def __init__(self, send: Callable[[bytes], None], credentials: Credentials | None) -> None:
        self.login_sent = False
        """Whether a request carried our login."""
        self.peer_date: tuple[str, float] | None = None
        """The Date of the last answer that had one, as it came, and our seconds since 1970 when it came."""
        self.peer_server: str | None = None
        """The Server of the last answer that had one."""
        self._send: Callable[[bytes], None] | None = send
        self._error: PeerError | None = None
        self._authenticator = Authenticator(credentials)
        self._answers = Answers()
        self._lock = asyncio.Lock()
        self._cseq = 0

    @property
    def logged_in(self) -> bool:
        """Whether the peer accepted a request with our login."""
        return self._authenticator.taken

    @property
    def login_scheme(self) -> str | None:
        """How the peer asked for the login that is answered: digest or basic; None while it asked for none."""
        challenge = self._authenticator.challenge
        return None if challenge is None else challenge.scheme

    @property
    def unspoken_login(self) -> str:
        """How the peer asks for a login, when that is not spoken here; else empty."""
        return self._authenticator.unspoken

    def log_in_at_once(self, challenge: Challenge) -> None:
        """Answer a challenge of another connection from the first request on."""
        self._authenticator.adopt(challenge)

    def log_in_with(self, credentials: Credentials | None) -> None:
        """Answer challenges with this login from now on."""
        self._authenticator = Authenticator(credentials)

    async def request(
        self, method: str, uri: str, headers: Iterable[tuple[str, str]], body: bytes, *, timeout_s: float
    ) -> Response:
        """As `RtspConnection.request`."""
        fields = list(headers)
        try:
            async with asyncio.timeout(timeout_s), self._lock:
                return await self._request(method, uri, fields, body)
        except TimeoutError:
            raise PeerError(Cause.TIMEOUT, f"no answer to {method} within {timeout_s:.3g} s") from None

    def post(self, method: str, uri: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Send a request without waiting for its answer: a last TEARDOWN, with the login that the peer asks for."""
        if self._send is not None:
            authorization = self._authenticator.answer(method, uri)
            login = [("Authorization", authorization)] if authorization is not None else []
            self._send(self._encode(method, uri, [*headers, *login])[1])

    def answered(self, response: Response) -> None:
        """Handle the peer's answer."""
        if response.status < 200:
            return
        date = response.headers.get("Date")
        if date is not None:
            self.peer_date = (date, time.time())
        self.peer_server = response.headers.get("Server") or self.peer_server
        self._answers.receive(response)

    def end(self, error: PeerError | None) -> None:
        """End all requests with this reason; None: our own close."""
        # The owner of `send` refers to this object: while each refers to the other, only the garbage collector can
        # free them.
        self._send, self._error = None, error
        self._answers.fail(error or PeerError(Cause.ENDED, "the connection was closed here"))
        self._answers.stop()

    async def _request(self, method: str, uri: str, fields: list[tuple[str, str]], body: bytes) -> Response:
        if self._authenticator.rejected:
            raise PeerError(Cause.AUTH_FAILED, f"{method} was not sent: the login was rejected before")
        authorization = self._authenticator.answer(method, uri, body)
        response = await self._exchange(method, uri, fields, body, authorization)
        for _ in range(_MAX_ANSWERS):
            if response.status != 401 or not self._authenticator.challenged(
                response.headers.get_all("WWW-Authenticate"), answered=authorization is not None
            ):
                break
            authorization = self._authenticator.answer(method, uri, body)
            response = await self._answer(response, method, uri, fields, body, authorization)
        else:
            self._authenticator.rejected = response.status == 401
        if authorization is not None and response.status not in (401, 403):
            self._authenticator.accepted()
        return response

    async def _answer(
        self,
        unauthorized: Response,
        method: str,
        uri: str,
        fields: list[tuple[str, str]],
        body: bytes,
        authorization: str | None,
    ) -> Response:
        """Send a request again with a login, unless the peer closes. Raises ReconnectError, and as `_exchange`."""
        challenge = self._authenticator.challenge
        assert challenge is not None
        if "close" not in (unauthorized.headers.get("Connection") or "").lower():
            try:
                return await self._exchange(method, uri, fields, body, authorization)
            except PeerError as error:
                if error.cause is not Cause.ENDED or self._error is not error:
                    raise
        raise ReconnectError(challenge)

    async def _exchange(
        self, method: str, uri: str, fields: list[tuple[str, str]], body: bytes, authorization: str | None
    ) -> Response:
        if self._send is None:
            raise self._error or PeerError(Cause.ENDED, f"{method} was not sent: the connection is closed")
        if authorization is not None:
            self.login_sent = True
            fields = [*fields, ("Authorization", authorization)]
        cseq, encoded = self._encode(method, uri, fields, body)
        with self._answers.expected(cseq) as answer:
            self._send(encoded)
            return await answer

    def _encode(self, method: str, uri: str, fields: list[tuple[str, str]], body: bytes = b"") -> tuple[int, bytes]:
        """Encode the request with the next CSeq."""
        self._cseq += 1
        headers = Headers([("CSeq", str(self._cseq)), ("User-Agent", USER_AGENT), *fields])
        return self._cseq, Request(method, uri, headers, body).encode()
