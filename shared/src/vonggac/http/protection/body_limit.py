"""A body is bounded before anything reads it: by its Content-Length, and byte by byte where it has none.

Starlette's own limit answers in plain text, and goes on reading what was refused; here the refusal is a problem+json
document, and the connection of a body that nobody reads is closed. A compressed body is refused too: a few kilobytes of
it can be gigabytes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vonggac.http.problems import ProblemError, problem_response

DEFAULT_BYTES = 2**20
TOO_LARGE = 413
_AS_IT_IS = frozenset({"", "identity"})
READ_ANYWAY_BYTES = 2**16
"""A body of this size at most has arrived already; its connection may go on although nobody reads it."""


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Bytes of a request's body: of all routes, and of those whose path matches a pattern as a whole."""

    default: int = DEFAULT_BYTES
    larger: Mapping[str, int] = field(default_factory=dict)

    def of(self, path: str) -> int:
        """Find the limit of a path."""
        return next((most for pattern, most in self.larger.items() if re.fullmatch(pattern, path)), self.default)


class BodyLimit:
    """ASGI middleware: 413 for a body that is too large, however it is sent."""

    def __init__(self, app: ASGIApp, limits: BodyLimits) -> None:
        self.app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if _is_ambiguous(scope):
            await problem_response(_AMBIGUOUS)(scope, receive, send)
            return
        most, stated = self._limits.of(scope["path"]), _stated(scope)
        if stated is not None and stated > most:
            await _refuse(most)(scope, receive, send)
            return
        body = _Body(receive, send, most, unread=_is_unread(scope, stated))
        await self.app(scope, body.receive, body.send)
        if body.is_too_large and not body.answered:
            await _refuse(most)(scope, receive, send)


class _Body:
    """One body on its way in, and the answer to it."""

    def __init__(self, receive: Receive, send: Send, most: int, *, unread: bool) -> None:
        self._receive, self._send, self._most, self._unread = receive, send, most, unread
        self._received = 0
        self.is_too_large = self.answered = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._received += len(message.get("body", b""))
            if self._received > self._most:
                self.is_too_large = True
                # What reads bodies lets this one pass: the framework, and ours.
                raise HTTPException(TOO_LARGE)
            self._unread = self._unread and message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self.is_too_large and not self.answered:
            # Whatever the route made of it: the cause is the size.
            return
        if message["type"] == "http.response.start":
            self.answered = True
            if self._unread:
                MutableHeaders(raw=message["headers"])["Connection"] = "close"
        await self._send(message)


class PlainBodies:
    """ASGI middleware: 415 for a body in a content coding; `Accept-Encoding` says that there is none (RFC 9110)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _plain(Headers(scope=scope)):
            msg = "the body is compressed (Content-Encoding): send it as it is"
            headers = {"Accept-Encoding": "identity"}
            error = ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", msg, headers=headers)
            await problem_response(error)(scope, receive, send)
            return
        await self.app(scope, receive, send)


_AMBIGUOUS = ProblemError(
    HTTPStatus.BAD_REQUEST,
    "bad_request",
    "the length of the body is said in two ways, or in chunks in HTTP/1.0: say it once",
    headers={"Connection": "close"},
)


def _is_ambiguous(scope: Scope) -> bool:
    """Whether a proxy before us may have read another length: what is behind the body is then a request to us alone."""
    headers = Headers(scope=scope)
    if "transfer-encoding" not in headers:
        return False
    return "content-length" in headers or scope["http_version"] == "1.0"


def _refuse(most: int) -> Response:
    msg = f"the body is larger than the {most} bytes that are taken here"
    return problem_response(ProblemError(HTTPStatus(TOO_LARGE), "too_large", msg, headers={"Connection": "close"}))


def _stated(scope: Scope) -> int | None:
    given = Headers(scope=scope).get("content-length")
    return int(given) if given is not None and given.isdecimal() else None


def _is_unread(scope: Scope, stated: int | None) -> bool:
    return "transfer-encoding" in Headers(scope=scope) if stated is None else stated > READ_ANYWAY_BYTES


def _plain(headers: Headers) -> bool:
    codings = (coding.strip().lower() for value in headers.getlist("content-encoding") for coding in value.split(","))
    return all(coding in _AS_IT_IS for coding in codings)
