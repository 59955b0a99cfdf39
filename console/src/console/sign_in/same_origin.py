"""Forms come from our own pages alone: by `Sec-Fetch-Site`, or by `Origin` where a browser does not send that."""

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from vonggac.telemetry import get_logger

log = get_logger(__name__)

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
REFUSED = "Yêu cầu không đến từ trang của Vọng Gác. / The request does not come from a page of Vọng Gác."


class SameOrigin:
    """ASGI middleware: 403 for a request that changes something and comes from another site.

    The session's cookie is SameSite=Lax beside; no form has a token of its own. Who sends neither header is no browser,
    and is refused too: it has no business with a cookie.
    """

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self.app, self._origin = app, origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE and not is_own(Headers(scope=scope), self._origin):
            log.warning("request_of_another_site", site=Headers(scope=scope).get("sec-fetch-site"))
            await PlainTextResponse(REFUSED, status_code=403)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def is_own(headers: Headers, origin: str) -> bool:
    """Whether a page of `origin` sent this."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return headers.get("origin") == origin
