"""What every page says to a browser: what it may run, and that nobody keeps it."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src blob:; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; require-trusted-types-for 'script'; report-uri /policy-reports"
)
"""No script in a page, no style in an element, no other origin."""
STATIC_KEPT_S = 3600


class PageHeaders:
    """ASGI middleware, inside the one of all services: what is set here stands there.

    `Referrer-Policy: same-origin`: with `no-referrer` our own forms would come with `Origin: null`.
    """

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self.app, self._secure = app, secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                headers.setdefault("Content-Security-Policy", POLICY)
                headers.setdefault("Referrer-Policy", "same-origin")
                headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
                if scope["path"].startswith("/static/") and message["status"] == 200:
                    headers.setdefault("Cache-Control", f"public, max-age={STATIC_KEPT_S}")
                if self._secure:
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        await self.app(scope, receive, complete)
