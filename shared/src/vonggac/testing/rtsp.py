"""A scripted RTSP server on a real socket: a test sets its answers, and reads its requests."""

import asyncio
import ssl
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from vonggac.rtsp.wire.framing import Deframer, MediaBatch
from vonggac.rtsp.wire.messages import Headers, Request, Response

CAMERA_SDP = (
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=camera\r\nt=0 0\r\na=control:*\r\n"
    b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:trackID=1\r\n"
    b"m=audio 0 RTP/AVP 8\r\na=control:trackID=2\r\n"
)

type Override = Response | bytes | Callable[[Request], Response | bytes | None] | None
type Answer = Callable[[Request], Response | bytes | None]


class ScriptedPeer:
    """`answer` gets each request and returns a response, raw bytes, or None for silence.

    A Response gets the request's CSeq. `requests`, `responses` and `media` hold what came in, in order. With `tls` it
    speaks TLS.
    """

    def __init__(
        self, answer: Answer, *, tls: ssl.SSLContext | None = None, port: int = 0, clients: int | None = None
    ) -> None:
        """`port`: 0 for any. `clients`: it listens until it has taken so many connections, None for ever."""
        self.answer = answer
        self._tls, self._port, self._clients = tls, port, clients
        self.requests: list[Request] = []
        self.responses: list[Response] = []
        self.media: list[MediaBatch] = []
        self.connections = 0
        self._changed = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.requests]

    @property
    def writer(self) -> asyncio.StreamWriter:
        """The latest connection's."""
        return self._writers[-1]

    @property
    def open_connections(self) -> int:
        return sum(not writer.transport.is_closing() for writer in self._writers)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until `holds()`; checked after each arrival and each end of a connection."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(holds)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, ssl=self._tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        if self.connections == self._clients and self._server is not None:
            self._server.close()
        deframer = Deframer()
        try:
            while data := await reader.read(65536):
                for item in deframer.feed(data):
                    self._receive_item(item, writer)
                await self._notify()
        except ConnectionError:
            writer.transport.abort()
        finally:
            writer.close()
            await self._notify()

    def _receive_item(self, item: MediaBatch | Request | Response, writer: asyncio.StreamWriter) -> None:
        if isinstance(item, MediaBatch):
            self.media.append(item)
        elif isinstance(item, Response):
            self.responses.append(item)
        else:
            self.requests.append(item)
            answer = self.answer(item)
            if isinstance(answer, Response):
                answer.headers.set("CSeq", str(item.cseq))
                answer = answer.encode()
            if answer is not None:
                writer.write(answer)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def reply(
    status: int = 200, headers: Iterable[tuple[str, str]] = (), body: bytes = b"", reason: str = "OK"
) -> Response:
    """Build a response with these header fields."""
    return Response(status, reason, Headers(headers), body)


class ScriptedCamera:
    """Answers as a good camera or centre does; a test replaces the answer to a method."""

    def __init__(self, **overrides: Override) -> None:
        self.overrides = overrides
        self.session = "42;timeout=60"

    def __call__(self, request: Request) -> Response | bytes | None:
        if request.method in self.overrides:
            override = self.overrides[request.method]
            return override(request) if callable(override) else override
        if request.method == "DESCRIBE":
            return reply(headers=[("Content-Base", f"{request.uri}/")], body=CAMERA_SDP)
        if request.method == "SETUP":
            transport = request.headers.get("Transport") or ""
            return reply(headers=[("Transport", transport), ("Session", self.session)])
        return reply()


def with_cseq(request: Request, before: bytes = b"", after: bytes = b"") -> bytes:
    """Build a plain 200 for `request`, with other bytes before and after it."""
    return before + b"RTSP/1.0 200 OK\r\nCSeq: %d\r\n\r\n" % (request.cseq or 0) + after
