"""HEAD is answered as GET is, without the body (RFC 9110 §9.3.2): same rights, status and headers."""

from starlette.types import ASGIApp, Receive, Scope, Send


class HeadRequests:
    """ASGI middleware; stands outside everything that asks for the method. The server leaves the body of a HEAD out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            # A copy: the server reads the method of its own.
            scope = {**scope, "method": "GET"}
        await self.app(scope, receive, send)
