"""What every answer says to a browser, in one place: what it may run, frame, guess and keep."""

from collections.abc import Mapping
from types import MappingProxyType

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Of what is no page: data is never run, whatever stands in it."""
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Of a page whose scripts are files of the service; its elements may be styled in place, as Swagger UI does."""

_ALWAYS: Mapping[str, str] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
)


HEAD = "vonggac.head"
"""In the scope of a request whose answer goes out without its body."""


def is_head(request: Request) -> bool:
    """Whether only the headers are sent: a route that makes a long file need not make it."""
    return HEAD in request.scope


class ResponseHeaders:
    """ASGI middleware: headers that are missing are added; a route that sets one knows better.

    What was answered to a token is kept by nobody else (`private, no-cache`); anything else without a word of its own
    is not kept at all. HEAD is answered as GET is, with the same rights, status and headers (RFC 9110 §9.3.2): the
    server leaves its body out. So this stands outside everything that asks for the method.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                _complete(MutableHeaders(raw=message["headers"]))
            await send(message)

        # A copy: the server goes on to read the method of its own.
        asked = {**scope, "method": "GET", HEAD: True} if scope["method"] == "HEAD" else scope
        await self.app(asked, receive, complete)


def _complete(headers: MutableHeaders) -> None:
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    methods = headers.get("allow", "").split(", ")
    if "GET" in methods and "HEAD" not in methods:
        headers["allow"] = ", ".join([*methods, "HEAD"])
    is_page = headers.get("content-type", "").startswith("text/html")
    headers.setdefault("Content-Security-Policy", PAGE_POLICY if is_page else POLICY)
    headers.setdefault("Cache-Control", "no-store")
