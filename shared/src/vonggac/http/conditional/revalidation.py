"""Answers to GET carry an ETag, and If-None-Match is answered with 304 while it is the same.

A route that sets an ETag (a record's revision) keeps it. Any other JSON answer gets a weak one of its body. Streams and
files have none: their body would have to be kept. What a route lets nobody store is never called unchanged: its ETag is
for If-Match alone.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vonggac.http.conditional.etags import matches_weakly, parse_etags, weak_etag_of

_OF_THE_BODY = ("content-length", "content-type", "content-encoding")


class Revalidation:
    """ASGI middleware; stands inside compression, so that a tag is of the body before it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            given = Headers(scope=scope).get("if-none-match")
            send = _Answer(send, given, authorized="authorization" in Headers(scope=scope)).send
        await self.app(scope, receive, send)


class _Answer:
    """One answer on its way out: its start waits for the first of its body."""

    def __init__(self, send: Send, if_none_match: str | None, *, authorized: bool) -> None:
        self._send, self._authorized = send, authorized
        try:
            self._tags = [] if if_none_match is None else parse_etags(if_none_match)
        except ValueError:
            # A condition that nobody can read holds for no answer.
            self._tags = []
        self._start: Message | None = None
        self._unchanged = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif self._start is not None and message["type"] == "http.response.body":
            start, self._start = self._start, None
            await self._begin(start, message)
        elif self._start is not None:
            start, self._start = self._start, None
            await self._send(start)
            await self._send(message)
        elif not self._unchanged:
            await self._send(message)

    async def _begin(self, start: Message, first: Message) -> None:
        headers = MutableHeaders(raw=start["headers"])
        if start["status"] == 200:
            self._describe(headers, first)
            etag = headers.get("etag")
            is_kept = "no-store" not in headers.get("cache-control", "")
            if etag is not None and is_kept and self._tags and matches_weakly(self._tags, etag):
                self._unchanged = True
                start["status"] = 304
                for name in _OF_THE_BODY:
                    del headers[name]
                first = {"type": "http.response.body", "body": b""}
        await self._send(start)
        await self._send(first)

    def _describe(self, headers: MutableHeaders, first: Message) -> None:
        whole = not first.get("more_body", False)
        if "etag" not in headers and whole and headers.get("content-type", "").startswith("application/json"):
            headers["ETag"] = weak_etag_of(first.get("body", b""))
        if self._authorized:
            headers.add_vary_header("Authorization")
            headers.setdefault("Cache-Control", "private, no-cache")
